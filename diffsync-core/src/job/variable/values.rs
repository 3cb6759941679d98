//! The texts given for variables.

use std::collections::HashMap;
use std::fmt;

use super::spec::VariableSpec;

/// The texts given for a job's variables, before they are read.
#[derive(Clone, Default)]
pub struct VariableValues(HashMap<String, Vec<String>>);

impl VariableValues {
    /// No values: defaults and the environment apply.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value; a second one for the same variable makes a list.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.entry(name.into()).or_default().push(value.into());
        self
    }

    /// The texts of the variables' values for a plan file: those given, else the one from the environment, else the default,
    /// else none. Variables that may hold a secret are left out.
    #[must_use]
    pub fn to_save(&self, variables: &[VariableSpec]) -> Vec<(String, Vec<String>)> {
        let texts = variables.iter().filter(|spec| !spec.secret).map(|spec| {
            let from_env = || spec.env.and_then(|env| std::env::var(env).ok());
            let texts = match self.get(spec.name) {
                [] => from_env().or_else(|| spec.default.map(str::to_owned)).into_iter().collect(),
                given => given.to_vec(),
            };
            (spec, texts)
        });

        let texts = texts.filter(|(spec, texts)| !texts.iter().any(|text| spec.may_hide(text)));
        texts.map(|(spec, texts)| (spec.name.to_owned(), texts)).collect()
    }

    /// The texts given for a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

impl fmt::Debug for VariableValues {
    /// Shows only the names, since a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::VariableKind;

    #[test]
    fn a_saved_plan_holds_what_decides_the_values_and_nothing_that_may_be_a_secret() {
        const fn spec(name: &'static str, kind: VariableKind) -> VariableSpec {
            VariableSpec {
                name,
                help: "",
                kind,
                required: false,
                secret: false,
                default: None,
                env: None,
                group: None,
                has_choices: false,
            }
        }
        let specs = [
            spec("file", VariableKind::Path),
            VariableSpec { default: Some("7"), ..spec("port", VariableKind::Integer) },
            VariableSpec { env: Some("CARGO_PKG_NAME"), default: Some("x"), ..spec("user", VariableKind::Text) },
            VariableSpec { secret: true, ..spec("token", VariableKind::Text) },
            spec("server", VariableKind::Url),
            spec("mirrors", VariableKind::List(&VariableKind::Url)),
            spec("search", VariableKind::Url),
            spec("nothing", VariableKind::Text),
        ];
        let values = VariableValues::new()
            .with("file", "a.json")
            .with("token", "hunter2")
            .with("server", "https://u:hunter2@h")
            .with("mirrors", "https://a/")
            .with("mirrors", "https://b/?token=hunter2")
            .with("search", "https://s/");
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let expected = [
            ("file", texts(&["a.json"])),
            ("port", texts(&["7"])),
            ("user", texts(&["diffsync-core"])),
            ("search", texts(&["https://s/"])),
            ("nothing", texts(&[])),
        ];
        assert_eq!(values.to_save(&specs), expected.map(|(name, texts)| (name.to_owned(), texts)));
    }
}
