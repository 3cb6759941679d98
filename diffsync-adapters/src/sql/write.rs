//! Creates, updates and deletes records, a batch at a time.

use std::collections::BTreeMap;

use diffsync_core::TargetError;

use super::SqlModel;
use super::adapter::together;
use super::again::dropped;
use super::database::{Connection, Delete, Grid, Insert, Inserted, Nature, Read, Update};
use super::error::is_conflict;
use super::form::Row;
use super::load::column_of;
use super::rows::{By, Group, Source, gone, sources};
use super::session::{Session, Writing};
use super::value::{Kind, Value};

pub(crate) type Answers<R> = Vec<Result<R, TargetError>>;

/// Why a batch was not written.
pub(crate) enum Trouble {
    /// The database said so.
    Database(sqlx::Error),
    /// It is known without the database.
    Known(TargetError),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<TargetError> for Trouble {
    fn from(error: TargetError) -> Self {
        Self::Known(error)
    }
}

impl Session {
    /// Creates records.
    pub(crate) async fn create<M: SqlModel>(&self, new: &[&M]) -> Result<Answers<M>, TargetError> {
        self.make_tables().await?;
        let mut writing = self.begin().await?;
        let written = self.insert(&mut *writing.connection, new).await;
        self.end::<M, _>(writing, written, "create", new).await
    }

    /// Updates records.
    pub(crate) async fn update<M: SqlModel>(&self, changes: &[(&M, &M::Patch)]) -> Result<Answers<M>, TargetError> {
        let new: Vec<M> = changes.iter().map(|(old, patch)| old.patched(patch)).collect();
        let refs: Vec<&M> = new.iter().collect();

        let mut writing = self.begin().await?;
        let mut refused = match self.emptying(&mut *writing.connection, changes, &refs).await {
            Ok(refused) => refused,
            Err(trouble) => return self.end(writing, Err(trouble), "update", &refs).await,
        };
        let is_free = |at: &usize| !refused.contains_key(at);
        let free: Vec<(&M, &M::Patch)> =
            (0..changes.len()).filter(is_free).filter_map(|at| changes.get(at).copied()).collect();
        let free_refs: Vec<&M> = (0..refs.len()).filter(is_free).filter_map(|at| refs.get(at).copied()).collect();

        let mut written = if free.is_empty() {
            Ok(Vec::new())
        } else {
            self.change(&mut *writing.connection, &free, &free_refs).await
        };
        if let Err(Trouble::Database(error)) = written {
            // Within the batch, one record may have what another gets.
            (writing, written) = match free[..] {
                [_, _, ..] if is_conflict(&error) => self.swap(writing, error, &free, &free_refs).await?,
                _ => (writing, Err(error.into())),
            };
        }
        let written =
            written.map(|answers| together(answers, (0..changes.len()).map(|at| refused.remove(&at)).collect()));
        let answers = self.end(writing, written, "update", &refs).await?;
        Ok(answers.into_iter().zip(new).map(|(answer, new)| answer.map(|stored| stored.unwrap_or(new))).collect())
    }

    /// Deletes records.
    pub(crate) async fn delete<M: SqlModel>(&self, old: &[&M]) -> Result<Answers<()>, TargetError> {
        let mut writing = self.begin().await?;
        let written = self.remove_apart(&mut *writing.connection, old).await;
        self.end(writing, written, "delete", old).await
    }

    /// Makes what was written stay, or undoes it and says why.
    async fn end<M: SqlModel, R>(
        &self,
        writing: Writing<'_>,
        written: Result<Answers<R>, Trouble>,
        operation: &str,
        records: &[&M],
    ) -> Result<Answers<R>, TargetError> {
        let trouble = match written {
            Ok(answers) => {
                if answers.iter().any(Result::is_ok) {
                    writing.commit().await?;
                } else {
                    writing.undo(None).await?;
                }
                return Ok(answers);
            }
            Err(trouble) => trouble,
        };
        match trouble {
            Trouble::Known(error) => {
                writing.undo(None).await?;
                Err(error)
            }
            Trouble::Database(error) => {
                let secrets = secrets(records);
                let said = self.unwritable(&format!("{operation} in `{}`", M::TABLE.name), &error, &secrets);
                drop(secrets);
                writing.undo(Some(&error)).await?;
                Err(said)
            }
        }
    }

