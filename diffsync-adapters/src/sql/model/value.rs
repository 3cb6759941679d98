//! Values of columns, and the types of fields that can be kept in one.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use diffsync_core::value::Secret;
use uuid::Uuid;

/// A value of a column.
#[derive(Clone, PartialEq)]
#[allow(missing_debug_implementations, reason = "it may be a secret")]
pub enum Value<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is too large for the former.
    Unsigned(u64),
    /// A number with a fraction.
    Float(f64),
    /// A text, also of what is no text in Rust but written as one.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
}

impl Value<'_> {
    /// The value without what it borrows.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Unsigned(value) => Value::Unsigned(value),
            Self::Float(value) => Value::Float(value),
            Self::Text(value) => Value::Text(value.into_owned().into()),
            Self::Bytes(value) => Value::Bytes(value.into_owned().into()),
        }
    }

    /// The value in a message.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => format!("{value:?}"),
            Self::Bytes(value) => format!("{} bytes", value.len()),
        }
    }

    /// The kind of value in a message.
    fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Unsigned(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
        }
    }

    /// The message for a value of the wrong type, with the column as its subject: `is a text, where a boolean is expected`.
    #[must_use]
    pub fn type_mismatch(&self, expected: &str) -> String {
        match self {
            Self::Null => "is null, and the field is no `Option`".into(),
            _ => format!("is {}, where {expected} is expected", self.noun()),
        }
    }
}

/// The kind of a column's value. It decides how the column is read, and with which type it is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// True or false.
    Bool,
    /// A whole number of up to 16 bits.
    Int16,
    /// A whole number of up to 32 bits.
    Int32,
    /// A whole number of up to 64 bits.
    Int64,
    /// An unsigned whole number of 64 bits.
    Unsigned64,
    /// A 32-bit floating-point number.
    Float32,
    /// A 64-bit floating-point number.
    Float64,
    /// A text, or any type that the database converts to and from text, such as a date or an address.
    Text,
    /// Bytes.
    Bytes,
    /// A JSON document, as a text.
    Json,
    /// A UUID, as a text.
    Uuid,
}

impl ValueKind {
    /// The kind in a message.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Int16 | Self::Int32 | Self::Int64 | Self::Unsigned64 => "a whole number",
            Self::Float32 | Self::Float64 => "a number",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Json => "JSON",
            Self::Uuid => "a UUID",
        }
    }

    pub(crate) fn is_int(self) -> bool {
        matches!(self, Self::Int16 | Self::Int32 | Self::Int64 | Self::Unsigned64)
    }
}

/// A text, or the whole number in it if one is expected: the database may hold it as a decimal.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn whole_or_text(text: &str, kind: ValueKind) -> Result<Value<'_>, String> {
    if !kind.is_int() {
        return Ok(Value::Text(text.into()));
    }
    let large = || text.parse().map(Value::Unsigned);
    let whole = text.parse().map(Value::Int).or_else(|_| large());
    whole.map_err(|_| format!("is {text}, which is no whole number of 64 bits"))
}

/// A type whose values a column can hold. Implement it for newtypes and enums of your own.
///
/// ```
/// use diffsync_adapters::sql::{SqlType, Value, ValueKind};
///
/// #[derive(Clone, PartialEq)]
/// enum Status {
///     Active,
///     Retired,
/// }
///
/// impl SqlType for Status {
///     const KIND: ValueKind = ValueKind::Text;
///
///     fn to_sql(&self) -> Value<'_> {
///         Value::Text(match self { Self::Active => "active", Self::Retired => "retired" }.into())
///     }
///
///     fn from_sql(value: Value<'_>) -> Result<Self, String> {
///         match value {
///             Value::Text(text) if text == "active" => Ok(Self::Active),
///             Value::Text(text) if text == "retired" => Ok(Self::Retired),
///             other => Err(other.type_mismatch("`active` or `retired`")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a column cannot hold a `{Self}` as it is",
    label = "how is it stored?",
    note = "write `#[sql(as = json)]` above the field for anything with serde's two traits, `#[sql(as = text)]` for what has \
            `Display` and `FromStr`, or implement `diffsync_adapters::sql::SqlType` for it"
)]
pub trait SqlType: Sized {
    /// The kind of value in the column.
    const KIND: ValueKind;
    /// Whether the column may hold null.
    #[doc(hidden)]
    const NULLABLE: bool = false;
    /// Whether the value is never shown.
    #[doc(hidden)]
    const SECRET: bool = false;

    /// The value to store in the column.
    fn to_sql(&self) -> Value<'_>;

    /// The field's value from that of the column, or what is wrong with it: a sentence with the column as its subject.
    fn from_sql(value: Value<'_>) -> Result<Self, String>;
}

impl SqlType for bool {
    const KIND: ValueKind = ValueKind::Bool;

    fn to_sql(&self) -> Value<'_> {
        Value::Bool(*self)
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Bool(value) => Ok(value),
            Value::Int(value @ (0 | 1)) => Ok(value == 1),
            other => Err(other.type_mismatch("a boolean")),
        }
    }
}

