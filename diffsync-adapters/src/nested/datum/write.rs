//! Writing a value as a [`Datum`].

use std::collections::HashSet;
use std::fmt::Display;

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error;

use super::Datum;

/// Makes a datum of a value.
pub(super) struct Writer;

/// A number with a fraction, in as few digits as tell it from all others of its type: an `f32` of 0.1 is 0.1.
fn float(number: impl Into<f64> + std::fmt::Debug + Copy) -> Datum {
    let value: f64 = number.into();
    Datum::Number(if value.is_nan() { "nan".into() } else { format!("{number:?}") })
}

macro_rules! whole {
    ($($method:ident $ty:ty)*) => {$(
        fn $method(self, value: $ty) -> Result<Datum, Error> {
            Ok(Datum::Number(value.to_string()))
        }
    )*};
}

impl Serializer for Writer {
    type Ok = Datum;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    whole! {
        serialize_i8 i8
        serialize_i16 i16
        serialize_i32 i32
        serialize_i64 i64
        serialize_i128 i128
        serialize_u8 u8
        serialize_u16 u16
        serialize_u32 u32
        serialize_u64 u64
        serialize_u128 u128
    }

    fn serialize_bool(self, value: bool) -> Result<Datum, Error> {
        Ok(Datum::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Datum, Error> {
        Ok(float(value))
    }

    fn serialize_f64(self, value: f64) -> Result<Datum, Error> {
        Ok(float(value))
    }

    fn serialize_char(self, value: char) -> Result<Datum, Error> {
        Ok(Datum::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Datum, Error> {
        Ok(Datum::Text(value.into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Datum, Error> {
        Ok(Datum::List(value.iter().map(|byte| Datum::Number(byte.to_string())).collect()))
    }

    fn serialize_none(self) -> Result<Datum, Error> {
        Ok(Datum::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Datum, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Datum, Error> {
        Ok(Datum::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Datum, Error> {
        Ok(Datum::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Datum, Error> {
        Ok(Datum::Text(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Datum, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Datum, Error> {
        Ok(Datum::Map(vec![(variant.into(), value.serialize(self)?)]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, Error> {
        Ok(Items { items: Vec::new(), variant: None })
    }

    fn serialize_tuple(self, _: usize) -> Result<Items, Error> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items, Error> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Items, Error> {
        Ok(Items { items: Vec::new(), variant: Some(variant) })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Error> {
        Ok(Entries { all: Vec::new(), key: None, variant: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, Error> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries, Error> {
        Ok(Entries { all: Vec::new(), key: None, variant: Some(variant) })
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Datum, Error> {
        Ok(Datum::Text(value.to_string()))
    }
}

fn in_variant(variant: Option<&'static str>, value: Datum) -> Datum {
    match variant {
        Some(variant) => Datum::Map(vec![(variant.into(), value)]),
        None => value,
    }
}

/// A list on its way.
pub(super) struct Items {
    items: Vec<Datum>,
    variant: Option<&'static str>,
}

macro_rules! items {
    ($($of:ident $method:ident)*) => {$(
        impl $of for Items {
            type Ok = Datum;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.items.push(value.serialize(Writer)?);
                Ok(())
            }

            fn end(self) -> Result<Datum, Error> {
                Ok(in_variant(self.variant, Datum::List(self.items)))
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// A map on its way.
pub(super) struct Entries {
    all: Vec<(String, Datum)>,
    key: Option<String>,
    variant: Option<&'static str>,
}

impl SerializeMap for Entries {
    type Ok = Datum;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(key.serialize(Key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error::custom("a value without its key"))?;
        self.all.push((key, value.serialize(Writer)?));
        Ok(())
    }

    fn end(self) -> Result<Datum, Error> {
        // Keys of two types may have one text, and a file would hold only one of the entries.
        let mut keys = HashSet::with_capacity(self.all.len());
        if let Some((key, _)) = self.all.iter().find(|(key, _)| !keys.insert(key.as_str())) {
            return Err(Error::custom(format!("the key `{key}` appears twice")));
        }
        Ok(in_variant(self.variant, Datum::Map(self.all)))
    }
}

macro_rules! fields {
    ($($of:ident)*) => {$(
        impl $of for Entries {
            type Ok = Datum;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.all.push((key.into(), value.serialize(Writer)?));
                Ok(())
            }

            fn end(self) -> Result<Datum, Error> {
                Ok(in_variant(self.variant, Datum::Map(self.all)))
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

/// Makes a text of a key.
struct Key;

fn no_key<T>() -> Result<T, Error> {
    Err(Error::custom("a key of a map must be a text, a number or a boolean"))
}

macro_rules! keys {
    ($($method:ident $ty:ty)*) => {$(
        fn $method(self, value: $ty) -> Result<String, Error> {
            Ok(value.to_string())
        }
    )*};
}

impl Serializer for Key {
    type Ok = String;
    type Error = Error;
    type SerializeSeq = Impossible<String, Error>;
    type SerializeTuple = Impossible<String, Error>;
    type SerializeTupleStruct = Impossible<String, Error>;
    type SerializeTupleVariant = Impossible<String, Error>;
    type SerializeMap = Impossible<String, Error>;
    type SerializeStruct = Impossible<String, Error>;
    type SerializeStructVariant = Impossible<String, Error>;

    keys! {
        serialize_bool bool
        serialize_i8 i8
        serialize_i16 i16
        serialize_i32 i32
        serialize_i64 i64
        serialize_i128 i128
        serialize_u8 u8
        serialize_u16 u16
        serialize_u32 u32
        serialize_u64 u64
        serialize_u128 u128
        serialize_f32 f32
        serialize_f64 f64
        serialize_char char
        serialize_str &str
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, Error> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<String, Error> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<String, Error> {
        value.serialize(self)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<String, Error> {
        Ok(value.to_string())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<String, Error> {
        no_key()
    }

    fn serialize_none(self) -> Result<String, Error> {
        no_key()
    }

    fn serialize_unit(self) -> Result<String, Error> {
        no_key()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<String, Error> {
        no_key()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, Error> {
        no_key()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        no_key()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        no_key()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        no_key()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        no_key()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        no_key()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        no_key()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        no_key()
    }
}