    async fn insert<M: SqlModel>(&self, connection: &mut dyn Connection, new: &[&M]) -> Result<Answers<M>, Trouble> {
        let sources = sources(M::TABLE);
        let resolved = self.resolved(connection, new, |_| true).await?;
        let mut grid = Grid::new(sources.len());
        grid.values.reserve(new.len() * sources.len());

        let mut answers: Answers<M> = Vec::with_capacity(new.len());
        for (record, new) in new.iter().enumerate() {
            let before = grid.values.len();
            let filled = sources.iter().try_for_each(|(_, source)| {
                grid.values.push(resolved.value(record, *source)?);
                Ok(())
            });
            if filled.is_err() {
                grid.values.truncate(before);
            }
            answers.push(filled.map(|()| M::clone(new)));
        }
        if grid.len() == 0 {
            return Ok(answers);
        }

        let (keys, doubtful) = self.insert_rows::<M>(connection, &sources, &grid).await?;
        let mut stored: Vec<&mut M> = answers.iter_mut().flatten().collect();
        for (record, key) in stored.iter_mut().zip(keys.into_iter().flatten()) {
            // An error has all of the batch undone: what cannot be found again must not stay.
            let unusable = |reason| TargetError::new(format!("the key that it was given {reason}"));
            record.set_key(key).map_err(unusable)?;
        }

        let written: Vec<&M> = doubtful.iter().filter_map(|row| stored.get(*row).map(|record| &**record)).collect();
        let read = self.read_again(connection, &written).await?;
        for (row, read) in doubtful.iter().zip(read) {
            if let Some(record) = stored.get_mut(*row) {
                **record = read;
            }
        }
        Ok(answers)
    }

