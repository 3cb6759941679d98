//! Arguments that are needed before the command line can be parsed: the jobs and their profiles are subcommands of it.

use std::ffi::{OsStr, OsString};

/// The global flags that take a value.
const WITH_VALUE: [&str; 4] = ["--color", "--jobs-root", "--log-format", "--profiles"];

/// The value of a global flag, wherever it is.
pub(crate) fn value_of(arguments: &[OsString], flag: &str) -> Option<OsString> {
    let mut value = None;
    let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == flag {
            value = arguments.next().cloned().or(value);
        } else if let Some(text) = argument.to_string_lossy().strip_prefix(flag).and_then(|rest| rest.strip_prefix('='))
        {
            value = Some(OsString::from(text));
        }
    }
    value
}

/// The subcommand, as in `run` of `jobs --color never run JOB`.
pub(crate) fn subcommand(arguments: &[OsString]) -> Option<&OsStr> {
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.iter().any(|flag| argument == *flag) {
            arguments.next();
        } else if !argument.to_string_lossy().starts_with('-') {
            return Some(argument);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_global_flag_is_found_wherever_it_is() {
        let value = |text: &str| value_of(&arguments(text), "--profiles");
        let file = Some(OsString::from("x.toml"));
        assert_eq!(value("jobs --profiles x.toml list"), file);
        assert_eq!(value("jobs list --profiles=x.toml"), file);
        assert_eq!(value("jobs --profiles y.toml list --profiles x.toml"), file);
        assert_eq!(value("jobs list --profiles"), None);
        assert_eq!(value("jobs list --profiles-of=x.toml"), None);
        assert_eq!(value("jobs list -- --profiles x.toml"), None);
    }

    #[test]
    fn the_subcommand_is_no_value_of_a_flag() {
        for (text, expected) in [
            ("jobs list", Some("list")),
            ("jobs -v --color never run x", Some("run")),
            ("jobs --profiles=run list", Some("list")),
            ("jobs --jobs-root run", None),
            ("jobs --help", None),
        ] {
            let arguments = arguments(text);
            assert_eq!(subcommand(&arguments), expected.map(OsStr::new), "{text}");
        }
    }
}
