//! Names the rows that have the unique values which records were refused for.

use diffsync_core::TargetError;

use super::find_rows::{Matching, matching};
use super::load::{Selection, column_of, selection};
use super::row_identity::sources;
use super::write::{Answers, Trouble};
use crate::sql::adapter::together;
use crate::sql::dialect::{Connection, Engine, Grid};
use crate::sql::model::SqlModel;
use crate::sql::model::encoding::{Fields, Row};
use crate::sql::model::value::{Kind, Value};
use crate::sql::session::Session;

impl Session {
    /// Creates records, except those that the database takes for ones it has. Of a batch that is refused since a unique
    /// value is taken, those are named whose values rows have, and the rest is written.
    pub(crate) async fn create_apart<M: SqlModel>(&self, new: &[&M]) -> Result<Answers<M>, TargetError> {
        let error = match self.create(new).await {
            Err(error) if error.is_conflict() => error,
            done => return done,
        };
        let held = self.held(new, |_, _| false, &error).await?;
        if held.iter().all(Option::is_none) {
            return Err(error);
        }
        let free: Vec<&M> = new.iter().zip(&held).filter(|(_, held)| held.is_none()).map(|(new, _)| *new).collect();
        let written = if free.is_empty() { Vec::new() } else { self.create(&free).await? };
        Ok(together(written, held))
    }

    /// Updates records. One that is refused since a unique value is taken is told which row has it.
    pub(crate) async fn update_apart<M: SqlModel>(
        &self,
        changes: &[(&M, &M::Patch)],
    ) -> Result<Answers<M>, TargetError> {
        let error = match self.update(changes).await {
            Err(error) if error.is_conflict() => error,
            Ok(mut answers) => {
                // Of a batch that was written otherwise, each that was refused is told as well.
                for (answer, (old, patch)) in answers.iter_mut().zip(changes) {
                    if let Err(error) = answer
                        && error.is_conflict()
                        && let Some(held) = self.held_by_other::<M>(old, patch, error).await?
                    {
                        *answer = Err(held);
                    }
                }
                return Ok(answers);
            }
            Err(error) => return Err(error),
        };
        // Of several, each may have what another of them gives up.
        let [(old, patch)] = changes else { return Err(error) };
        Err(self.held_by_other::<M>(old, patch, &error).await?.unwrap_or(error))
    }

    /// The error that names the row which has a unique value that a record was to get.
    async fn held_by_other<M: SqlModel>(
        &self,
        old: &M,
        patch: &M::Patch,
        error: &TargetError,
    ) -> Result<Option<TargetError>, TargetError> {
        let new = old.patched(patch);
        let held = self.held(&[&new], |record: &M, id| record.id() == *id, error).await?;
        Ok(held.into_iter().flatten().next())
    }

    /// For each record the error that names the row which has a unique value of it, unless that row is its own.
    async fn held<M: SqlModel>(
        &self,
        new: &[&M],
        is_own: impl Fn(&M, &M::Id) -> bool + Sync + Send,
        error: &TargetError,
    ) -> Result<Vec<Option<TargetError>>, TargetError> {
        let mut writing = self.begin().await?;
        match self.holders(&mut *writing.connection, new, is_own).await {
            Ok(holders) => {
                writing.undo(None).await?;
                let said = |(holder, keys): (String, String)| {
                    let message = format!("{error}; {holder:?} has the same {keys}");
                    TargetError::conflict(message).held_by(M::NAME, holder)
                };
                Ok(holders.into_iter().map(|holder| holder.map(said)).collect())
            }
            // That a value is taken is known; who has it is not.
            Err(Trouble::Database(failure)) => {
                writing.undo(Some(&failure)).await?;
                Ok(new.iter().map(|_| None).collect())
            }
            Err(Trouble::Known(_)) => {
                writing.undo(None).await?;
                Ok(new.iter().map(|_| None).collect())
            }
        }
    }