    /// Inserts rows, and returns the keys that the database gave them, if it said so, and which are to be read again.
    async fn insert_rows<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        sources: &[(&'static str, Source)],
        grid: &Grid<'_>,
    ) -> Result<(Option<Vec<Value<'static>>>, Vec<usize>), Trouble> {
        let quotes = self.database().quotes();
        let columns = self.columns(connection, M::TABLE.name).await?;
        let nature = self.nature(connection, M::TABLE.name).await?;
        let names: Vec<&'static str> = sources.iter().map(|(column, _)| *column).collect();
        let typed = self.typed(&columns, M::TABLE, &names)?;
        let (table, mut returned) = (quotes.table(M::TABLE.name), Vec::with_capacity(sources.len()));
        for (name, source) in sources {
            let column = column_of(&columns, M::TABLE.name, name).map_err(|error| self.amiss(&error))?;
            let field = match source {
                Source::Field(field) => M::TABLE.fields.get(*field),
                Source::Lookup(_) | Source::Owner => None,
            };
            let kind = field.map_or(Kind::Text, |field| field.kind);
            let own = quotes.column(name);
            // What a lookup leads to may be a key of bytes that are no text.
            if let Source::Lookup(_) = source
                && self.database().key_kind(column) == Kind::Bytes
            {
                returned.push((own, Kind::Bytes));
                continue;
            }
            let read = field.and_then(|_| self.database().selected(column, &own, kind).ok());
            returned.push((read.unwrap_or_else(|| self.database().as_text(&own)), kind));
        }
        let key = match M::TABLE.key_column() {
            Some(key) => Some(column_of(&columns, M::TABLE.name, key).map_err(|error| self.amiss(&error))?),
            None => None,
        };
        let kind = M::TABLE.key.and_then(|key| M::TABLE.fields.get(key)).map(|field| field.kind);
        let key = key.zip(kind);

        let insert = Insert { table: &table, columns: &typed, returned: &returned, key, nature: &nature, rows: grid };
        let before = self.counted_if_replaced(connection, &table, &nature).await?;
        let Inserted { rows, keys, altered } = connection.insert(&insert).await?;
        let expected = before.map(|before| before + grid.len() as u64);
        self.refuse_replaced(connection, &table, &nature, expected).await?;
        if rows.is_some_and(|rows| rows != grid.len() as u64) {
            // One at a time will tell which it is.
            let first = sources.iter().zip(&grid.values).next();
            let place = first.map(|((column, _), value)| format!("`{column}` = {}", value.shown()));
            return Err(dropped(M::TABLE.name, &place.unwrap_or_default()).into());
        }
        // Reading it again tells the key, too.
        let is_key_unknown = key.is_some() && keys.is_none();
        let doubtful = match altered {
            _ if is_key_unknown => (0..grid.len()).collect(),
            Some(altered) => altered,
            None => self.doubtful::<M>(&nature, &columns, sources, grid)?,
        };
        Ok((keys, doubtful))
    }

    /// Updates rows, and returns the records that were read again.
    pub(crate) async fn change<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        changes: &[(&M, &M::Patch)],
        new: &[&M],
    ) -> Result<Answers<Option<M>>, Trouble> {
        let sources = sources(M::TABLE);
        let any = |lookup: usize| changes.iter().any(|(_, patch)| is_changed::<M>(patch, Source::Lookup(lookup)));
        let resolved = self.resolved(connection, new, any).await?;
        let old: Vec<&M> = changes.iter().map(|(old, _)| *old).collect();
        let found = self.located(connection, &old).await?;

        let mut documents = self.documents(connection, changes, new).await?;

        let mut answers: Answers<Option<M>> = Vec::with_capacity(changes.len());
        let mut groups: BTreeMap<(Vec<bool>, By), Group<'_>> = BTreeMap::new();
        for (record, (_, patch)) in changes.iter().enumerate() {
            let columns: Vec<bool> = sources.iter().map(|(_, source)| is_changed::<M>(patch, *source)).collect();
            let set = sources.iter().zip(&columns).filter(|(_, changed)| **changed);
            let mut merged = match documents.remove(&record).transpose() {
                Ok(merged) => merged.unwrap_or_default(),
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            let mut value = |source: Source| {
                let document = match source {
                    Source::Field(field) => merged.remove(&field),
                    Source::Lookup(_) | Source::Owner => None,
                };
                document.map_or_else(|| resolved.value(record, source), |document| Ok(Value::Text(document.into())))
            };
            let set = set.map(|((_, source), _)| value(*source)).collect::<Result<Vec<_>, _>>();
            let placed = set.and_then(|mut values| {
                let (by, which) = found.by(record)?;
                let width = values.len() + which.len();
                values.extend(which);
                let group = groups
                    .entry((columns, by))
                    .or_insert_with(|| Group { grid: Grid::new(width), records: Vec::new() });
                group.grid.values.extend(values);
                group.records.push(record);
                Ok(None)
            });
            answers.push(placed);
        }

        let table = self.database().quotes().table(M::TABLE.name);
        let columns = self.columns(connection, M::TABLE.name).await?;
        let nature = self.nature(connection, M::TABLE.name).await?;
        let before = self.counted_if_replaced(connection, &table, &nature).await?;
        let mut doubtful: Vec<usize> = Vec::new();
        for ((changed, by), group) in &groups {
            let set: Vec<(&'static str, Source)> =
                sources.iter().zip(changed).filter(|(_, changed)| **changed).map(|(source, _)| *source).collect();
            let names: Vec<&'static str> = set.iter().map(|(column, _)| *column).collect();
            let update = Update {
                table: &table,
                set: &self.typed(&columns, M::TABLE, &names)?,
                by: &self.typed_by(connection, M::TABLE, by).await?,
                nulls: &by.nulls,
                nature: &nature,
                rows: &group.grid,
            };
            let updated = connection.update(&update).await?;
            // What another of the batch has taken the place of is not missing.
            self.refuse_replaced(connection, &table, &nature, before).await?;
            if !nature.is_uncounted {
                gone::<M>(updated, group.records.len(), by, &group.grid)?;
            }
            self.forget_in(M::TABLE.name, Some(&names));
            let rows = self.doubtful::<M>(&nature, &columns, &set, &group.grid)?;
            doubtful.extend(rows.iter().filter_map(|row| group.records.get(*row)));
        }

        let written: Vec<&M> = doubtful.iter().filter_map(|record| new.get(*record).copied()).collect();
        for (record, read) in doubtful.iter().zip(self.read_again(connection, &written).await?) {
            if let Some(answer) = answers.get_mut(*record) {
                *answer = Ok(Some(read));
            }
        }
        Ok(answers)
    }

    /// How many rows a table has where one may take the place of another.
    async fn counted_if_replaced(
        &self,
        connection: &mut dyn Connection,
        table: &str,
        nature: &Nature,
    ) -> Result<Option<u64>, sqlx::Error> {
        if !nature.replaces {
            return Ok(None);
        }
        let mut rows = None;
        let mut each = |row: &dyn Row| {
            if let Ok(Value::Int(count)) = row.value(0, Kind::Int64) {
                rows = u64::try_from(count).ok();
            }
        };
        connection.ask(&format!("SELECT count(*) FROM {table}"), &[], &mut each).await?;
        Ok(rows)
    }

    /// Refuses what was just written if there are fewer rows after it than expected.
    async fn refuse_replaced(
        &self,
        connection: &mut dyn Connection,
        table: &str,
        nature: &Nature,
        expected: Option<u64>,
    ) -> Result<(), Trouble> {
        let rows = self.counted_if_replaced(connection, table, nature).await?;
        if rows < expected {
            let message = "a unique value is taken, and by `ON CONFLICT REPLACE` the row that has it would be deleted";
            return Err(TargetError::conflict(message).into());
        }
        Ok(())
    }

    pub(crate) async fn remove<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        old: &[&M],
    ) -> Result<Answers<()>, Trouble> {
        let found = self.located(connection, old).await?;
        let mut answers: Answers<()> = Vec::with_capacity(old.len());
        let mut groups: BTreeMap<By, Group<'_>> = BTreeMap::new();
        for record in 0..old.len() {
            answers.push(found.by(record).map(|(by, which)| {
                let group =
                    groups.entry(by).or_insert_with(|| Group { grid: Grid::new(which.len()), records: Vec::new() });
                group.grid.values.extend(which);
                group.records.push(record);
            }));
        }
        let table = self.database().quotes().table(M::TABLE.name);
        let owner = M::TABLE.owner.map(|owner| (owner.column, owner.value));
        let nature = self.nature(connection, M::TABLE.name).await?;
        let still_there = format!("SELECT 1 FROM {table} AS t");
        for (by, group) in &groups {
            let typed = self.typed_by(connection, M::TABLE, by).await?;
            let delete = Delete { table: &table, by: &typed, nulls: &by.nulls, owner, rows: &group.grid };
            let deleted = connection.delete(&delete).await?;
            if !nature.is_uncounted {
                gone::<M>(deleted, group.records.len(), by, &group.grid)?;
            }

            // What a rule, a trigger or a view has done instead may leave the row.
            if nature.may_keep_deleted {
                let read = Read { select: &still_there, by: &typed, nulls: &by.nulls, rows: &group.grid, locks: false };
                let mut left: usize = 0;
                connection.read(&read, &mut |_| left += 1).await?;
                if left > 0 {
                    return Err(kept(M::TABLE.name, left, group.records.len(), &by.place(&group.grid)).into());
                }
            }
        }
        self.forget_in(M::TABLE.name, None);
        Ok(answers)
    }
}

/// Rows that are still there although the database said nothing against their delete. The error of a batch is asked for again in
/// halves, until it is that of one record.
fn kept(table: &str, left: usize, wanted: usize, place: &str) -> TargetError {
    TargetError::new(match wanted {
        1 => format!(
            "`{table}` still has the row with {place} after it was deleted: a trigger or a rule of the database kept it"
        ),
        _ => format!("`{table}` still has {left} of {wanted} rows after they were deleted"),
    })
}

/// Whether a change is one of this column.
pub(crate) fn is_changed<M: SqlModel>(patch: &M::Patch, source: Source) -> bool {
    match source {
        Source::Field(field) => M::changes(patch, field),
        Source::Lookup(lookup) => {
            let fields = M::TABLE.lookups.get(lookup).map_or(&[][..], |lookup| lookup.fields);
            fields.iter().any(|field| M::changes(patch, *field))
        }
        Source::Owner => true,
    }
}

/// The secrets of records.
pub(crate) fn secrets<'r, M: SqlModel>(records: &[&'r M]) -> Vec<Value<'r>> {
    let fields = M::TABLE.fields.iter().enumerate().filter(|(_, field)| field.secret);
    let fields: Vec<usize> = fields.map(|(position, _)| position).collect();
    records.iter().flat_map(|record| fields.iter().filter_map(|field| record.value(*field).ok())).collect()
}
