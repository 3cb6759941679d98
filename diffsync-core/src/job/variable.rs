//! A job's variables: what can be set for a run, from flags, forms, the environment and defaults.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use url::Url;

pub use crate::model::schema::VariableKind;
use crate::value::secret::Secret;

/// One variable of a job. Made by `#[job]` from a field of the struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VariableSpec {
    /// The field's name.
    pub name: &'static str,
    /// The field's documentation comment.
    pub help: &'static str,
    /// What values it takes.
    pub kind: VariableKind,
    /// Whether it must be given, having neither a default nor an `Option`.
    pub required: bool,
    /// Whether its value is shown nowhere.
    pub secret: bool,
    /// The value it has if none is given.
    pub default: Option<&'static str>,
    /// The environment variable that sets it if no value is given.
    pub env: Option<&'static str>,
    /// Under which heading forms show it.
    pub group: Option<&'static str>,
    /// Whether [`JobSpec::choices`](crate::JobSpec::choices) says what there is to choose from.
    pub has_choices: bool,
}

impl VariableSpec {
    /// Whether a text given for the variable may hold a secret: so does what was meant to be a URL with a password, or with
    /// a query, in which tokens travel.
    fn may_hide(&self, text: &str) -> bool {
        let url = matches!(self.kind, VariableKind::Url | VariableKind::List(VariableKind::Url));
        self.secret || (url && text.contains(['@', '?']))
    }
}

/// A type that a job's field can have.
///
/// Implemented for text, numbers, `bool`, [`Url`], [`PathBuf`], JSON values, `Vec` and `Option` of these, and
/// [`Secret`]. `#[derive(Choice)]` implements it for an enum of choices; implement it for any other type of your own to use
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
    /// What values it takes.
    const KIND: VariableKind;
    /// Whether a value must be given.
    const REQUIRED: bool = true;
    /// Whether the value is shown nowhere.
    const SECRET: bool = false;
    /// The smallest and the largest whole number that it can be, where it is one.
    const RANGE: (i128, i128) = (i128::MIN, i128::MAX);

    /// Makes the value from text; the error says what is wrong with it, without repeating it.
    fn parse(text: &str) -> Result<Self, String>;

    /// Makes the value from all texts given for it: none, one, or several for a list.
    fn parse_all(texts: &[String]) -> Result<Self, String> {
        match texts {
            [text] => Self::parse(text),
            [] => Err("no value is given".into()),
            _ => Err("it takes one value, and several are given".into()),
        }
    }

    /// The value as shown on pages.
    fn show(&self) -> Value;

    /// Reads the next variable: how generated code reaches [`VariableReader::read`].
    #[doc(hidden)]
    fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        reader.read()
    }
}

macro_rules! range {
    ($number:ty) => {
        (<$number>::MIN as i128, <$number>::MAX as i128)
    };
}

macro_rules! no_range {
    ($number:ty) => {
        (i128::MIN, i128::MAX)
    };
}

