//! What was written is read again where the database may hold something else than it was given.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use diffsync_core::TargetError;

use super::SqlModel;
use super::database::{Column, Connection, Grid, Nature, Read};
use super::form::{Fields, Row};
use super::load::{column_of, select};
use super::rows::{By, Group, Source};
use super::schema::Place;
use super::session::Session;
use super::value::{Kind, Value};
use super::write::Trouble;

impl Session {
    /// What the database says of how a table is written, asked for once in a run.
    pub(crate) async fn nature(
        &self,
        connection: &mut dyn Connection,
        table: &'static str,
    ) -> Result<Arc<Nature>, Trouble> {
        let mut natures = self.natures.lock().await;
        if let Some(nature) = natures.get(table) {
            return Ok(Arc::clone(nature));
        }
        let nature = Arc::new(connection.nature(table).await?);
        natures.insert(table, Arc::clone(&nature));
        Ok(nature)
    }

    /// Which rows of a grid the database may hold with other values than they were given: all of them where something
    /// alters what is written, else those with a value that the type of its column need not keep.
    pub(crate) fn doubtful<M: SqlModel>(
        &self,
        nature: &Nature,
        columns: &[Column],
        written: &[(&'static str, Source)],
        grid: &Grid<'_>,
    ) -> Result<Vec<usize>, Trouble> {
        if nature.alters {
            return Ok((0..grid.len()).collect());
        }

        // A foreign key is the other row's own key as it was read, and joins with it however it is stored.
        let mut checked = Vec::new();
        for (position, (name, source)) in written.iter().enumerate() {
            let kind = match source {
                Source::Field(field) => M::TABLE.fields.get(*field).map_or(Kind::Text, |field| field.kind),
                Source::Owner => Kind::Text,
                Source::Lookup(_) => continue,
            };
            let column = column_of(columns, M::TABLE.name, name).map_err(|error| self.amiss(&error))?;
            checked.push((position, column, kind));
        }

        let keeps = |row: &[Value<'_>]| {
            let holds =
                |value: &Value<'_>, column, kind| *value == Value::Null || self.database().keeps(column, kind, value);
            checked.iter().all(|(at, column, kind)| row.get(*at).is_none_or(|value| holds(value, column, *kind)))
        };
        Ok(grid.rows().enumerate().filter(|(_, row)| !keeps(row)).map(|(number, _)| number).collect())
    }

    /// Records that were just written, as the database holds them now, in the same order.
    ///
    /// # Errors
    ///
    /// If one is not there under its identifier, or cannot be read: what cannot be found again must not stay.
    pub(crate) async fn read_again<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        written: &[&M],
    ) -> Result<Vec<M>, Trouble> {
        if written.is_empty() {
            return Ok(Vec::new());
        }
        let columns = self.columns(connection, M::TABLE.name).await?;
        let select = {
            let mut catalogue = self.catalogue.lock().await;
            let select = select(M::TABLE, self, connection, &mut catalogue).await;
            select.map_err(|error| TargetError::fatal(error.to_string()))?
        };

        let located = self.located(connection, written).await?;
        let mut groups: BTreeMap<By, Group<'_>> = BTreeMap::new();
        for record in 0..written.len() {
            let (by, which) = located.by(record)?;
            let group = groups.entry(by).or_insert_with(|| Group { grid: Grid::new(which.len()), records: Vec::new() });
            group.grid.values.extend(which);
            group.records.push(record);
        }

        let mut found: Found<M> = Found::of(written);
        for (by, group) in &groups {
            let typed = self.typed(&columns, M::TABLE, &by.columns)?;
            let read = Read { select: &select, by: &typed, nulls: &by.nulls, rows: &group.grid, locks: false };
            connection.read(&read, &mut |row| found.take(&Fields::new(row, M::TABLE))).await?;
            found.complete(by, group)?;
        }
        Ok(found.records.into_iter().flatten().collect())
    }
}

/// Records that are read again, each at the place of the one that was written.
struct Found<M: SqlModel> {
    places: HashMap<M::Id, usize>,
    records: Vec<Option<M>>,
    /// What is wrong with a row that was read.
    wrong: Option<String>,
    /// What is wrong with a row that is none of them, if one of them is missing.
    stray: Option<String>,
}

impl<M: SqlModel> Found<M> {
    fn of(written: &[&M]) -> Self {
        let places = written.iter().enumerate().map(|(place, record)| (record.id(), place)).collect();
        Self { places, records: written.iter().map(|_| None).collect(), wrong: None, stray: None }
    }

    fn take(&mut self, row: &Fields<'_>) {
        let table = M::TABLE.name;
        let wrong = match M::read(row) {
            Ok(record) => match self.places.get(&record.id()).and_then(|place| self.records.get_mut(*place)) {
                Some(place) if place.is_none() => {
                    *place = Some(record);
                    return;
                }
                Some(_) => format!("`{table}` has more than one row that is {:?}", record.id().to_string()),
                None => {
                    // The column may take it for one of them.
                    self.stray.get_or_insert_with(|| {
                        format!(
                            "`{table}` stored it as {:?}: a trigger or the type of a column changes what identifies it, so \
                             it would not be found again",
                            record.id().to_string()
                        )
                    });
                    return;
                }
            },
            Err(error) => {
                let column = M::TABLE.fields.get(error.field).map_or("", |field| match field.place {
                    Place::Column(column) => column,
                    Place::Lookup(lookup, _) => M::TABLE.lookups.get(lookup).map_or("", |lookup| lookup.leads.column),
                });
                format!("what `{table}` stored cannot be read again: `{column}` {}", error.reason)
            }
        };
        self.wrong.get_or_insert(wrong);
    }

    /// Says what is wrong with the records of a group, if anything is. The error of a batch is asked for again in halves,
    /// until it is that of one record.
    fn complete(&mut self, by: &By, group: &Group<'_>) -> Result<(), TargetError> {
        if let Some(wrong) = self.wrong.take() {
            return Err(TargetError::new(wrong));
        }
        let is_missing = |place: &&usize| self.records.get(**place).is_none_or(Option::is_none);
        let stray = self.stray.take();
        if group.records.iter().any(|place| is_missing(&place)) {
            if let Some(stray) = stray {
                return Err(TargetError::new(stray));
            }
            return Err(dropped(M::TABLE.name, &by.place(&group.grid)));
        }
        Ok(())
    }
}

/// A row that is not there although the database said nothing against it.
pub(crate) fn dropped(table: &str, place: &str) -> TargetError {
    TargetError::new(format!(
        "`{table}` has no row with {place} after it was written: a trigger, a rule or a policy of the database dropped it \
         or gave it another key"
    ))
}

/// Which of these rows came back with other values than they were given.
#[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "the others say it by the types of their columns"))]
pub(crate) fn altered(row: &dyn Row, given: &[Value<'_>], kinds: impl Iterator<Item = Kind>) -> bool {
    given.iter().zip(kinds).enumerate().any(|(position, (given, kind))| match (given, row.value(position, kind)) {
        (Value::Bool(given), Ok(Value::Int(stored))) => i64::from(*given) != stored,
        (given, Ok(stored)) => *given != stored,
        // Reading it again says what is wrong with it.
        (_, Err(_)) => true,
    })
}
