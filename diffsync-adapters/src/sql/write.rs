//! Creates, updates and deletes records, a batch at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use diffsync_core::TargetError;

use super::SqlModel;
use super::database::{Column, Connection, Delete, Find, Grid, Insert, Typed, Update};
use super::load::column_of;
use super::schema::{Lookup, Place, Role, SqlTable};
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

/// Where the value of a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Field(usize),
    Lookup(usize),
    Owner,
}

/// The columns that are written, and where their values come from.
pub(crate) fn sources(table: &'static SqlTable) -> Vec<(&'static str, Source)> {
    let fields = table.columns().filter(|(_, _, field)| field.role != Role::Local);
    let fields = fields.map(|(position, column, _)| (column, Source::Field(position)));
    let lookups = table.lookups.iter().enumerate();
    let lookups = lookups.map(|(position, lookup)| (lookup.leads.column, Source::Lookup(position)));
    fields.chain(lookups).chain(table.owner.map(|owner| (owner.column, Source::Owner))).collect()
}

/// The columns that say which row a record is, if the database has no key of its own for it.
pub(crate) fn identity(table: &'static SqlTable) -> Vec<&'static str> {
    identified(table).into_iter().map(|(column, _)| column).collect()
}

fn identified(table: &'static SqlTable) -> Vec<(&'static str, Source)> {
    let mut columns: Vec<(&'static str, Source)> = Vec::new();
    for (position, field) in table.fields.iter().enumerate().filter(|(_, field)| field.role == Role::Identifier) {
        let column = match field.place {
            Place::Column(column) => Some((column, Source::Field(position))),
            Place::Lookup(lookup, _) => {
                table.lookups.get(lookup).map(|found| (found.leads.column, Source::Lookup(lookup)))
            }
        };
        columns.extend(column.filter(|column| !columns.contains(column)));
    }
    columns
}

/// Records with the foreign keys that their lookups lead to.
pub(crate) struct Resolved<'r, M> {
    records: Vec<&'r M>,
    /// For each lookup that was asked for, a value for each record.
    keys: Vec<Vec<Result<Value<'static>, String>>>,
}

impl<'r, M: SqlModel> Resolved<'r, M> {
    /// The value of a record for a column.
    pub(crate) fn value(&self, record: usize, source: Source) -> Result<Value<'r>, TargetError> {
        let wrong =
            |column: &str, reason: &str| TargetError::new(format!("`{column}` of `{}`: {reason}", M::TABLE.name));
        match source {
            Source::Field(field) => {
                let record: &'r M = self.records.get(record).copied().ok_or_else(|| TargetError::new("no record"))?;
                let name = || M::TABLE.fields.get(field).map_or("", |field| field.name);
                record.value(field).map_err(|reason| wrong(name(), &reason))
            }
            Source::Lookup(lookup) => {
                let column = M::TABLE.lookups.get(lookup).map_or("", |lookup| lookup.leads.column);
                match self.keys.get(lookup).and_then(|keys| keys.get(record)) {
                    Some(Ok(key)) => Ok(key.clone()),
                    Some(Err(reason)) => Err(TargetError::new(reason.as_str())),
                    None => Err(wrong(column, "was not looked up")),
                }
            }
            Source::Owner => Ok(M::TABLE.owner.map_or(Value::Null, |owner| Value::Text(owner.value.into()))),
        }
    }
}

