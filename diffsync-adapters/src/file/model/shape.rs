//! The shape of a type's values, found by observing which `deserialize_*` method the type calls.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// The shape of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// Whether a value may be absent.
    pub(crate) is_optional: bool,
}

/// How a value is written in a text-only format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its text: a name, an address, a date.
    Text,
    /// The name of a variant, or, if that holds something, JSON.
    Variant,
    /// A number or a boolean.
    Plain,
    /// JSON: a list, a map, or a value that can be anything.
    Json,
}

impl Shape {
    /// The shape of a type's values.
    pub(crate) fn of<T: DeserializeOwned>() -> Self {
        let mut shape = Self { kind: Kind::Json, is_optional: false };
        // We only want to see which `deserialize_*` method `T` calls; the probe always fails.
        drop(T::deserialize(Question(&mut shape)));
        shape
    }
}

/// A deserializer that records which method is called, and always fails.
struct Question<'a>(&'a mut Shape);

impl Question<'_> {
    fn is(self, kind: Kind) -> ProbeError {
        self.0.kind = kind;
        ProbeError
    }
}

/// The error instead of a value.
#[derive(Debug)]
struct ProbeError;

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a probe has no value")
    }
}

impl std::error::Error for ProbeError {}

impl Error for ProbeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! is {
    ($kind:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ProbeError> {
            Err(self.is(Kind::$kind))
        }
    )*};
}

impl<'de> Deserializer<'de> for Question<'_> {
    type Error = ProbeError;

    is!(Json: deserialize_any);
    is!(Text: deserialize_char deserialize_str deserialize_string);
    is!(Plain: deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64);

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.0.is_optional = true;
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ProbeError> {
        Err(self.is(Kind::Variant))
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    use diffsync_core::value::Secret;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its type is looked at")]
    enum Status {
        Active,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its type is looked at")]
    struct Name(String);

    #[test]
    fn a_type_says_what_its_values_look_like() {
        fn check<T: DeserializeOwned>(kind: Kind, is_optional: bool) {
            assert_eq!(Shape::of::<T>(), Shape { kind, is_optional }, "{}", std::any::type_name::<T>());
        }
        check::<String>(Kind::Text, false);
        check::<Name>(Kind::Text, false);
        check::<Option<IpAddr>>(Kind::Text, true);
        check::<Secret<Option<String>>>(Kind::Text, true);
        check::<Status>(Kind::Variant, false);
        check::<u8>(Kind::Plain, false);
        check::<Option<bool>>(Kind::Plain, true);
        check::<Vec<String>>(Kind::Json, false);
        check::<BTreeMap<String, u8>>(Kind::Json, false);
        check::<serde_json::Value>(Kind::Json, false);
    }
}
