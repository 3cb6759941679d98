//! How values are written in YAML.

use crate::file::model::schema::Column;
use crate::nested::datum::Datum;

/// Records as items of a list.
pub(crate) fn items(columns: &[Column], records: &[Vec<Datum>], indent: &str, line_break: &str) -> String {
    let mut text = String::new();
    for record in records {
        for (position, (column, value)) in columns.iter().zip(record).enumerate() {
            text.push_str(indent);
            text.push_str(if position == 0 { "- " } else { "  " });
            text.push_str(&entry(column.name, value));
            text.push_str(line_break);
        }
    }

    text
}

pub(crate) fn entry(key: &str, value: &Datum) -> String {
    format!("{}: {}", key_text(key), value_text(value, false))
}

pub(crate) fn key_text(key: &str) -> String {
    value_text(&Datum::Text(key.to_owned()), false)
}

/// A value on one line: plain if it can be, else as JSON, which is YAML as well.
pub(crate) fn value_text(value: &Datum, in_braces: bool) -> String {
    if let Datum::Text(text) = value
        && !in_braces
        && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.' | '/' | ':'))
        && let Ok(text) = serde_saphyr::to_string(text)
        && !text.trim_end_matches('\n').contains('\n')
    {
        return text.trim_end_matches('\n').to_owned();
    }

    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(text: &mut String, value: &Datum) {
    match value {
        Datum::Null => text.push_str("null"),
        Datum::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Datum::Number(number) => text.push_str(match number.as_str() {
            "inf" => ".inf",
            "-inf" => "-.inf",
            "nan" => ".nan",
            number => number,
        }),
        Datum::Text(value) | Datum::Plain(value) => push_text(text, value),
        Datum::List(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                push(text, item);
            }
            text.push(']');
        }
        Datum::Map(entries) => {
            text.push('{');
            for (position, (key, value)) in entries.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                push_text(text, key);
                text.push(':');
                push(text, value);
            }
            text.push('}');
        }
    }
}

fn push_text(text: &mut String, value: &str) {
    for letter in serde_json::Value::from(value).to_string().chars() {
        match letter {
            // Characters that are line breaks in YAML, or not allowed.
            '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.extend(format!("\\u{:04x}", u32::from(letter)).chars());
            }
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::formats::yaml::document::{Document, datum};

    #[test]
    fn a_text_on_one_line_is_read_as_it_is() {
        let traps = [
            "a\u{0}b",
            "\u{1b}[0m",
            "a\r\nb",
            "\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "\u{7f}",
            "a: b",
            "- a",
            "no",
            "~",
            "1e3",
            "",
            " a",
            "a ",
            "/",
            ":",
            "a:",
            "\t",
            "\u{301}",
            "'",
            "\"",
            "\\",
            "2026-01-01",
            "0x10",
            "12:30:00",
            "-",
            "---",
            ".",
            "...",
            "a #b",
            "\u{e9}",
            "010",
            "1_000",
            "<<",
            "=",
            "null",
            "true",
            ".inf",
            "0o7",
            "-0",
        ];
        for trap in traps {
            for in_braces in [false, true] {
                let text = value_text(&Datum::Text(trap.into()), in_braces);
                let item =
                    if in_braces { format!("- {{a: {text}, b: 1}}\n") } else { format!("- a: {text}\n  b: 1\n") };
                let document = Document::read(&item).unwrap_or_else(|error| panic!("{error}: {item}"));
                let found = datum(document.root.as_ref().unwrap(), &document.targets());
                let Datum::List(items) = found else { panic!("{item}") };
                // For a text and for what can be anything it is this text.
                let found = items[0].get("a").unwrap().clone();
                let read = <serde_json::Value as serde::Deserialize>::deserialize(found).unwrap();
                assert_eq!(read, serde_json::Value::from(trap), "{item}");
            }
        }
    }
}
