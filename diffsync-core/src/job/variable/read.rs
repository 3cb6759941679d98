//! Reading a job's variables from their texts.

use serde_json::Value;

use super::error::{Origin, VariableError, VariableErrors};
use super::spec::VariableSpec;
use super::values::VariableValues;
use crate::model::schema::VariableKind;

/// A type that a job's field can have.
///
/// Implemented for text, numbers, `bool`, [`Url`](crate::value::Url), [`PathBuf`](std::path::PathBuf), JSON values, `Vec` and `Option` of these, and
/// [`Secret`](crate::value::Secret). `#[derive(Choice)]` implements it for an enum of choices; implement it for any other type of your own to use
/// that as well.
///
/// ```
/// use diffsync_core::Choice;
/// use diffsync_core::job::Variable;
///
/// #[derive(Choice, Debug, PartialEq)]
/// enum Scope {
///     AllSites,
///     #[choice(rename = "one site")]
///     OneSite,
/// }
///
/// assert_eq!(Scope::parse("all-sites"), Ok(Scope::AllSites));
/// assert_eq!(Scope::OneSite.show(), "one site");
/// assert_eq!(Scope::parse("none").unwrap_err(), "it must be one of `all-sites`, `one site`");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a variable of a job",
    label = "this field is a variable",
    note = "use a `String`, a number, `bool`, `Url`, `PathBuf`, `serde_json::Value`, an `Option` or `Vec` of one, or `Secret`; for an enum of choices derive `Choice`, or implement `Variable` for your type"
)]
pub trait Variable: Sized + Send + Sync + 'static {
    /// The kind of its values.
    const KIND: VariableKind;
    /// Whether a value must be given.
    const REQUIRED: bool = true;
    /// Whether the value is a secret and never shown.
    const SECRET: bool = false;
    /// The smallest and the largest value of a whole number.
    const RANGE: (i128, i128) = (i128::MIN, i128::MAX);

    /// Parses the value from text. The error says what is wrong without repeating the text, which may be a secret.
    fn parse(text: &str) -> Result<Self, String>;

    /// Parses the value from all texts given for it: none, one, or several for a list.
    fn parse_all(texts: &[String]) -> Result<Self, String> {
        match texts {
            [text] => Self::parse(text),
            [] => Err("no value is given".into()),
            _ => Err("it takes one value, and several are given".into()),
        }
    }

    /// The value as it is shown on pages.
    fn show(&self) -> Value;

    /// Reads the next variable. Generated code calls [`VariableReader::read`] through this.
    #[doc(hidden)]
    fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        reader.read()
    }
}

/// Reads a job's variables one after the other and collects their errors. Used by the code that `#[job]` generates.
#[doc(hidden)]
#[derive(Debug)]
pub struct VariableReader<'a> {
    specs: std::slice::Iter<'static, VariableSpec>,
    values: &'a VariableValues,
    errors: Vec<VariableError>,
}

impl<'a> VariableReader<'a> {
    /// Starts with the first variable.
    #[must_use]
    pub fn new(specs: &'static [VariableSpec], values: &'a VariableValues) -> Self {
        Self { specs: specs.iter(), values, errors: Vec::new() }
    }

    /// Reads the next variable: the value given, else its environment variable, else its default.
    pub fn read<T: Variable>(&mut self) -> Option<T> {
        let spec = self.specs.next()?;
        let given = self.values.get(spec.name);
        // `var_os`, so that a value that is not Unicode is an error, and not the same as none.
        let from_env = || spec.env.and_then(std::env::var_os);

        let (texts, origin) = if !given.is_empty() {
            (given.to_vec(), Origin::Given)
        } else if let Some(text) = from_env() {
            let Ok(text) = text.into_string() else {
                let reason = "it is not Unicode".to_owned();
                self.errors.push(VariableError { spec, origin: Origin::Environment, value: None, reason });
                return None;
            };
            (vec![text], Origin::Environment)
        } else {
            (spec.default.map(str::to_owned).into_iter().collect(), Origin::Default)
        };

        match T::parse_all(&texts) {
            Ok(value) => Some(value),
            Err(mut reason) => {
                // A value that may be a secret is neither shown nor suggested again.
                let value = match texts.as_slice() {
                    [text] if !spec.may_hide(text) => Some(text.clone()),
                    _ => None,
                };
                if let Some(url) = value.as_ref().and_then(|text| sqlite_url(spec, text)) {
                    reason = format!("{reason}; did you mean `{url}`?");
                }
                self.errors.push(VariableError { spec, origin, value, reason });
                None
            }
        }
    }

    /// The errors found.
    #[must_use]
    pub fn into_errors(self) -> VariableErrors {
        VariableErrors(self.errors)
    }
}

/// The URL of a `SQLite` database whose file name was given instead.
fn sqlite_url(spec: &VariableSpec, text: &str) -> Option<String> {
    let is_url = matches!(spec.kind, VariableKind::Url | VariableKind::List(VariableKind::Url));
    let extension = std::path::Path::new(text).extension()?;
    let is_database = ["db", "sqlite", "sqlite3"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    (is_url && is_database && !text.contains("://")).then(|| format!("sqlite://{text}"))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::value::secret::Secret;

    #[test]
    fn a_file_given_for_a_url_is_answered_with_the_url_of_a_sqlite_database() {
        const SPEC: VariableSpec = VariableSpec {
            name: "inventory",
            help: "",
            kind: VariableKind::Url,
            required: true,
            secret: false,
            default: None,
            env: None,
            group: None,
            has_choices: false,
        };
        static SPECS: [VariableSpec; 2] = [SPEC, VariableSpec { secret: true, ..SPEC }];

        let error = |at: usize| {
            let values = VariableValues::new().with("inventory", "inv.db");
            let mut reader = VariableReader::new(&SPECS[at..=at], &values);
            assert!(reader.read::<Url>().is_none());
            reader.into_errors().to_string()
        };
        let message = error(0);
        let expected = "variable `inventory` = \"inv.db\": it must be a URL such as `https://host/path` or \
                        `sqlite://file.db`: it does not begin with a scheme such as `https://`; did you mean \
                        `sqlite://inv.db`?";
        assert_eq!(message, expected);
        assert!(!error(1).contains("inv.db"));
    }

    #[test]
    fn a_wrong_secret_is_not_repeated() {
        static SPECS: [VariableSpec; 1] = [VariableSpec {
            name: "pin",
            help: "",
            kind: VariableKind::Integer,
            required: true,
            secret: true,
            default: None,
            env: None,
            group: None,
            has_choices: false,
        }];
        let values = VariableValues::new().with("pin", "hunter2");
        let mut reader = VariableReader::new(&SPECS, &values);
        assert!(reader.read::<Secret<u32>>().is_none());
        let message = reader.into_errors().to_string();
        assert!(message.starts_with("variable `pin`: it must be a whole number"), "{message}");
        assert!(!message.contains("hunter2") && !format!("{values:?}").contains("hunter2"));
    }
}
