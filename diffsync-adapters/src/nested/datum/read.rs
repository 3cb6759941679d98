//! Reading a [`Datum`] as a value of a type.

use std::str::FromStr;

use serde::de::value::{MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::Datum;

/// Whether a plain scalar is null in YAML's core schema.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The boolean that a plain scalar is.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// The number that a plain scalar is by YAML's core schema, as JSON writes it: `010` is 10.
pub(super) fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text),
    };

    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((radix, digits)) =
        text.strip_prefix("0x").map(|digits| (16, digits)).or_else(|| text.strip_prefix("0o").map(|digits| (8, digits)))
    {
        let is_plain = digits.chars().all(|digit| digit.is_digit(radix));
        return u128::from_str_radix(digits, radix).ok().filter(|_| is_plain).map(|number| number.to_string());
    }

    match digits {
        ".inf" | ".Inf" | ".INF" => return Some(format!("{sign}inf")),
        ".nan" | ".NaN" | ".NAN" if digits == text => return Some("nan".to_owned()),
        _ => {}
    }

    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };

    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };

    let is_number = match (whole, fraction) {
        ("", Some(fraction)) => is_digits(fraction),
        (whole, fraction) => {
            is_digits(whole) && fraction.is_none_or(|fraction| fraction.is_empty() || is_digits(fraction))
        }
    };

    let is_exponent = |text: &str| is_digits(text.strip_prefix(['-', '+']).unwrap_or(text));
    if !is_number || !exponent.is_none_or(is_exponent) {
        return None;
    }

    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = match fraction {
        Some("") => ".0".to_owned(),
        Some(fraction) => format!(".{fraction}"),
        None => String::new(),
    };
    let exponent = exponent.map(|exponent| format!("e{exponent}")).unwrap_or_default();

    Some(format!("{sign}{whole}{fraction}{exponent}"))
}

fn cannot_hold(number: &str) -> Error {
    Error::custom(format!("{number} is a number that the field's type cannot hold"))
}

/// A number with a fraction. Digits that round away are those of any decimal fraction; a number that is too large is not one.
fn float<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, Error> {
    let parsed = match text {
        "nan" | "inf" | "-inf" => text.parse().ok(),
        _ => text.parse().ok().filter(|number: &T| (*number).into().is_finite()),
    };
    parsed.ok_or_else(|| cannot_hold(text))
}

fn visit_number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    if let Ok(number) = text.parse() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = text.parse() {
        return visitor.visit_i64(number);
    }
    if text.contains(['.', 'e', 'E']) {
        return visitor.visit_f64(float(text)?);
    }

    if matches!(text, "inf" | "-inf" | "nan") {
        // A free value would become null.
        return Err(cannot_hold(text));
    }

    Err(Error::custom(format!("{text} is a whole number beyond 64 bits, which the field's type cannot hold")))
}

impl Datum {
    /// The number at this position, if there is one.
    fn as_number(&self) -> Option<String> {
        match self {
            Self::Number(text) => Some(text.clone()),
            Self::Plain(text) => number(text),
            _ => None,
        }
    }

    /// The error of a value that a type does not accept.
    #[allow(clippy::needless_pass_by_value, reason = "it ends the call with which the visitor was handed over")]
    fn unexpected<'de, V: Visitor<'de>>(self, visitor: V) -> Error {
        match &self {
            Self::Null => Error::invalid_type(Unexpected::Other("null"), &visitor),
            Self::Bool(value) => Error::invalid_type(Unexpected::Bool(*value), &visitor),
            Self::Number(text) => Error::invalid_type(Unexpected::Other(&format!("number `{text}`")), &visitor),
            Self::Plain(text) if is_null(text) => Error::invalid_type(Unexpected::Other("null"), &visitor),
            Self::Text(text) | Self::Plain(text) => Error::invalid_type(Unexpected::Str(text), &visitor),
            Self::List(_) => Error::invalid_type(Unexpected::Seq, &visitor),
            Self::Map(_) => Error::invalid_type(Unexpected::Map, &visitor),
        }
    }

