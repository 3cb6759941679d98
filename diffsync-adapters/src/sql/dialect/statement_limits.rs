//! Splits rows into chunks that one statement can hold.

use crate::sql::model::value::Value;

/// How much one statement can hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatementLimits {
    /// How many values.
    pub(crate) values: usize,
    /// How many bytes of values, about. A single row may have more.
    pub(crate) bytes: usize,
    /// The maximum size of a row in bytes, and the setting that limits it.
    pub(crate) largest: (usize, &'static str),
    /// How many bytes a byte becomes when it is sent.
    pub(crate) byte: usize,
}

impl StatementLimits {
    /// The rows in chunks that one statement can hold.
    ///
    /// # Errors
    ///
    /// If a single row is too large: an error of its record, since to send it again would change nothing.
    pub(crate) fn chunks<'g, 'v>(
        &self,
        values: &'g [Value<'v>],
        width: usize,
    ) -> Result<Vec<&'g [Value<'v>]>, sqlx::Error> {
        let (mut pieces, mut rest) = (Vec::new(), values);
        let width = width.max(1);
        let most = (self.values / width).max(1);

        while !rest.is_empty() {
            let (mut rows, mut bytes) = (0, 0);
            for row in rest.chunks(width).take(most) {
                bytes += self.row_bytes(row)?;
                if rows > 0 && bytes > self.bytes {
                    break;
                }
                rows += 1;
            }

            let (piece, others) = rest.split_at((rows * width).min(rest.len()));
            pieces.push(piece);
            rest = others;
        }

        Ok(pieces)
    }

    /// How many bytes a row is, about.
    ///
    /// # Errors
    ///
    /// If it is more than a row may have.
    pub(crate) fn row_bytes(&self, row: &[Value<'_>]) -> Result<usize, sqlx::Error> {
        let weight = |value: &Value<'_>| match value {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len() * self.byte,
            _ => 8,
        };
        let bytes = row.iter().map(weight).sum();
        let (largest, why) = self.largest;
        if bytes > largest {
            return Err(sqlx::Error::Encode(format!("a row of {bytes} bytes is too large: {why} {largest}").into()));
        }

        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT_LIMITS: StatementLimits =
        StatementLimits { values: 6, bytes: 100, largest: (1_000, "at most"), byte: 2 };

    fn lengths(values: &[Value<'_>], width: usize) -> Vec<usize> {
        STATEMENT_LIMITS
            .chunks(values, width)
            .unwrap_or_default()
            .into_iter()
            .map(|piece| piece.len() / width)
            .collect()
    }

    #[test]
    fn rows_are_split_by_the_number_of_values_and_by_bytes() {
        let text = |length: usize| Value::Text("x".repeat(length).into());
        assert_eq!(lengths(&[const { Value::Null }; 14], 2), [3, 3, 1]);
        assert_eq!(lengths(&[text(60), text(30), text(20), text(500), text(1)], 1), [2, 1, 1, 1]);
        assert_eq!(lengths(&[Value::Bytes(vec![0; 45].into()), text(20)], 1), [1, 1]);
        assert_eq!(lengths(&[], 1), [0; 0]);
    }

    #[test]
    fn a_row_that_is_too_large_for_any_statement_is_an_error() {
        let row = [Value::Bytes(vec![0; 501].into())];
        let error = STATEMENT_LIMITS.chunks(&row, 1).map(drop).map_err(|error| error.to_string());
        assert!(error.as_ref().is_err_and(|error| error.contains("a row of 1002 bytes is too large")), "{error:?}");
    }
}
