//! Names the rows that have the unique values which records were refused for.

use std::fmt::Write;

use diffsync_core::TargetError;

use super::SqlModel;
use super::adapter::together;
use super::database::{Connection, Engine, Grid};
use super::form::{Fields, Row};
use super::load::{Selection, column_of, selection};
use super::matching::{Matching, matching};
use super::rows::{Source, sources};
use super::session::Session;
use super::value::{Kind, Value};
use super::write::{Answers, Trouble};

/// The rows that have unique values of records.
struct Holders {
    /// For each record the identifiers of such rows, each with the columns of the value.
    of_records: Vec<Vec<(String, String)>>,
    /// Whether the table has a unique key whose rows are not found by the values of its columns: another row may then be the
    /// one that is in the way.
    may_be_others: bool,
}

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

    /// For each record the error that names the rows which have unique values of it, except the one that is its own.
    async fn held<M: SqlModel>(
        &self,
        new: &[&M],
        is_own: impl Fn(&M, &M::Id) -> bool + Sync + Send,
        error: &TargetError,
    ) -> Result<Vec<Option<TargetError>>, TargetError> {
        let mut writing = self.begin().await?;
        match self.holders(&mut *writing.connection, new, is_own).await {
            Ok(Holders { of_records, may_be_others }) => {
                writing.undo(None).await?;
                let said = |holders: Vec<(String, String)>| {
                    if holders.is_empty() {
                        return None;
                    }
                    let mut message = error.to_string();
                    for (holder, keys) in &holders {
                        // Writing to a text cannot fail.
                        let _ = write!(message, "; {holder:?} has the same {keys}");
                    }
                    let conflict = TargetError::conflict(message);
                    // Without names, all that may be in the way is kept.
                    if may_be_others {
                        return Some(conflict);
                    }
                    Some(holders.into_iter().fold(conflict, |conflict, (holder, _)| conflict.held_by(M::NAME, holder)))
                };
                Ok(of_records.into_iter().map(said).collect())
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

    /// The rows that have unique values of records, which may be several for one record.
    async fn holders<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        new: &[&M],
        is_own: impl Fn(&M, &M::Id) -> bool + Sync + Send,
    ) -> Result<Holders, Trouble> {
        let mut catalogue = self.catalogue.lock().await;
        let selected = selection(M::TABLE, self, connection, &mut catalogue).await;
        drop(catalogue);
        let Selection { items, from, .. } = selected.map_err(|error| TargetError::new(error.to_string()))?;
        let columns = self.columns(connection, M::TABLE.name).await?;
        let (sources, quotes) = (sources(M::TABLE), self.database().quotes());
        let resolved = self.resolved(connection, new, |_| true).await?;

        let mut holders: Vec<Vec<(String, String)>> = new.iter().map(|_| Vec::new()).collect();
        let mut may_be_others = false;
        for key in self.unique_columns(connection, M::TABLE.name).await? {
            let Some(key) = key else {
                may_be_others = true;
                continue;
            };
            let source = |(name, _): &(String, String)| {
                sources.iter().find(|(column, _)| column == name).map(|(_, source)| *source)
            };
            let of_key: Vec<Source> = key.iter().filter_map(source).collect();
            if of_key.len() < key.len() {
                // What the database fills in by itself is not known. A key of nothing else is one that it counts.
                may_be_others |= !of_key.is_empty();
                continue;
            }
            let mut by = Vec::with_capacity(key.len());
            for (name, compared) in &key {
                let column = column_of(&columns, M::TABLE.name, name).map_err(|error| self.amiss(&error))?;
                by.push((format!("t.{}{compared}", quotes.column(name)), column.ty.clone()));
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

            let named = key.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let mut each = |at: usize, row: &dyn Row| {
                let Some(record) = asked.get(at) else { return };
                let (Some(new), Some(holder)) = (new.get(*record), holders.get_mut(*record)) else { return };
                if let Ok(id) = M::identify(&Fields::new(row, M::TABLE))
                    && !is_own(new, &id)
                {
                    let found = (id.to_string(), named.clone());
                    if !holder.contains(&found) {
                        holder.push(found);
                    }
                }
            };
            let wanted = Matching { items: &items, from: &from, by: &by, filter: None };
            matching(self.database().engine(), connection, &wanted, &rows, &mut each).await?;
        }
        Ok(Holders { of_records: holders, may_be_others })
    }

    /// The columns of each unique key of a table, each with what is said after it to compare it as the key does. There are
    /// none for a key over expressions, over the beginning of a text or over some of the rows, or one that takes nulls or other
    /// values for the same than the columns do: the rows that are in its way are not found by values.
    async fn unique_columns(
        &self,
        connection: &mut dyn Connection,
        table: &str,
    ) -> Result<Vec<Option<Vec<(String, String)>>>, sqlx::Error> {
        const MYSQL: &str = "
            SELECT CAST(index_name AS CHAR), CASE WHEN sub_part IS NULL THEN CAST(column_name AS CHAR) END, ''
            FROM information_schema.statistics
            WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND non_unique = 0
            ORDER BY index_name, seq_in_index";
        const POSTGRES: &str = "
            SELECT i.indexrelid::text,
                   CASE WHEN i.indpred IS NULL AND NOT i.indisexclusion AND i.indcollation[k.at - 1] = a.attcollation
                             AND coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false'
                        THEN a.attname::text END, ''
            FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, at)
                 LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
            WHERE i.indrelid = to_regclass($1) AND (i.indisunique OR i.indisexclusion) AND k.at <= i.indnkeyatts
            ORDER BY i.indexrelid, k.at";
        // The number of a row is in no index. An index may have a collation of its own.
        const SQLITE: &str = "
            SELECT l.name, CASE WHEN NOT l.partial THEN i.name END, ' COLLATE [' || i.coll || ']'
            FROM pragma_index_list(?2, ?1) l JOIN pragma_index_xinfo(l.name, ?1) i WHERE l.[unique] AND i.key
            UNION ALL SELECT '', name, '' FROM pragma_table_info(?2, ?1) WHERE pk > 0";
        let (schema, name) = table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
        let (sql, values) = match self.database().engine() {
            Engine::Postgres => (POSTGRES, vec![Value::Text(self.database().quotes().table(table).into())]),
            engine => {
                let main = if engine == Engine::Sqlite { Value::Text("main".into()) } else { Value::Null };
                let schema = schema.map_or(main, |schema| Value::Text(schema.into()));
                (if engine == Engine::Sqlite { SQLITE } else { MYSQL }, vec![schema, Value::Text(name.into())])
            }
        };
        let mut rows: Vec<(String, Option<String>, String)> = Vec::new();
        let mut each = |row: &dyn Row| {
            let text = |position| match row.value(position, Kind::Text) {
                Ok(Value::Text(text)) => Some(text.into_owned()),
                _ => None,
            };
            rows.push((text(0).unwrap_or_default(), text(1), text(2).unwrap_or_default()));
        };
        connection.ask(sql, &values, &mut each).await?;
        let keys = rows.chunk_by(|(one, ..), (other, ..)| one == other);
        let column =
            |(_, column, compared): &(String, Option<String>, String)| Some((column.clone()?, compared.clone()));
        Ok(keys.map(|key| key.iter().map(column).collect()).collect())
    }
}
