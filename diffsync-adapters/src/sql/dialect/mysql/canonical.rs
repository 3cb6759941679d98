//! The forms in which `MySQL` keeps values of its types, so that a value that is looked for is known in the row that has it.

use std::fmt::Write;
use std::net::IpAddr;

use uuid::Uuid;

use crate::sql::model::value::Value;

/// Whether a column of this type holds bytes.
pub(crate) fn is_bytes(ty: &str) -> bool {
    matches!(ty, "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob")
}

/// How a column of this type is selected as a text.
pub(crate) fn shown(column: &str, ty: &str) -> String {
    match ty {
        ty if is_bytes(ty) => format!("HEX({column})"),
        "bit" => format!("CAST(CAST({column} AS UNSIGNED) AS CHAR)"),
        _ => format!("CAST({column} AS CHAR)"),
    }
}

/// A value, or what was selected of a column of this type, in the one form that equal values have.
pub(crate) fn of(ty: &str, value: &Value<'_>) -> String {
    let text = match value {
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Text(text) => text.to_string(),
        Value::Bytes(bytes) => {
            let mut hex = String::with_capacity(bytes.len() * 2);
            for byte in &**bytes {
                let _ = write!(hex, "{byte:02X}");
            }
            hex
        }
        other => other.shown(),
    };

    match ty {
        "decimal" => decimal(&text),
        "float" | "double" => text.parse::<f64>().map_or(text, |number| number.to_string()),
        "date" | "datetime" | "timestamp" | "time" => moment(&text),
        "uuid" => Uuid::parse_str(&text).map_or(text, |uuid| uuid.to_string()),
        "inet4" | "inet6" => text.parse::<IpAddr>().map_or(text, |address| address.to_canonical().to_string()),
        _ => text,
    }
}

/// `012.50` as `12.5`.
fn decimal(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_digit() || digit == '.') {
        return text.to_owned();
    }

    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };

    format!("{sign}{whole}{point}{fraction}")
}

/// `2026-01-05T10:00` as `2026-01-05 10:00:00`, without a fraction of zeros, and midnight as its day.
fn moment(text: &str) -> String {
    let mut moment = text.trim().replacen(['T', 't'], " ", 1);
    if moment.contains('.') {
        moment.truncate(moment.trim_end_matches('0').trim_end_matches('.').len());
    }
    if moment.matches(':').count() == 1 {
        moment.push_str(":00");
    }
    moment.strip_suffix(" 00:00:00").map_or(moment.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_form() {
        for (ty, one, other, same) in [
            ("decimal", "012.50", "12.5", true),
            ("decimal", "-0.00", "0", true),
            ("decimal", "12.5", "12.05", false),
            ("decimal", "abc", "0", false),
            ("date", "2026-01-05", "2026-01-05T00:00:00", true),
            ("datetime", "2026-01-05 10:00:00.500000", "2026-01-05T10:00:00.5", true),
            ("time", "10:00", "10:00:00", true),
            ("time", "10:00", "10:00:01", false),
            ("uuid", "0B6A7E3C-9E0D-4B36-8C63-3B1E1E0A9F11", "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11", true),
            ("inet6", "2001:DB8:0:0::1", "2001:db8::1", true),
            ("varchar", "10:00", "10:00:00", false),
            ("int", "1", "1abc", false),
        ] {
            let of = |text: &str| of(ty, &Value::Text(text.to_owned().into()));
            assert_eq!(of(one) == of(other), same, "{ty} {one} {other}");
        }
        assert_eq!(of("binary", &Value::Bytes(vec![0, 255].into())), of("binary", &Value::Text("00FF".into())));
    }
}