/// A whole number of up to 64 bits.
fn whole<T: TryInto<i64> + TryInto<u64> + Copy>(value: T) -> Value<'static> {
    let large = || value.try_into().map_or(Value::Null, Value::Unsigned);
    value.try_into().map_or_else(|_| large(), Value::Int)
}

macro_rules! integers {
    ($($ty:ty => $kind:ident,)*) => {$(
        impl SqlType for $ty {
            const KIND: ValueKind = ValueKind::$kind;

            fn to_sql(&self) -> Value<'_> {
                whole(*self)
            }

            fn from_sql(value: Value<'_>) -> Result<Self, String> {
                let too_large = |value: &dyn std::fmt::Display| {
                    format!("is {value}, which does not fit into `{}`", stringify!($ty))
                };
                match value {
                    Value::Int(value) => Self::try_from(value).map_err(|_| too_large(&value)),
                    Value::Unsigned(value) => Self::try_from(value).map_err(|_| too_large(&value)),
                    other => Err(other.type_mismatch("a whole number")),
                }
            }
        }
    )*};
}

integers! {
    i8 => Int16,
    i16 => Int16,
    i32 => Int32,
    i64 => Int64,
    isize => Int64,
    u8 => Int16,
    u16 => Int32,
    u32 => Int64,
    u64 => Unsigned64,
    usize => Unsigned64,
}

impl SqlType for f64 {
    const KIND: ValueKind = ValueKind::Float64;

    fn to_sql(&self) -> Value<'_> {
        Value::Float(*self)
    }

    #[allow(clippy::cast_precision_loss, reason = "a column of numbers may hold a whole one")]
    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Float(value) => Ok(value),
            Value::Int(value) => Ok(value as Self),
            Value::Unsigned(value) => Ok(value as Self),
            other => Err(other.type_mismatch("a number")),
        }
    }
}

impl SqlType for f32 {
    const KIND: ValueKind = ValueKind::Float32;

    fn to_sql(&self) -> Value<'_> {
        Value::Float((*self).into())
    }

    #[allow(clippy::cast_possible_truncation, reason = "the value was written with this precision")]
    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        f64::from_sql(value).map(|value| value as Self)
    }
}

impl SqlType for String {
    const KIND: ValueKind = ValueKind::Text;

    fn to_sql(&self) -> Value<'_> {
        Value::Text(self.as_str().into())
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text.into_owned()),
            other => Err(other.type_mismatch("a text")),
        }
    }
}

impl SqlType for Vec<u8> {
    const KIND: ValueKind = ValueKind::Bytes;

    fn to_sql(&self) -> Value<'_> {
        Value::Bytes(self.as_slice().into())
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.into_owned()),
            other => Err(other.type_mismatch("bytes")),
        }
    }
}

impl SqlType for Uuid {
    const KIND: ValueKind = ValueKind::Uuid;

    fn to_sql(&self) -> Value<'_> {
        Value::Text(self.to_string().into())
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Text(text) => Self::parse_str(&text).map_err(|_| format!("is {text:?}, which is no UUID")),
            other => Err(other.type_mismatch("a UUID")),
        }
    }
}

impl SqlType for serde_json::Value {
    const KIND: ValueKind = ValueKind::Json;

    fn to_sql(&self) -> Value<'_> {
        Value::Text(self.to_string().into())
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Text(text) => serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}")),
            other => Err(other.type_mismatch("JSON")),
        }
    }
}

macro_rules! addresses {
    ($($ty:ty)*) => {$(
        impl SqlType for $ty {
            const KIND: ValueKind = ValueKind::Text;

            fn to_sql(&self) -> Value<'_> {
                Value::Text(self.to_string().into())
            }

            fn from_sql(value: Value<'_>) -> Result<Self, String> {
                match value {
                    Value::Text(text) => {
                        // How PostgreSQL writes the address of one host.
                        let length = if text.contains(':') { "/128" } else { "/32" };
                        let host = text.strip_suffix(length).unwrap_or(&text);
                        host.parse().map_err(|_| format!("is {text:?}, which is no address"))
                    }
                    other => Err(other.type_mismatch("an address")),
                }
            }
        }
    )*};
}

addresses! { IpAddr Ipv4Addr Ipv6Addr }

impl<T: SqlType> SqlType for Option<T> {
    const KIND: ValueKind = T::KIND;
    const NULLABLE: bool = true;
    const SECRET: bool = T::SECRET;

    fn to_sql(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_sql)
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        if value == Value::Null { Ok(None) } else { T::from_sql(value).map(Some) }
    }
}

impl<T: SqlType> SqlType for Secret<T> {
    const KIND: ValueKind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;
    const SECRET: bool = true;

    fn to_sql(&self) -> Value<'_> {
        self.expose().to_sql()
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        // The inner error would quote the value that it did not expect.
        T::from_sql(value).map(Self::new).map_err(|_| "holds a secret that is not of the type it must be".into())
    }
}
