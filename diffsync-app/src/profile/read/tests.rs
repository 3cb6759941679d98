//! Mistakes in a file of profiles, and what is read from one without.

use diffsync_core::JobRegistry;
use diffsync_core::job::JobEntry;

use super::variables::has_password;
use super::*;
use crate::example::NowhereToNowhere;

fn read(text: &str) -> Result<Vec<Profile>, String> {
    let jobs = Jobs::from(JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap());
    super::read(&jobs, Path::new("p.toml"), text.as_bytes()).map(|profiles| profiles.all)
}

fn error(text: &str) -> String {
    read(text).err().unwrap_or_else(|| panic!("{text:?} is accepted"))
}

/// The error for one variable, without its place.
fn of_variable(line: &str) -> String {
    let error = error(&format!("[nowhere-to-nowhere.a.variables]\n{line}"));
    error.strip_prefix("p.toml:2:").and_then(|rest| rest.split_once(": ")).unwrap().1.to_owned()
}

#[test]
fn profiles_are_in_the_order_of_the_file_with_the_variables_in_that_of_the_job() {
    let profiles = read(
        "[nowhere-to-nowhere.b]\nvariables = { place = 'x', floor = 0x10, site = { env = 'SITE' } }\n\
         [nowhere-to-nowhere.a]\nvariables.levels = [1, { file = 'level' }]\n",
    );
    let profiles = profiles.unwrap();
    let shown = |profile: &Profile| {
        let settings = profile.variables.iter().map(|setting| format!("{} = {}", setting.spec.name, setting.shown()));
        format!("{} {}: {}", profile.place, profile.id, settings.collect::<Vec<_>>().join("; "))
    };
    let expected = [
        "p.toml:1:21 nowhere-to-nowhere@b: site = from the environment variable SITE; floor = 16; place = x",
        "p.toml:3:21 nowhere-to-nowhere@a: levels = 1, from the file `level`",
    ];
    assert_eq!(profiles.iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn an_empty_file_has_no_profiles() {
    for text in ["", "\n# nothing\n", "[nowhere-to-nowhere]\n"] {
        assert!(read(text).unwrap().is_empty());
    }
    assert_eq!(read("[nowhere-to-nowhere.a]").unwrap().len(), 1);
}

#[test]
fn a_value_is_of_the_type_of_its_variable() {
    for (line, expected) in [
        ("place = 3", "the variable `place` must be a text, as in `place = \"…\"`, and is a whole number"),
        ("floor = '3'", "the variable `floor` must be a whole number, as in `floor = 3`, and is a text"),
        ("floor = 1.5", "the variable `floor` must be a whole number, as in `floor = 3`, and is a number"),
        ("floor = [1]", "the variable `floor` must be a whole number, as in `floor = 3`, and is a list"),
        ("levels = 1", "the variable `levels` must be a list, as in `levels = [3]`, and is a whole number"),
        ("levels = []", "the list `levels` is empty; write a value, or remove it"),
        ("token = { prompt = false }", "`prompt` must be `true`; leave the variable out if it is not to be asked for"),
        ("token = { prompt = 1 }", "`prompt` must be `true` or `false`, and is a whole number"),
        ("levels = [1, '2']", "the variable `levels` must be a whole number, as in `levels = 3`, and is a text"),
        (
            "floor = {}",
            "the variable `floor` takes one of `{ env = \"NAME\" }`, `{ file = \"PATH\" }`, \
                        `{ command = [\"PROGRAM\", \"ARGUMENT\"] }` and `{ prompt = true }`",
        ),
    ] {
        assert_eq!(of_variable(line), expected);
    }
    // Only the job knows its range.
    let out_of_range = of_variable("floor = 300");
    assert!(out_of_range.starts_with("variable `floor` = \"300\": it must be a whole number: "), "{out_of_range}");
}

#[test]
fn a_secret_in_clear_is_refused_and_not_repeated() {
    for line in
        ["token = 'hunter2'", "token = ['hunter2']", "token = { hunter2 = 'hunter2' }", "token = { env = 'hunter2=' }"]
    {
        let error = of_variable(line);
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(
        of_variable("token = 7").starts_with("the variable `token` is a secret: write `token = { env = \"NAME\" }`")
    );
    assert!(read("[nowhere-to-nowhere.a.variables]\ntoken = { command = ['pass', 'x'] }").is_ok());
}

#[test]
fn a_password_in_a_url_is_found_wherever_the_parser_puts_it() {
    for url in ["postgres://u:p@h/x", "postgres://u:1/p@h/x", "postgres:u:p@h/x", "https://u:1#q@h/"] {
        assert!(has_password(url), "{url}");
    }
    for url in ["postgres://u@h/x", "https://h:80/?m=a@b", "https://h/@me", "sqlite://a.db?mode=ro", "a.db"] {
        assert!(!has_password(url), "{url}");
    }
}

#[test]
fn what_is_in_the_wrong_place_is_answered_with_the_right_one() {
    for (text, expected) in [
        (
            "[nowhere-to-nowhere]\nmode = 'apply'",
            "2:1: `mode` belongs to a profile; begin one above it with `[nowhere-to-nowhere.NAME]`",
        ),
        (
            "[nowhere-to-nowhere.limits]",
            "1:21: the name of the profile is missing; write `[nowhere-to-nowhere.NAME.limits]`",
        ),
        ("[nowhere-to-nowhere.a]\nfloor = 1", "2:1: `floor` belongs below `[nowhere-to-nowhere.a.variables]`"),
        ("[nowhere-to-nowhere.a]\ndeletes = 1", "2:1: `deletes` belongs below `[nowhere-to-nowhere.a.limits]`"),
        (
            "[nowhere-to-nowhere.a.limits]\ndeletes = 1",
            "2:11: `deletes` must name models, as in `deletes = { site = \"50%\" }`",
        ),
        ("[nowhere-to-nowhere.a]\noptions = 1", "2:11: `options` must be a table, and is a whole number"),
        ("nowhere-to-nowhere = 1", "1:22: expected the profiles of the job, as in `[nowhere-to-nowhere.NAME]`"),
        ("[nowhere-to-nowhere.'a b']", "1:21: a profile cannot be called \"a b\"; use letters, digits, `-` and `_`"),
        (
            "[nowhere-to-nowhere.nowhere-to-nowhere]",
            "1:21: a profile needs another name than its job, which also runs without a profile",
        ),
        (
            "[nowhere-to-nowhere.a]\nschedule = ''",
            "2:12: `schedule` is empty; write one such as \"0 4 * * *\", or remove it",
        ),
        ("[nowhere-to-nowhere.a]\nmode = 'aply'", "2:8: `mode` must be \"apply\" or \"dry-run\""),
        ("[history]\nkeep_lst = 1", "2:1: `history` has no key `keep_lst`; did you mean `keep_last`?"),
        ("[history]\nkeep_last = -1", "2:13: `keep_last` must be a whole number from 0 to 4294967295"),
        ("[history]\nolder_than = 90", "2:14: `older_than` must be an age such as \"90d\" or \"12h\""),
        (
            "[history.x]\nmode = 'apply'",
            "1:10: `history` has no key `x`; it has `keep_last`, `older_than`, `automatic`",
        ),
        ("history = 1", "1:11: `history` must be a table, and is a whole number"),
    ] {
        assert_eq!(error(text), format!("p.toml:{expected}"));
    }
}

#[test]
fn a_mistake_of_syntax_quotes_nothing_of_the_file() {
    assert_eq!(
        error("[nowhere-to-nowhere.a.variables]\nplace = 'é', hunter2\n\n[nowhere-to-nowhere.a\n"),
        "`p.toml` has 2 mistakes:\n  p.toml:2:12: this is not TOML: unexpected key or value, expected newline, `#`\n  \
         p.toml:4:22: this is not TOML: unclosed table, expected `]`"
    );
    let twice = "[nowhere-to-nowhere.a]\nmod = 1\n[nowhere-to-nowhere.a]\n";
    assert_eq!(
        error(twice),
        "`p.toml` has 2 mistakes:\n  p.toml:2:1: a profile has no key `mod`; did you mean `mode`?\n  \
         p.toml:3:21: this name is used twice; remove one, or rename it"
    );
    let jobs = Jobs::from(JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap());
    let error = super::read(&jobs, Path::new("p.toml"), b"# \xc3\xa9\n#\xff").err().unwrap();
    assert_eq!(error, "p.toml:2:2: the file is not UTF-8 text from here on");
}