    /// For each record the identifier of a row that has a unique value of it, and the columns of that value.
    async fn holders<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        new: &[&M],
        is_own: impl Fn(&M, &M::Id) -> bool + Sync + Send,
    ) -> Result<Vec<Option<(String, String)>>, Trouble> {
        let mut catalogue = self.catalogue.lock().await;
        let selected = selection(M::TABLE, self, connection, &mut catalogue).await;
        drop(catalogue);
        let Selection { items, from, .. } = selected.map_err(|error| TargetError::new(error.to_string()))?;
        let columns = self.columns(connection, M::TABLE.name).await?;
        let (sources, quotes) = (sources(M::TABLE), self.database().quotes());
        let resolved = self.resolved(connection, new, |_| true).await?;

        let mut holders: Vec<Option<(String, String)>> = new.iter().map(|_| None).collect();
        for key in self.unique_columns(connection, M::TABLE.name).await? {
            let source = |name: &String| sources.iter().find(|(column, _)| column == name).map(|(_, source)| *source);
            // What the database fills in by itself is not known.
            let Some(of_key) = key.iter().map(source).collect::<Option<Vec<_>>>() else { continue };
            let mut by = Vec::with_capacity(key.len());
            for name in &key {
                let column = column_of(&columns, M::TABLE.name, name).map_err(|error| self.amiss(&error))?;
                by.push((format!("t.{}", quotes.column(name)), column.ty.clone()));
            }
            let mut rows = Grid::new(key.len());
            let mut asked = Vec::new();
            for record in 0..new.len() {
                let values = of_key.iter().map(|source| resolved.value(record, *source)).collect::<Result<Vec<_>, _>>();
                if let Ok(values) = values
                    && !values.contains(&Value::Null)
                {
                    rows.values.extend(values);
                    asked.push(record);
                }
            }

            let named = key.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let mut each = |at: usize, row: &dyn Row| {
                let Some(record) = asked.get(at) else { return };
                let (Some(new), Some(holder)) = (new.get(*record), holders.get_mut(*record)) else { return };
                if let Ok(id) = M::identify(&Fields::new(row, M::TABLE))
                    && !is_own(new, &id)
                {
                    *holder = Some((id.to_string(), named.clone()));
                }
            };
            let wanted = Matching { items: &items, from: &from, by: &by, filter: None };
            matching(self.database().engine(), connection, &wanted, &rows, &mut each).await?;
        }
        Ok(holders)
    }

    /// The columns of each unique key of a table. Keys over expressions, over the beginning of a text or over some of the rows
    /// are left out: a row with the same values may not be the one that is in the way.
    async fn unique_columns(
        &self,
        connection: &mut dyn Connection,
        table: &str,
    ) -> Result<Vec<Vec<String>>, sqlx::Error> {
        const MYSQL: &str = "
            SELECT CAST(index_name AS CHAR), CASE WHEN sub_part IS NULL THEN CAST(column_name AS CHAR) END
            FROM information_schema.statistics
            WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND non_unique = 0
            ORDER BY index_name, seq_in_index";
        const POSTGRES: &str = "
            SELECT i.indexrelid::text, a.attname::text
            FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, at)
                 LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
            WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indpred IS NULL AND k.at <= i.indnkeyatts
            ORDER BY i.indexrelid, k.at";
        // The number of a row is in no index.
        const SQLITE: &str = "
            SELECT l.name, i.name FROM pragma_index_list(?2, ?1) l JOIN pragma_index_info(l.name, ?1) i
            WHERE l.[unique] AND NOT l.partial
            UNION ALL SELECT '', name FROM pragma_table_info(?2, ?1) WHERE pk > 0";
        let (schema, name) = table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
        let (sql, values) = match self.database().engine() {
            Engine::Postgres => (POSTGRES, vec![Value::Text(self.database().quotes().table(table).into())]),
            engine => {
                let main = if engine == Engine::Sqlite { Value::Text("main".into()) } else { Value::Null };
                let schema = schema.map_or(main, |schema| Value::Text(schema.into()));
                (if engine == Engine::Sqlite { SQLITE } else { MYSQL }, vec![schema, Value::Text(name.into())])
            }
        };
        let mut rows: Vec<(String, Option<String>)> = Vec::new();
        let mut each = |row: &dyn Row| {
            let text = |position| match row.value(position, Kind::Text) {
                Ok(Value::Text(text)) => Some(text.into_owned()),
                _ => None,
            };
            rows.push((text(0).unwrap_or_default(), text(1)));
        };
        connection.ask(sql, &values, &mut each).await?;
        let keys = rows.chunk_by(|(one, _), (other, _)| one == other);
        Ok(keys.filter_map(|key| key.iter().map(|(_, column)| column.clone()).collect()).collect())
    }
}
