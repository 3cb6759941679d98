//! The conversion of values by the type affinity of a column.

use crate::sql::model::value::Value;

/// How a column converts values, which follows from words in its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Integer,
    Text,
    Real,
    Numeric,
    None,
}

impl Affinity {
    /// The affinity of a type, by the rules of `SQLite` in their order.
    pub(crate) fn of(ty: &str) -> Self {
        let ty = ty.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| ty.contains(word));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if ty.is_empty() || has(&["BLOB"]) {
            Self::None
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// Whether a column holds a value as it is given, so that it is read again as the same.
    pub(crate) fn stores_exactly(self, value: &Value<'_>) -> bool {
        match (value, self) {
            (Value::Null | Value::Bytes(_), _) | (_, Self::None) => true,
            (Value::Bool(_) | Value::Int(_) | Value::Unsigned(_), _) => matches!(self, Self::Integer | Self::Numeric),
            // A whole one may be stored as an integer, and is read as the same number.
            (Value::Float(_), _) => self != Self::Text,
            // A text that looks like a number becomes one.
            (Value::Text(text), _) => self == Self::Text || text.trim().parse::<f64>().is_err(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_keeps_as_it_is_given_is_said_by_its_type() {
        let text = |text: &'static str| Value::Text(text.into());
        for (ty, value, keeps) in [
            ("VARCHAR(20)", text("007"), true),
            ("BIGINT", Value::Int(7), true),
            ("TEXT", Value::Int(7), false),
            ("DOUBLE PRECISION", Value::Int(7), false),
            ("DOUBLE PRECISION", Value::Float(2.0), true),
            ("DATETIME", text("2024-01-01 10:00:00"), true),
            ("DATETIME", text("2024"), false),
            ("DECIMAL(10, 2)", text(" 1.50"), false),
            ("DECIMAL(10, 2)", Value::Float(1.5), true),
            ("", text("1.50"), true),
            ("BLOB", Value::Bytes(vec![1].into()), true),
            ("TEXT", Value::Null, true),
        ] {
            assert_eq!(Affinity::of(ty).stores_exactly(&value), keeps, "{ty} {}", value.shown());
        }
    }
}
