//! Which rows records are, and the values of their columns.

use std::sync::Arc;

use diffsync_core::TargetError;

use super::SqlModel;
use super::database::{Column, Connection, Grid, Typed};
use super::equality::Coarse;
use super::load::column_of;
use super::schema::{Lookup, Place, Role, SqlTable};
use super::session::Session;
use super::value::{Kind, Value};
use super::write::Trouble;

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

pub(crate) fn identified(table: &'static SqlTable) -> Vec<(&'static str, Source)> {
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
pub(crate) struct Group<'v> {
    pub(crate) grid: Grid<'v>,
    pub(crate) records: Vec<usize>,
}

impl Session {
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
    pub(crate) fn typed(
        &self,
        columns: &[Column],
        table: &SqlTable,
        names: &[&'static str],
    ) -> Result<Vec<Typed>, Trouble> {
        let typed = |name: &&'static str| {
            let column = column_of(columns, table.name, name).map_err(|error| self.amiss(&error))?;
            Ok(Typed { name, ty: column.ty.clone(), is_coarse: false })
        };
        names.iter().map(typed).collect()
    }

    /// The columns by which rows are found that are written: no other rows than those with these very values.
    pub(crate) async fn typed_by(
        &self,
        connection: &mut dyn Connection,
        table: &'static SqlTable,
        by: &By,
    ) -> Result<Vec<Typed>, Trouble> {
        let columns = self.columns(connection, table.name).await?;
        let mut typed = self.typed(&columns, table, &by.columns)?;
        let coarse = self.coarse_columns(connection, table).await?;
        for column in &mut typed {
            column.is_coarse = coarse.contains(&column.name);
        }
        Ok(typed)
    }

    /// The columns of the identifier that may take the values of different rows for the same, asked for once in a run.
    async fn coarse_columns(
        &self,
        connection: &mut dyn Connection,
        table: &'static SqlTable,
    ) -> Result<Arc<Vec<&'static str>>, Trouble> {
        let mut known = self.coarse_columns.lock().await;
        if let Some(known) = known.get(table.name) {
            return Ok(Arc::clone(known));
        }
        let identity = self.identity_columns(connection, table).await?;
        let field = |(position, found): &(usize, Coarse)| {
            let field = table.fields.get(*identity.fields.get(*position)?)?;
            match field.place {
                // Other kinds, as a UUID, may be stored in other letters than they are written in here.
                Place::Column(column) if found.is_of_rows && field.kind == Kind::Text => Some(column),
                Place::Column(_) | Place::Lookup(..) => None,
            }
        };
        let found: Arc<Vec<&'static str>> = Arc::new(identity.coarse.iter().filter_map(field).collect());
        known.insert(table.name, Arc::clone(&found));
        Ok(found)
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

impl By {
    /// In words, where the last of these rows is.
    pub(crate) fn place(&self, rows: &Grid<'_>) -> String {
        let shown = rows.values.iter().rev().take(self.columns.len()).map(Value::shown).collect::<Vec<_>>();
        let place = self.columns.iter().zip(shown.iter().rev()).map(|(column, value)| format!("`{column}` = {value}"));
        let null = self.nulls.iter().map(|column| format!("`{column}` null"));
        place.chain(null).collect::<Vec<_>>().join(" and ")
    }
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
pub(crate) fn gone<M: SqlModel>(written: u64, wanted: usize, by: &By, rows: &Grid<'_>) -> Result<(), TargetError> {
    if written == wanted as u64 {
        return Ok(());
    }
    // One at a time will tell which it is.
    if wanted > 1 {
        return Err(TargetError::new(format!("{written} rows of `{}` were found for {wanted} records", M::TABLE.name)));
    }
    let place = by.place(rows);
    let owner = M::TABLE.owner.map(|owner| format!(", or it is not `{}`'s any more", owner.value)).unwrap_or_default();
    Err(TargetError::new(match written {
        0 => format!("`{}` has no row with {place} any more{owner}", M::TABLE.name),
        _ => format!("`{}` has {written} rows with {place}", M::TABLE.name),
    }))
}
