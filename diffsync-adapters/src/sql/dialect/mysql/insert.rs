//! Inserts, with the stored values if the server returns them.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Connected, QUOTES, arguments, placeholders};
use crate::sql::dialect::{Insert, Inserted};
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind, whole_or_text};

impl Connected {
    /// Inserts rows, and compares them with the stored values that the server returns.
    pub(crate) async fn insert_returning(&mut self, insert: &Insert<'_>) -> Result<Inserted, sqlx::Error> {
        let Insert { table, columns, returned, key, rows, .. } = insert;
        let names = QUOTES.columns(columns.iter().map(|column| column.name));
        let key_read = key.map(|(column, _)| format!("CAST({} AS CHAR)", QUOTES.column(&column.name)));
        let read = returned.iter().map(|(read, _)| read).chain(&key_read).cloned().collect::<Vec<_>>().join(", ");

        let (mut taken, mut keys, mut differ) = (0, Vec::new(), Vec::new());
        for piece in self.limits.chunks(&rows.values, rows.width)? {
            let values = placeholders(piece.len() / rows.width.max(1), rows.width);
            let sql = format!("INSERT INTO {table} ({names}) VALUES {values} RETURNING {read}");
            let mut stored = sqlx::query_with(AssertSqlSafe(sql), arguments(piece)?).fetch(&mut self.driver);
            let mut given = piece.chunks(rows.width.max(1));
            while let Some(row) = stored.try_next().await? {
                let given = given.next().unwrap_or_default();
                if altered(&row, given, returned.iter().map(|(_, kind)| *kind)) {
                    differ.push(taken);
                }

                if let Some((_, kind)) = key {
                    let key: String = row.try_get(returned.len())?;
                    let key = whole_or_text(&key, *kind).map_err(|error| sqlx::Error::Decode(error.into()))?;
                    keys.push(key.into_owned());
                }
                taken += 1;
            }
        }

        Ok(Inserted { rows: Some(taken as u64), keys: key.map(|_| keys), altered: Some(differ) })
    }

    /// Inserts rows on a server that does not return them: what it has stored is read later.
    pub(crate) async fn insert_counting(&mut self, insert: &Insert<'_>) -> Result<Inserted, sqlx::Error> {
        let Insert { table, columns, key, rows, .. } = insert;
        let names = QUOTES.columns(columns.iter().map(|column| column.name));
        let counted = key.is_some_and(|(column, kind)| column.default.is_some() && kind.is_int());
        let mut step: u64 = 1;
        if counted {
            step = sqlx::query_scalar("SELECT CAST(@@auto_increment_increment AS UNSIGNED)")
                .fetch_one(&mut self.driver)
                .await?;
        }

        let (mut taken, mut keys) = (0, Vec::new());
        for piece in self.limits.chunks(&rows.values, rows.width)? {
            let count = piece.len() / rows.width.max(1);
            let sql = format!("INSERT INTO {table} ({names}) VALUES {}", placeholders(count, rows.width));
            let done = sqlx::query_with(AssertSqlSafe(sql), arguments(piece)?).execute(&mut self.driver).await?;
            taken += done.rows_affected();
            // An insert of a known number of rows numbers them without a gap.
            let first = done.last_insert_id();
            let numbers = (0..count as u64).map(|row| first.saturating_add(row * step));
            keys.extend(numbers.map(|number| i64::try_from(number).map_or(Value::Unsigned(number), Value::Int)));
        }

        Ok(Inserted { rows: Some(taken), keys: counted.then_some(keys), altered: None })
    }
}

/// Which of these rows came back with other values than they were given.
fn altered(row: &dyn Row, given: &[Value<'_>], kinds: impl Iterator<Item = ValueKind>) -> bool {
    given.iter().zip(kinds).enumerate().any(|(position, (given, kind))| match (given, row.value(position, kind)) {
        (Value::Bool(given), Ok(Value::Int(stored))) => i64::from(*given) != stored,
        (given, Ok(stored)) => *given != stored,
        // Reading the row again reports what is wrong with it.
        (_, Err(_)) => true,
    })
}
