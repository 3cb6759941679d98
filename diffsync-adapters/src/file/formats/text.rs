//! Values in a file that knows nothing but text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::file::model::shape::{Kind, Shape};
use crate::nested::datum::Datum;

/// The text form of a value.
pub(crate) fn text_of_datum(value: &Datum, shape: Shape) -> Result<Cow<'_, str>, String> {
    Ok(match (value, shape.kind) {
        (Datum::Null, _) => Cow::Borrowed(""),
        (Datum::Text(text), Kind::Text | Kind::Variant | Kind::Plain) | (Datum::Number(text), _) => Cow::Borrowed(text),
        _ => Cow::Owned(super::json::text_of(value).map_err(|error| error.to_string())?),
    })
}

/// A text that is read as the value of a type.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

/// Why a text is no value of the type.
#[derive(Debug)]
pub(crate) struct NotOfType(String);

impl fmt::Display for NotOfType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotOfType {}

impl de::Error for NotOfType {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Text<'_> {
    fn parse<T: FromStr>(self, what: &str) -> Result<T, NotOfType> {
        let text = self.0.trim();
        text.parse().map_err(|_| match text {
            "" => NotOfType(format!("is empty, and must be {what}")),
            _ => NotOfType(format!("{:?} is not {what}", self.0)),
        })
    }

    fn boolean(self) -> Result<bool, NotOfType> {
        let text = self.0.trim();
        let is = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match (is(["true", "1"]), is(["false", "0"])) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(NotOfType(format!("{:?} is not `true` or `false`", self.0))),
        }
    }
}

/// A list or a map, which is written as JSON.
fn json<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, NotOfType> {
    let wrong = |error: serde_json::Error| NotOfType(format!("is not the JSON that it must be: {error}"));
    super::json::datum(text).map_err(wrong)?.deserialize_any(visitor).map_err(wrong)
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
            visitor.$visit(self.parse($what)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = NotOfType;

    /// For a type that accepts anything, the text is JSON if it is valid, otherwise a string.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        if self.0.is_empty() {
            return visitor.visit_unit();
        }
        match super::json::datum(self.0) {
            Ok(value) => value.deserialize_any(visitor).map_err(de::Error::custom),
            Err(_) => visitor.visit_str(self.0),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        visitor.visit_bool(self.boolean()?)
    }

    parsed! {
        deserialize_i8 visit_i8 "a whole number from -128 to 127"
        deserialize_i16 visit_i16 "a whole number from -32768 to 32767"
        deserialize_i32 visit_i32 "a whole number from -2147483648 to 2147483647"
        deserialize_i64 visit_i64 "a whole number"
        deserialize_i128 visit_i128 "a whole number"
        deserialize_u8 visit_u8 "a whole number from 0 to 255"
        deserialize_u16 visit_u16 "a whole number from 0 to 65535"
        deserialize_u32 visit_u32 "a whole number from 0 to 4294967295"
        deserialize_u64 visit_u64 "a whole number from 0 up"
        deserialize_u128 visit_u128 "a whole number from 0 up"
        deserialize_f32 visit_f32 "a number"
        deserialize_f64 visit_f64 "a number"
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        visitor.visit_str(self.0)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        visitor.visit_str(self.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        visitor.visit_str(self.0)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NotOfType> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        json(if self.0.is_empty() { "[]" } else { self.0 }, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotOfType> {
        json(if self.0.is_empty() { "{}" } else { self.0 }, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotOfType> {
        json(self.0, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, NotOfType> {
        json(self.0, visitor)
    }

    /// A variant by its name, or, if it holds something, as JSON.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotOfType> {
        if self.0.starts_with('{')
            && let Ok(value) = super::json::datum(self.0)
        {
            return value.deserialize_enum(name, variants, visitor).map_err(de::Error::custom);
        }
        let variant: StrDeserializer<'_, NotOfType> = self.0.into_deserializer();
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct ignored_any }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    fn read<'de, T: Deserialize<'de>>(text: &str) -> Result<T, String> {
        T::deserialize(Text(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_read_as_what_the_type_wants() {
        assert_eq!(read::<String>("007"), Ok("007".into()));
        assert_eq!(read::<u8>(" 7 "), Ok(7));
        assert_eq!(read::<Option<u8>>(""), Ok(None));
        assert_eq!(read::<Option<String>>("null"), Ok(Some("null".into())));
        assert_eq!(read::<bool>("TRUE"), Ok(true));
        assert_eq!(read::<IpAddr>("192.0.2.1"), Ok([192, 0, 2, 1].into()));
        assert_eq!(read::<Vec<String>>(r#"["a","b"]"#), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(read::<Vec<String>>(""), Ok(vec![]));
        assert_eq!(read::<BTreeMap<String, u8>>(r#"{"a":1}"#), Ok([("a".into(), 1)].into()));
        assert_eq!(read::<Value>("1e3"), Ok(json!(1e3)));
        assert_eq!(read::<Value>("edge"), Ok(json!("edge")));
        assert!(read::<f64>("NaN").unwrap().is_nan());
    }

    #[test]
    fn a_text_that_is_not_of_the_type_says_what_it_must_be() {
        assert_eq!(read::<u8>("300").unwrap_err(), "\"300\" is not a whole number from 0 to 255");
        assert_eq!(read::<i64>("").unwrap_err(), "is empty, and must be a whole number");
        assert_eq!(read::<bool>("yes").unwrap_err(), "\"yes\" is not `true` or `false`");
        assert!(read::<Vec<u8>>("1;2").unwrap_err().starts_with("is not the JSON that it must be"));
    }
}