    fn whole<'de, T, V>(
        self,
        visitor: V,
        visit: fn(V, T) -> Result<V::Value, Error>,
        what: &str,
    ) -> Result<V::Value, Error>
    where
        T: FromStr,
        V: Visitor<'de>,
    {
        match self.as_number().and_then(|text| text.parse().ok()) {
            Some(number) => visit(visitor, number),
            None => Err(self.is_not(what)),
        }
    }

    /// The error of a value that is not what the type expects, in the same words as for cells of CSV.
    fn is_not(&self, what: &str) -> Error {
        Error::custom(match self {
            // A text that looks like the expected value.
            Self::Text(text) if number(text).is_some() || boolean(text).is_some() => {
                format!("{text:?} is a text, and must be {what}, without quotation marks")
            }
            Self::Text(text) | Self::Plain(text) | Self::Number(text) => format!("{text:?} is not {what}"),
            Self::Bool(value) => format!("`{value}` is not {what}"),
            Self::Null => format!("null is not {what}"),
            Self::List(_) => format!("a list is not {what}"),
            Self::Map(_) => format!("a map is not {what}"),
        })
    }
}

macro_rules! whole {
    ($($method:ident $visit:ident $what:literal)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.whole(visitor, V::$visit, $what)
        }
    )*};
}

macro_rules! text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Text(text) => visitor.visit_string(text),
                Self::Plain(text) if !is_null(&text) => visitor.visit_string(text),
                other => Err(other.unexpected(visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Datum {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(text) => visit_number(&text, visitor),
            Self::Text(text) => visitor.visit_string(text),
            Self::Plain(text) => match (is_null(&text), boolean(&text), number(&text)) {
                (true, ..) => visitor.visit_unit(),
                (_, Some(value), _) => visitor.visit_bool(value),
                (.., Some(number)) => visit_number(&number, visitor),
                _ => visitor.visit_string(text),
            },
            Self::List(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Self::Map(entries) => {
                let mut entries = MapDeserializer::new(entries.into_iter().map(|(key, value)| (Key(key), value)));
                let value = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self {
            Self::Bool(value) => visitor.visit_bool(*value),
            Self::Plain(text) => match boolean(text) {
                Some(value) => visitor.visit_bool(value),
                None => Err(self.is_not("`true` or `false`")),
            },
            _ => Err(self.is_not("`true` or `false`")),
        }
    }

    whole! {
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
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.as_number() {
            Some(text) => visitor.visit_f32(float(&text)?),
            None => Err(self.is_not("a number")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.as_number() {
            Some(text) => visitor.visit_f64(float(&text)?),
            None => Err(self.is_not("a number")),
        }
    }

    text! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(name) | Self::Plain(name) => visitor.visit_enum(Variant { name, value: None }),
            Self::Map(entries) if entries.len() == 1 => match entries.into_iter().next() {
                Some((name, value)) => visitor.visit_enum(Variant { name, value: Some(value) }),
                None => Err(Error::custom("there is no variant")),
            },
            Self::Map(_) => Err(Error::invalid_value(Unexpected::Map, &"a map with one key, the variant's name")),
            other => Err(other.unexpected(visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { bytes byte_buf unit unit_struct seq tuple tuple_struct map struct }
}

impl IntoDeserializer<'_, Error> for Datum {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A variant of an enum and what it holds.
struct Variant {
    name: String,
    value: Option<Datum>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Held;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Held), Error> {
        let name: StringDeserializer<Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Held(self.value)))
    }
}

struct Held(Option<Datum>);

impl Held {
    fn value(self) -> Result<Datum, Error> {
        self.0.ok_or_else(|| Error::invalid_type(Unexpected::UnitVariant, &"a variant that holds something"))
    }
}

impl<'de> VariantAccess<'de> for Held {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), serde::Deserialize::deserialize)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.value()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.value()?.deserialize_any(visitor)
    }
}

/// A key of a map, which is a text that a type may read as something else.
struct Key(String);

macro_rules! key {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            // `01` would be one entry with `1`.
            let digits = self.0.trim_start_matches('-');
            let is_plain = digits.as_bytes().first().is_some_and(u8::is_ascii_digit) && (digits.len() == 1 || !digits.starts_with('0') || digits.starts_with("0."));
            match self.0.parse() {
                Ok(value) if is_plain => visitor.$visit(value),
                _ => Err(Error::invalid_type(Unexpected::Str(&self.0), &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.parse() {
            Ok(value) => visitor.visit_bool(value),
            Err(_) => Err(Error::invalid_type(Unexpected::Str(&self.0), &visitor)),
        }
    }

    key! {
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant { name: self.0, value: None })
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Key {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
