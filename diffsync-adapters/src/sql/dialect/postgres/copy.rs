//! Rows in the format of `COPY`.

use std::fmt::Write;

use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;

use super::{STATEMENT_LIMITS, text};
use crate::sql::dialect::RowBatch;
use crate::sql::model::value::Value;

/// How many bytes of rows are sent at a time, so that the server reads while more are written.
const PIECE: usize = 1 << 16;

/// Copies rows into columns of a table, each after the key that it is given, and returns how many the table took.
pub(crate) async fn copied(
    connection: &mut PgConnection,
    into: &str,
    rows: &RowBatch<'_>,
    keys: Option<&[Value<'static>]>,
) -> Result<u64, sqlx::Error> {
    for row in rows.rows() {
        STATEMENT_LIMITS.row_bytes(row)?;
    }

    let mut copying = connection.copy_in_raw(&format!("COPY {into} FROM STDIN")).await?;
    match send(&mut copying, rows, keys).await {
        Ok(()) => copying.finish().await,
        // The server reports the reason when the copy is finished.
        Err(error) => copying.finish().await.and(Err(error)),
    }
}

/// Sends the rows in the format of `COPY`.
async fn send(
    copy: &mut PgCopyIn<&mut PgConnection>,
    rows: &RowBatch<'_>,
    keys: Option<&[Value<'static>]>,
) -> Result<(), sqlx::Error> {
    let mut out = String::with_capacity(PIECE + PIECE / 4);
    for (number, row) in rows.rows().enumerate() {
        let key = keys.and_then(|keys| keys.get(number));
        for (at, value) in key.into_iter().chain(row).enumerate() {
            if at > 0 {
                out.push('\t');
            }
            copied_value(&mut out, value);
        }

        out.push('\n');
        if out.len() >= PIECE {
            copy.send(out.as_bytes()).await?;
            out.clear();
        }
    }

    copy.send(out.as_bytes()).await.map(drop)
}

fn copied_value(out: &mut String, value: &Value<'_>) {
    // Writing to a text cannot fail.
    let _ = match value {
        Value::Null => write!(out, "\\N"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Unsigned(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{value}"),
        Value::Text(text) => {
            escaped(out, text);
            Ok(())
        }
        Value::Bytes(_) => {
            out.push('\\');
            out.push_str(&text(value).unwrap_or_default());
            Ok(())
        }
    };
}

fn escaped(out: &mut String, mut text: &str) {
    while let Some(at) = text.find(['\\', '\n', '\r', '\t']) {
        let (plain, rest) = text.split_at(at);
        out.push_str(plain);
        let mut letters = rest.chars();
        out.push_str(match letters.next() {
            Some('\n') => "\\n",
            Some('\r') => "\\r",
            Some('\t') => "\\t",
            _ => "\\\\",
        });
        text = letters.as_str();
    }

    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_escaped() {
        let mut out = String::new();
        for value in ["plain", "a\tb", "back\\slash\n", "\\N", "\\.", "ü\r"] {
            escaped(&mut out, value);
            out.push('|');
        }
        assert_eq!(out, "plain|a\\tb|back\\\\slash\\n|\\\\N|\\\\.|ü\\r|");
        let mut out = String::new();
        copied_value(&mut out, &Value::Bytes((&[0, 255][..]).into()));
        assert_eq!(out, "\\\\x00ff");
    }
}