/// Rows that one statement can find: by the same columns, where the same ones are null.
struct Group<'v> {
    grid: Grid<'v>,
    records: Vec<usize>,
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
        let written = self.change(&mut *writing.connection, changes, &refs).await;
        let answers = self.end(writing, written, "update", &refs).await?;
        Ok(answers.into_iter().zip(new).map(|(answer, new)| answer.map(|()| new)).collect())
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
                let secrets = M::TABLE.fields.iter().enumerate().filter(|(_, field)| field.secret);
                let secrets = secrets
                    .flat_map(|(position, _)| records.iter().filter_map(move |record| record.value(position).ok()));
                let secrets: Vec<Value<'_>> = secrets.collect();
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
        let mut answers: Vec<Result<Option<usize>, TargetError>> = Vec::with_capacity(new.len());
        for record in 0..new.len() {
            let before = grid.values.len();
            let filled = sources.iter().try_for_each(|(_, source)| {
                grid.values.push(resolved.value(record, *source)?);
                Ok(())
            });
            if filled.is_err() {
                grid.values.truncate(before);
            }
            answers.push(filled.map(|()| Some(before / sources.len().max(1))));
        }
        let mut keys = None;
        if grid.len() > 0 {
            let columns: Vec<&'static str> = sources.iter().map(|(column, _)| *column).collect();
            let table = self.database().quotes().table(M::TABLE.name);
            let key = match M::TABLE.key_column() {
                Some(key) => {
                    let columns = self.columns(connection, M::TABLE.name).await?;
                    Some(column_of(&columns, M::TABLE.name, key).map_err(|error| self.amiss(&error))?.clone())
                }
                None => None,
            };
            let kind = M::TABLE.key.and_then(|key| M::TABLE.fields.get(key)).map(|field| field.kind);
            let insert = Insert { table: &table, columns: &columns, key: key.as_ref().zip(kind), rows: &grid };
            keys = connection.insert(&insert).await?;
            if keys.is_none()
                && let (Some(key), Some(kind)) = (&key, kind)
            {
                let given: Vec<usize> =
                    (0..new.len()).filter(|record| matches!(answers.get(*record), Some(Ok(_)))).collect();
                keys = Some(self.given_keys(connection, (key, kind), &resolved, &given).await?);
            }
        }
        let mut stored = Vec::with_capacity(new.len());
        for (answer, record) in answers.into_iter().zip(new) {
            let row = match answer {
                Ok(row) => row,
                Err(error) => {
                    stored.push(Err(error));
                    continue;
                }
            };
            let mut record = M::clone(record);
            if let (Some(row), Some(keys)) = (row, &keys)
                && let Some(key) = keys.get(row)
                && *key != Value::Null
            {
                // An error has all of the batch undone: what cannot be found again must not stay.
                record
                    .set_key(key.clone())
                    .map_err(|reason| TargetError::new(format!("the key that it was given {reason}")))?;
            }
            stored.push(Ok(record));
        }
        Ok(stored)
    }

    /// The keys that the database gave records, where it did not say so: they are found by what identifies the records.
    async fn given_keys<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        (key, kind): (&Column, Kind),
        resolved: &Resolved<'_, M>,
        records: &[usize],
    ) -> Result<Vec<Value<'static>>, Trouble> {
        let (quotes, identified) = (self.database().quotes(), identified(M::TABLE));
        let columns = self.columns(connection, M::TABLE.name).await?;
        let mut by = Vec::new();
        for (name, _) in &identified {
            let column = column_of(&columns, M::TABLE.name, name).map_err(|error| self.amiss(&error))?;
            by.push((format!("t.{}", quotes.column(name)), column.ty.clone()));
        }
        let mut rows = Grid::new(by.len());
        let mut asked = Vec::new();
        for (position, record) in records.iter().enumerate() {
            let values: Vec<Value<'_>> =
                identified.iter().map(|(_, source)| resolved.value(*record, *source)).collect::<Result<_, _>>()?;
            // What is null is found by nothing; such a record goes without its key until it is loaded.
            if !values.contains(&Value::Null) {
                rows.values.extend(values);
                asked.push(position);
            }
        }
        let mut keys = vec![Value::Null; records.len()];
        if !asked.is_empty() {
            let (key, from) =
                (format!("t.{}", quotes.column(&key.name)), format!("{} AS t", quotes.table(M::TABLE.name)));
            for (row, key) in connection.find(&Find { key: &key, kind, from: &from, by: &by, rows: &rows }).await? {
                if let Some(place) = asked.get(row).and_then(|position| keys.get_mut(*position)) {
                    *place = key;
                }
            }
        }
        Ok(keys)
    }

    async fn change<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        changes: &[(&M, &M::Patch)],
        new: &[&M],
    ) -> Result<Answers<()>, Trouble> {
        let sources = sources(M::TABLE);
        let is_changed = |patch: &M::Patch, source: Source| match source {
            Source::Field(field) => M::changes(patch, field),
            Source::Lookup(lookup) => M::TABLE
                .lookups
                .get(lookup)
                .is_some_and(|lookup| lookup.fields.iter().any(|field| M::changes(patch, *field))),
            Source::Owner => true,
        };
        let any = |lookup: usize| changes.iter().any(|(_, patch)| is_changed(patch, Source::Lookup(lookup)));
        let resolved = self.resolved(connection, new, any).await?;
        let old: Vec<&M> = changes.iter().map(|(old, _)| *old).collect();
        let found = self.located(connection, &old).await?;
        let mut answers: Answers<()> = Vec::with_capacity(changes.len());
        let mut groups: BTreeMap<(Vec<bool>, By), Group<'_>> = BTreeMap::new();
        for (record, (_, patch)) in changes.iter().enumerate() {
            let columns: Vec<bool> = sources.iter().map(|(_, source)| is_changed(patch, *source)).collect();
            let set = sources.iter().zip(&columns).filter(|(_, changed)| **changed);
            let set = set.map(|((_, source), _)| resolved.value(record, *source)).collect::<Result<Vec<_>, _>>();
            let placed = set.and_then(|mut values| {
                let (by, which) = found.by(record)?;
                let width = values.len() + which.len();
                values.extend(which);
                let group = groups
                    .entry((columns, by))
                    .or_insert_with(|| Group { grid: Grid::new(width), records: Vec::new() });
                group.grid.values.extend(values);
                group.records.push(record);
                Ok(())
            });
            answers.push(placed);
        }
        let table = self.database().quotes().table(M::TABLE.name);
        let columns = self.columns(connection, M::TABLE.name).await?;
        for ((changed, by), group) in &groups {
            let set: Vec<&'static str> =
                sources.iter().zip(changed).filter(|(_, changed)| **changed).map(|((column, _), _)| *column).collect();
            let typed = |names: &[&'static str]| self.typed(&columns, M::TABLE, names);
            let update = Update {
                table: &table,
                set: &typed(&set)?,
                by: &typed(&by.columns)?,
                nulls: &by.nulls,
                rows: &group.grid,
            };
            let updated = connection.update(&update).await?;
            gone::<M>(updated, group.records.len(), by, &group.grid)?;
            self.forget_in(M::TABLE.name, Some(&set));
        }
        Ok(answers)
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
        let columns = self.columns(connection, M::TABLE.name).await?;
        let owner = M::TABLE.owner.map(|owner| (owner.column, owner.value));
        for (by, group) in &groups {
            let typed = self.typed(&columns, M::TABLE, &by.columns)?;
            let delete = Delete { table: &table, by: &typed, nulls: &by.nulls, owner, rows: &group.grid };
            let deleted = connection.delete(&delete).await?;
            gone::<M>(deleted, group.records.len(), by, &group.grid)?;
        }
        self.forget_in(M::TABLE.name, None);
        Ok(answers)
    }

    /// Looks up the foreign keys of records, of those lookups that are wanted.
    pub(crate) async fn resolved<'r, M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        records: &[&'r M],
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Resolved<'r, M>, Trouble> {
        let mut keys = Vec::with_capacity(M::TABLE.lookups.len());
        for (position, lookup) in M::TABLE.lookups.iter().enumerate() {
            if !wanted(position) {
                keys.push(Vec::new());
                continue;
            }
            let natural = records.iter().map(|record| match natural_key(*record, position, lookup) {
                Ok(key) => (key, None),
                Err(reason) => (None, Some(reason)),
            });
            let (natural, wrong): (Vec<_>, Vec<_>) = natural.unzip();
            let found = self.keys(connection, &lookup.leads, natural).await?;
            keys.push(found.into_iter().zip(wrong).map(|(key, wrong)| wrong.map_or(key, Err)).collect());
        }
        Ok(Resolved { records: records.to_vec(), keys })
    }

    /// What says which rows records are.
    pub(crate) async fn located<'r, M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        old: &[&'r M],
    ) -> Result<Located<'r, M>, Trouble> {
        let has_key = |record: &&M| {
            M::TABLE.key.is_some_and(|key| matches!(record.value(key), Ok(value) if value != Value::Null))
        };
        let identified = identified(M::TABLE);
        let needed = |lookup: usize| identified.iter().any(|(_, source)| *source == Source::Lookup(lookup));
        let all_have = old.iter().all(has_key);
        let resolved = self.resolved(connection, old, |lookup| !all_have && needed(lookup)).await?;
        Ok(Located { resolved, identified })
    }

    /// Columns with their types.
    fn typed(&self, columns: &[Column], table: &SqlTable, names: &[&'static str]) -> Result<Vec<Typed>, Trouble> {
        let typed = |name: &&'static str| {
            let column = column_of(columns, table.name, name).map_err(|error| self.amiss(&error))?;
            Ok(Typed { name, ty: column.ty.clone() })
        };
        names.iter().map(typed).collect()
    }

    /// What the database says of a table, asked for once in a run.
    pub(crate) async fn columns(
        &self,
        connection: &mut dyn Connection,
        table: &str,
    ) -> Result<Arc<Vec<Column>>, Trouble> {
        let mut catalogue = self.catalogue.lock().await;
        let columns = catalogue.columns(self, connection, table).await;
        columns.map_err(|error| Trouble::Known(TargetError::fatal(error.to_string())))
    }

    /// A table that is not as the models say concerns all of its records.
    pub(crate) fn amiss(&self, what: &str) -> TargetError {
        TargetError::fatal(self.lacking(what).to_string())
    }
}

