//! The types that a variable can have, besides those of the user.

use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::Value;
use url::Url;

use super::read::Variable;
use crate::model::schema::VariableKind;
use crate::value::redact::redact_url;
use crate::value::secret::Secret;

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

    // A flag that is not given is off.
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
        Self::from_str(&with_dots(text))
            .map_err(|error| match error {
                url::ParseError::RelativeUrlWithoutBase => {
                    "it does not begin with a scheme such as `https://`".to_owned()
                }
                error => error.to_string(),
            })
            .map_err(|error| format!("it must be a URL such as `https://host/path` or `sqlite://file.db`: {error}"))
    }

    fn show(&self) -> Value {
        Value::from(redact_url(self))
    }
}

/// The URL of an `SQLite` file, written so that a relative path keeps its `.` and `..`.
///
/// After `//` a parser takes the first folder for a host, which `..` does not leave: `sqlite://data/../a.db` would be the file
/// `data/a.db`. Without the slashes the rest is kept as it is.
fn with_dots(text: &str) -> Cow<'_, str> {
    let Some(rest) = text.strip_prefix("sqlite://") else { return Cow::Borrowed(text) };
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    let has_dots = path.split('/').any(|part| matches!(part, "." | ".."));
    if has_dots && !path.starts_with('/') { Cow::Owned(format!("sqlite:{rest}")) } else { Cow::Borrowed(text) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_of_a_file_is_used_as_it_is_written() {
        for (text, parsed) in [
            ("sqlite://dir/../x.db?mode=ro", "sqlite:dir/../x.db?mode=ro"),
            ("sqlite://../x.db", "sqlite:../x.db"),
            ("sqlite://./x.db", "sqlite:./x.db"),
            ("sqlite://dir/x.db", "sqlite://dir/x.db"),
            ("sqlite:///dir/x..db", "sqlite:///dir/x..db"),
            ("postgres://host/../x", "postgres://host/x"),
        ] {
            assert_eq!(<Url as Variable>::parse(text).unwrap().as_str(), parsed);
        }
    }

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
}
