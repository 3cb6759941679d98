//! A value as a text writes it.
//!
//! A number keeps its digits, so that none passes through a type that cannot hold it. A plain scalar of YAML stays as it is
//! written until a type says what it wants: `1.10` is a text for a `String` and a number for an `f64`.

#[cfg(feature = "parquet")]
mod any;
mod read;
mod write;

use std::collections::HashMap;

use diffsync_core::value::exposed;
use serde::Serialize;

/// A value with the digits that it is written with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Datum {
    #[default]
    Null,
    Bool(bool),
    /// A number as JSON writes it, or `inf`, `-inf` or `nan`.
    Number(String),
    Text(String),
    /// A scalar of YAML without quotation marks, whose type depends on what it is read as.
    Plain(String),
    List(Vec<Datum>),
    /// The entries in their order. No key is there twice.
    Map(Vec<(String, Datum)>),
}

impl Datum {
    /// The serialised form of a value, including its secrets.
    pub(crate) fn of<T: Serialize>(value: &T) -> Result<Self, String> {
        exposed(value).serialize(write::Writer).map_err(|error| error.to_string())
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Whether a type would read nothing here.
    pub(crate) fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Plain(text) => read::is_null(text),
            _ => false,
        }
    }

    /// The same without the keys under which there is nothing.
    #[cfg(feature = "parquet")]
    pub(crate) fn pruned(self) -> Self {
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::pruned).collect()),
            Self::Map(entries) => {
                let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
                Self::Map(entries.map(|(key, value)| (key, value.pruned())).collect())
            }
            other => other,
        }
    }

    /// Whether a file that holds this holds the other value: the order of keys and the way of writing do not matter.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(text), other) | (other, Self::Plain(text))
                if !matches!(other, Self::List(_) | Self::Map(_)) =>
            {
                match other {
                    Self::Null => read::is_null(text),
                    Self::Bool(value) => read::boolean(text) == Some(*value),
                    Self::Number(number) => read::number(text).is_some_and(|text| same_number(&text, number)),
                    Self::Text(other) => text == other && !read::is_null(text),
                    Self::Plain(other) => text == other,
                    Self::List(_) | Self::Map(_) => false,
                }
            }
            (Self::Number(one), Self::Number(other)) => same_number(one, other),
            (Self::List(one), Self::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.agrees(other))
            }
            (Self::Map(one), Self::Map(other)) => {
                let entries = index(other);
                one.len() == other.len()
                    && one.iter().all(|(key, value)| entries.get(key.as_str()).is_some_and(|other| value.agrees(other)))
            }
            (one, other) => one == other,
        }
    }
}

/// The entries of a map by their keys.
pub(crate) fn index(entries: &[(String, Datum)]) -> HashMap<&str, &Datum> {
    entries.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

/// Whether two numbers are the same, however they are written.
fn same_number(one: &str, other: &str) -> bool {
    let is_float = |text: &str| text.contains(['.', 'e', 'E', 'n']);
    let same_value = || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one.to_bits() == other.to_bits());
    one == other || ((is_float(one) || is_float(other)) && same_value())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::net::IpAddr;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Status {
        Active,
        Since(u16),
        Both { from: u16, to: Option<u16> },
    }

    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
        let datum = Datum::of(value).unwrap();
        assert_eq!(T::deserialize(datum).as_ref().map_err(ToString::to_string), Ok(value));
    }

    #[test]
    fn a_value_comes_back_as_it_was() {
        comes_back(&(1_u8, -1_i64, u64::MAX, i128::MIN, u128::MAX));
        comes_back(&(0.1_f32, 0.1_f64, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f32::NEG_INFINITY));
        comes_back(&("007".to_owned(), 'x', true, Some(String::new()), None::<u8>, ()));
        comes_back(&vec![Status::Active, Status::Since(1), Status::Both { from: 1, to: None }]);
        comes_back(&BTreeMap::from([(1_u8, vec![IpAddr::from([192, 0, 2, 1])])]));
        comes_back(&HashMap::from([(Some(true), 1)]));
        comes_back(&serde_json::json!({"a": [1, -2, 0.5, null, "x", {"b": u64::MAX}]}));
        assert!(f64::deserialize(Datum::of(&f64::NAN).unwrap()).unwrap().is_nan());
    }

    #[test]
    fn a_number_keeps_its_digits() {
        let number = |text: &str| Datum::Number(text.into());
        assert_eq!(Datum::of(&0.1_f32), Ok(number("0.1")));
        assert_eq!(Datum::of(&1.0_f64), Ok(number("1.0")));
        assert_eq!(Datum::of(&1e300_f64), Ok(number("1e300")));
        assert_eq!(u128::deserialize(number("123456789012345678901")).unwrap(), 123_456_789_012_345_678_901);
        let error = serde_json::Value::deserialize(number("123456789012345678901")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "123456789012345678901 is a whole number beyond 64 bits, which the field's type cannot hold"
        );
        let error = serde_json::Value::deserialize(number("1e999")).unwrap_err();
        assert_eq!(error.to_string(), "1e999 is a number that the field's type cannot hold");
        let error = serde_json::Value::deserialize(number("inf")).unwrap_err();
        assert_eq!(error.to_string(), "inf is a number that the field's type cannot hold");
        assert!(f64::deserialize(number("1e999")).is_err());
    }

    #[test]
    fn a_plain_scalar_is_what_the_type_asks_for() {
        let plain = |text: &str| Datum::Plain(text.into());
        assert_eq!(String::deserialize(plain("02134")).unwrap(), "02134");
        assert_eq!(u16::deserialize(plain("010")).unwrap(), 10);
        assert_eq!(f64::deserialize(plain("010")).unwrap().to_bits(), 10.0_f64.to_bits());
        assert_eq!(serde_json::Value::deserialize(plain("010")).unwrap(), serde_json::json!(10));
        assert_eq!(serde_json::Value::deserialize(plain("0x1F")).unwrap(), serde_json::json!(31));
        assert_eq!(serde_json::Value::deserialize(plain("0o17")).unwrap(), serde_json::json!(15));
        assert_eq!(serde_json::Value::deserialize(plain("1_000")).unwrap(), serde_json::json!("1_000"));
        assert_eq!(serde_json::Value::deserialize(plain("no")).unwrap(), serde_json::json!("no"));
        assert_eq!(serde_json::Value::deserialize(plain("TRUE")).unwrap(), serde_json::json!(true));
        assert_eq!(Option::<String>::deserialize(plain("~")).unwrap(), None);
        assert_eq!(f64::deserialize(plain("-.INF")).unwrap().to_bits(), f64::NEG_INFINITY.to_bits());
        assert!(String::deserialize(plain("null")).is_err());
        assert!(u16::deserialize(plain("1.0")).is_err());
    }
}