macro_rules! numbers {
    ($kind:ident, $what:literal, $range:ident: $($number:ty)*) => {$(
        impl Variable for $number {
            const KIND: VariableKind = VariableKind::$kind;
            const RANGE: (i128, i128) = $range!($number);

            fn parse(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|error| format!(concat!("it must be ", $what, ": {}"), error))
            }

            fn show(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}

numbers!(Integer, "a whole number", range: u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
numbers!(Number, "a number", no_range: f32 f64);

impl Variable for String {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn show(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Variable for bool {
    const KIND: VariableKind = VariableKind::Boolean;
    const REQUIRED: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("it must be `true` or `false`".into()),
        }
    }

    fn parse_all(texts: &[String]) -> Result<Self, String> {
        match texts {
            [] => Ok(false),
            [text] => Self::parse(text),
            _ => Err("it takes one value, and several are given".into()),
        }
    }

    fn show(&self) -> Value {
        Value::from(*self)
    }
}

impl Variable for PathBuf {
    const KIND: VariableKind = VariableKind::Path;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("it must be a path, and is empty".into()) } else { Ok(text.into()) }
    }

    fn show(&self) -> Value {
        Value::from(self.to_string_lossy())
    }
}

impl Variable for Url {
    const KIND: VariableKind = VariableKind::Url;

    fn parse(text: &str) -> Result<Self, String> {
        Self::from_str(text)
            .map_err(|error| format!("it must be a URL such as `https://host/path` or `sqlite://file.db`: {error}"))
    }

    fn show(&self) -> Value {
        Value::from(redact_url(self))
    }
}

/// A URL as it may be shown: without who logs in and without the values of its query, in which tokens travel.
///
/// A password with a `/` that is not written as `%2F` ends the host too early, and its rest is in the path, in the query or
/// after a `#`; and a URL without `//` has no host at all. So what is before an `@` there is not shown either.
#[doc(hidden)]
#[must_use]
pub fn redact_url(url: &Url) -> String {
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    let may_have_login = !has_host || !url.username().is_empty() || url.password().is_some() || url.port().is_some();
    // In a query that is one an `@` is part of a value, which is not shown anyway.
    let query = url.query().filter(|query| query.split('=').next().is_some_and(|key| key.contains('@')));
    let behind_host = [Some(url.path()), query, url.fragment()].into_iter().flatten();
    if let Some((_, rest)) = behind_host.rev().find_map(|part| part.rsplit_once('@'))
        && may_have_login
    {
        return format!("{}://***@{rest}", url.scheme());
    }
    let mut shown = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        let cleared = shown.set_username("***").and_then(|()| shown.set_password(None));
        if cleared.is_err() {
            return format!("{}:***", url.scheme());
        }
    }
    if url.query().is_some() {
        let keys: Vec<_> = url.query_pairs().map(|(key, _)| format!("{key}=***")).collect();
        shown.set_query(Some(&keys.join("&")));
    }
    shown.into()
}

impl Variable for Value {
    const KIND: VariableKind = VariableKind::Json;

    fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("it must be JSON: {error}"))
    }

    fn show(&self) -> Value {
        self.clone()
    }
}

impl<T: Variable> Variable for Option<T> {
    const KIND: VariableKind = T::KIND;
    const RANGE: (i128, i128) = T::RANGE;
    const REQUIRED: bool = false;
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn parse_all(texts: &[String]) -> Result<Self, String> {
        if texts.is_empty() { Ok(None) } else { T::parse_all(texts).map(Some) }
    }

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::show)
    }
}

impl<T: Variable> Variable for Vec<T> {
    const KIND: VariableKind = VariableKind::List(&T::KIND);
    const RANGE: (i128, i128) = T::RANGE;
    const REQUIRED: bool = false;
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(|value| vec![value])
    }

    fn parse_all(texts: &[String]) -> Result<Self, String> {
        let value = |(position, text): (usize, &String)| {
            T::parse(text).map_err(|reason| match texts.len() {
                1 => reason,
                _ => format!("value {}: {reason}", position + 1),
            })
        };
        texts.iter().enumerate().map(value).collect()
    }

    fn show(&self) -> Value {
        self.iter().map(T::show).collect()
    }
}

impl<T: Variable> Variable for Secret<T> {
    const KIND: VariableKind = T::KIND;
    const RANGE: (i128, i128) = T::RANGE;
    const REQUIRED: bool = T::REQUIRED;
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Self::new)
    }

    fn parse_all(texts: &[String]) -> Result<Self, String> {
        T::parse_all(texts).map(Self::new)
    }

    fn show(&self) -> Value {
        Value::Null
    }
}

/// The texts given for a job's variables, before they are read.
#[derive(Clone, Default)]
pub struct VariableValues(HashMap<String, Vec<String>>);

impl VariableValues {
    /// Nothing given: defaults and environment decide.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a value; a second one for the same variable makes a list.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.entry(name.into()).or_default().push(value.into());
        self
    }

    /// The texts that decide the variables' values, as a saved plan holds them: those given, else that of the environment,
    /// else the default; none where there is no value. A variable that may hold a secret is left out.
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
    /// The names only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads a job's variables one after the other and collects what is wrong with them. Used by what `#[job]` generates.
#[doc(hidden)]
#[derive(Debug)]
pub struct VariableReader<'a> {
    specs: std::slice::Iter<'static, VariableSpec>,
    values: &'a VariableValues,
    errors: Vec<VariableError>,
}