/// By which columns a row is found, and which are null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct By {
    pub(crate) columns: Vec<&'static str>,
    pub(crate) nulls: Vec<&'static str>,
}

/// Records with what says which rows they are.
pub(crate) struct Located<'r, M> {
    resolved: Resolved<'r, M>,
    identified: Vec<(&'static str, Source)>,
}

impl<'r, M: SqlModel> Located<'r, M> {
    /// The columns by which a record is found, and their values.
    pub(crate) fn by(&self, record: usize) -> Result<(By, Vec<Value<'r>>), TargetError> {
        if let (Some(key), Some(column)) = (M::TABLE.key, M::TABLE.key_column()) {
            let value = self.resolved.value(record, Source::Field(key))?;
            if value != Value::Null {
                return Ok((By { columns: vec![column], nulls: Vec::new() }, vec![value]));
            }
        }
        let mut by = By { columns: Vec::new(), nulls: Vec::new() };
        let mut values = Vec::new();
        for (column, source) in &self.identified {
            match self.resolved.value(record, *source)? {
                Value::Null => by.nulls.push(column),
                value => {
                    by.columns.push(column);
                    values.push(value);
                }
            }
        }
        Ok((by, values))
    }
}

/// The natural key that a record has for a lookup, if it names anything.
fn natural_key<'r, M: SqlModel>(
    record: &'r M,
    position: usize,
    lookup: &Lookup,
) -> Result<Option<Vec<Value<'r>>>, String> {
    let column = lookup.leads.column;
    let parts = lookup.fields.iter().map(|field| record.value(*field)).collect::<Result<Vec<_>, _>>();
    let parts = parts.map_err(|reason| format!("what `{column}` leads to {reason}"))?;
    if !parts.contains(&Value::Null) {
        return Ok(Some(parts));
    }
    let mut named = lookup.fields.iter().zip(&parts).filter(|(_, part)| **part != Value::Null);
    let lost = named.find_map(|(field, _)| {
        let field = M::TABLE.fields.get(*field)?;
        matches!(field.place, Place::Lookup(at, _) if at == position).then_some(field.name)
    });
    match lost {
        None => Ok(None),
        Some(lost) => Err(format!(
            "`{column}` would be null, since a part of what it stands for is empty, and `{lost}` stands nowhere else: \
             fill in all parts, or give `{lost}` a column of its own"
        )),
    }
}

/// A row that is not there was not written, and two that are cannot be told apart.
fn gone<M: SqlModel>(written: u64, wanted: usize, by: &By, rows: &Grid<'_>) -> Result<(), TargetError> {
    if written == wanted as u64 {
        return Ok(());
    }
    // One at a time will tell which it is.
    if wanted > 1 {
        return Err(TargetError::new(format!("{written} rows of `{}` were found for {wanted} records", M::TABLE.name)));
    }
    let shown = rows.values.iter().rev().take(by.columns.len()).map(Value::shown).collect::<Vec<_>>();
    let place = by.columns.iter().zip(shown.iter().rev()).map(|(column, value)| format!("`{column}` = {value}"));
    let place = place.chain(by.nulls.iter().map(|column| format!("`{column}` null"))).collect::<Vec<_>>().join(" and ");
    let owner = M::TABLE.owner.map(|owner| format!(", or it is not `{}`'s any more", owner.value)).unwrap_or_default();
    Err(TargetError::new(match written {
        0 => format!("`{}` has no row with {place} any more{owner}", M::TABLE.name),
        _ => format!("`{}` has {written} rows with {place}", M::TABLE.name),
    }))
}
