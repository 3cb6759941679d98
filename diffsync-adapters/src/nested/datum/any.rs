//! A [`Datum`] of what any format gives, and back.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error, Serialize, Serializer};

use super::{Datum, write};

impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

macro_rules! scalars {
    ($($method:ident $ty:ty)*) => {$(
        fn $method<E: serde::de::Error>(self, value: $ty) -> Result<Datum, E> {
            value.serialize(write::Writer).map_err(E::custom)
        }
    )*};
}

impl<'de> Visitor<'de> for Any {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    scalars! {
        visit_bool bool
        visit_i8 i8
        visit_i16 i16
        visit_i32 i32
        visit_i64 i64
        visit_i128 i128
        visit_u8 u8
        visit_u16 u16
        visit_u32 u32
        visit_u64 u64
        visit_u128 u128
        visit_f32 f32
        visit_f64 f64
        visit_str &str
        visit_bytes &[u8]
    }

    fn visit_unit<E>(self) -> Result<Datum, E> {
        Ok(Datum::Null)
    }

    fn visit_none<E>(self) -> Result<Datum, E> {
        Ok(Datum::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        Datum::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        Datum::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Datum, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Datum::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Datum, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry()? {
            // A key may be a number.
            let (Datum::Text(key) | Datum::Number(key) | Datum::Plain(key)) = key else {
                return Err(serde::de::Error::custom("a key must be a text or a number"));
            };
            entries.push((key, value));
        }

        Ok(Datum::Map(entries))
    }
}

impl Serialize for Datum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(text) | Self::Plain(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
            Self::Number(number) => match (number.parse(), number.parse(), number.parse()) {
                (Ok(number), ..) => serializer.serialize_i64(number),
                (_, Ok(number), _) => serializer.serialize_u64(number),
                // A whole number that is too large would become another one.
                (.., Ok(float)) if number.contains(['.', 'e', 'E', 'n']) => serializer.serialize_f64(float),
                _ => Err(S::Error::custom(format!("{number} is too large"))),
            },
        }
    }
}