impl<'a> VariableReader<'a> {
    /// Begins to read.
    #[must_use]
    pub fn new(specs: &'static [VariableSpec], values: &'a VariableValues) -> Self {
        Self { specs: specs.iter(), values, errors: Vec::new() }
    }

    /// Reads the next variable: the value given, else its environment variable, else its default.
    pub fn read<T: Variable>(&mut self) -> Option<T> {
        let spec = self.specs.next()?;
        let given = self.values.get(spec.name);
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
            Err(reason) => {
                let value = match texts.as_slice() {
                    [text] if !spec.may_hide(text) => Some(text.clone()),
                    _ => None,
                };
                self.errors.push(VariableError { spec, origin, value, reason });
                None
            }
        }
    }

    /// What was wrong.
    #[must_use]
    pub fn into_errors(self) -> VariableErrors {
        VariableErrors(self.errors)
    }
}

/// Where a variable's value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Given,
    Environment,
    Default,
}

/// A variable whose value is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableError {
    spec: &'static VariableSpec,
    origin: Origin,
    /// The value if it is one and may be shown.
    value: Option<String>,
    reason: String,
}

impl VariableError {
    /// Whether it is the default that is wrong.
    pub(super) fn is_about_default(&self) -> bool {
        self.origin == Origin::Default && self.spec.default.is_some()
    }

    /// The variable.
    #[must_use]
    pub fn variable(&self) -> &'static VariableSpec {
        self.spec
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spec, origin, value, reason } = self;
        write!(f, "variable `{}`", spec.name)?;
        if let Some(value) = value {
            write!(f, " = {value:?}")?;
        }
        match (origin, spec.env) {
            (Origin::Environment, Some(env)) => write!(f, " (from the environment variable {env})")?,
            (Origin::Default, _) if spec.default.is_some() => write!(f, " (its default)")?,
            _ => {}
        }
        write!(f, ": {reason}")
    }
}

impl std::error::Error for VariableError {}

/// All variables whose values are missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct VariableErrors(Vec<VariableError>);

impl VariableErrors {
    /// The variables, in the order of the struct's fields.
    pub fn iter(&self) -> std::slice::Iter<'_, VariableError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a VariableErrors {
    type Item = &'a VariableError;
    type IntoIter = std::slice::Iter<'a, VariableError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_may_hide_is_not_shown() {
        for (url, shown) in [
            ("postgres://u:hunter2@db/x", "postgres://***@db/x"),
            ("https://ghp_token@h/", "https://***@h/"),
            ("https://h/a?token=hunter2&b=c", "https://h/a?token=***&b=***"),
            ("sqlite://inventory.db", "sqlite://inventory.db"),
        ] {
            assert_eq!(url.parse::<Url>().unwrap().show(), shown);
        }
    }

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

    #[test]
    fn a_password_that_is_not_escaped_is_not_shown_either() {
        for (url, shown) in [
            ("postgres://u:12/hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres://u:p@hunter2/w@localhost/x", "postgres://***@localhost/x"),
            ("postgres://u:12#hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres://u:12?hunter2@localhost/x", "postgres://***@localhost/x"),
            ("https://host/@somebody", "https://host/@somebody"),
            ("https://host:8080/a?mail=me@host", "https://host:8080/a?mail=***"),
            // Without `//`, or with too few or too many slashes, there is no host.
            ("postgres:/u:hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres:u:hunter2@localhost/x", "postgres://***@localhost/x"),
            ("postgres:///u:hunter2@localhost/x", "postgres://***@localhost/x"),
            ("mysql:u:hun/t#er2@localhost/x", "mysql://***@localhost/x"),
            ("u:hunter2@localhost/x", "u://***@localhost/x"),
            ("https:u:hunter2@host/x", "https://***@host/x"),
            ("sqlite:inventory.db", "sqlite:inventory.db"),
            ("sqlite:///srv/inventory.db", "sqlite:///srv/inventory.db"),
        ] {
            assert_eq!(redact_url(&Url::parse(url).unwrap()), shown);
        }
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
