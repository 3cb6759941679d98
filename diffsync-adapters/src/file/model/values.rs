//! The cells of a record as data.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::FileModel;
use super::misspelt::{Misspelt, Seen};
use super::row::{CellError, RowReader, RowWriter};
use super::schema::Column;
use crate::nested::datum::Datum;

/// The cells of a record that is being read.
pub(crate) struct DatumRow {
    columns: &'static [Column],
    values: Vec<Option<Datum>>,
    /// Keys without a column, up to a limit.
    unknown: BTreeMap<String, Seen>,
    /// Which columns a record has had a key for.
    was_there: Vec<bool>,
    records: u64,
    /// The line in which the record begins.
    line: Option<u64>,
}

/// How many keys that name no column are noted. A map with a key for each of many things is not a record.
const NOTED: usize = 50;

impl DatumRow {
    pub(crate) fn new(columns: &'static [Column]) -> Self {
        let (values, was_there) = (vec![None; columns.len()], vec![false; columns.len()]);
        Self { columns, values, unknown: BTreeMap::new(), was_there, records: 0, line: None }
    }

    /// The cells of a record that is a map.
    pub(crate) fn of(columns: &'static [Column], record: &Datum) -> Self {
        let mut cells = Self::new(columns);
        for (column, value) in columns.iter().zip(&mut cells.values) {
            *value = record.get(column.name).cloned();
        }
        cells
    }

    /// Begins a record of the file, which begins in this line.
    pub(crate) fn begin(&mut self, line: Option<u64>) {
        self.records += 1;
        self.line = line;
    }

    /// Takes what was left over of the record before.
    pub(crate) fn clear(&mut self) {
        self.values.fill(None);
    }

    /// The position of the column of this name. A name without a column is noted.
    pub(crate) fn position(&mut self, name: &str) -> Option<usize> {
        let found = self.columns.iter().position(|column| column.name == name);
        match found {
            Some(column) => {
                if let Some(was_there) = self.was_there.get_mut(column) {
                    *was_there = true;
                }
            }
            None => {
                if let Some(seen) = self.unknown.get_mut(name) {
                    seen.records += 1;
                } else if self.unknown.len() < NOTED {
                    self.unknown.insert(name.to_owned(), Seen { line: self.line, records: 1 });
                }
            }
        }
        found
    }

    /// The keys that were found and name no column.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = &String> {
        self.unknown.keys()
    }

    /// The fields that no record has a key for, where there is one that was probably meant.
    pub(crate) fn misspelt(&self) -> impl Iterator<Item = Misspelt<'_>> {
        let never = self.columns.iter().zip(&self.was_there).filter(|(_, was_there)| !**was_there);
        never.filter_map(|(column, _)| Misspelt::find(column, self.columns, &self.unknown, self.records))
    }

    /// Fills a column, and returns whether it was empty.
    pub(crate) fn fill(&mut self, column: usize, value: Datum) -> bool {
        self.values.get_mut(column).is_some_and(|cell| cell.replace(value).is_none())
    }
}

impl RowReader for DatumRow {
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError> {
        let value = self.values.get_mut(column).and_then(Option::take);
        let (is_missing, value) = (value.is_none(), value.unwrap_or_default());
        let is_null = value.is_null();
        T::deserialize(value).map_err(|error| {
            let column = self.columns.get(column);
            let what = match (is_missing, is_null) {
                (true, _) => "is missing".to_owned(),
                (false, true) => "is null".to_owned(),
                (false, false) => error.to_string(),
            };
            column.map_or_else(|| CellError(what.clone()), |column| CellError::in_column(column, &what))
        })
    }
}

/// The values of a record that is written, in the order of its columns.
pub(crate) struct RecordValues {
    columns: &'static [Column],
    pub(crate) values: Vec<Datum>,
    /// Which of them are sets, whose items are sorted here.
    pub(crate) sets: Vec<bool>,
    /// For each column whether it holds the same as this other record's, if there is one.
    pub(crate) same: Vec<bool>,
    other: Option<Vec<Datum>>,
}

impl RecordValues {
    /// The values of a record, with its secrets in them.
    pub(crate) fn of<M: FileModel>(record: &M) -> Result<Self, CellError> {
        Self::beside(record, None)
    }

    /// The same, compared with those of another record.
    pub(crate) fn beside<M: FileModel>(record: &M, other: Option<Vec<Datum>>) -> Result<Self, CellError> {
        let columns = M::FILE.columns;
        let values = Vec::with_capacity(columns.len());
        let mut data = Self { columns, values, sets: Vec::new(), same: Vec::new(), other };
        record.write(&mut data)?;
        Ok(data)
    }
}

/// The old and the new value of a column, and whether they are sets, whose items are sorted here.
#[cfg(feature = "parquet")]
pub(crate) fn both<T: Serialize + DeserializeOwned + PartialEq>(
    old: &T,
    new: &T,
) -> Result<(Datum, Datum, bool), CellError> {
    let mut data = RecordValues { columns: &[], values: Vec::new(), sets: Vec::new(), same: Vec::new(), other: None };
    data.put(0, old)?;
    data.put(0, new)?;
    let new = data.values.pop().unwrap_or_default();
    Ok((data.values.pop().unwrap_or_default(), new, data.sets.last() == Some(&true)))
}

impl RowWriter for RecordValues {
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError> {
        let is_value = |datum: Datum| T::deserialize(datum).is_ok_and(|read| read == *value);
        let datum = Datum::of(value).and_then(|datum| {
            // A null may also be `Some(None)`, which would be read back as `None`.
            if holds_null(&datum) && !is_value(datum.clone()) {
                return Err("holds a value that a file cannot hold: an option in an option".to_owned());
            }
            Ok(datum)
        });

        let at = self.columns.get(column);
        let mut datum = datum.map_err(|error| CellError(format!("`{}`: {error}", at.map_or("", |it| it.name))))?;

        // A list that is equal to its reverse is a set, and its order may be random.
        let mut is_set = false;
        if is_value_of_lists(&datum) {
            let turned = reversed(datum.clone());
            if turned != datum && is_value(turned) {
                let mut sorted = datum.clone();
                sort(&mut sorted);
                is_set = is_value(sorted.clone());
                datum = if is_set { sorted } else { datum };
            }
        }

        // Two values may be one although they are written in two ways: a set, or a type with an equality of its own.
        let other = self.other.as_ref().and_then(|other| other.get(column));
        self.same.push(other.is_some_and(|other| *other == datum || is_value(other.clone())));
        self.sets.push(is_set);
        self.values.push(datum);

        Ok(())
    }
}

fn holds_null(value: &Datum) -> bool {
    match value {
        Datum::Null => true,
        Datum::List(items) => items.iter().any(holds_null),
        Datum::Map(entries) => entries.iter().any(|(_, value)| holds_null(value)),
        _ => false,
    }
}

/// Whether it contains a list of more than one item.
fn is_value_of_lists(value: &Datum) -> bool {
    match value {
        Datum::List(items) => items.len() > 1 || items.iter().any(is_value_of_lists),
        Datum::Map(entries) => entries.iter().any(|(_, value)| is_value_of_lists(value)),
        _ => false,
    }
}

fn reversed(value: Datum) -> Datum {
    match value {
        Datum::List(items) => Datum::List(items.into_iter().rev().map(reversed).collect()),
        Datum::Map(entries) => Datum::Map(entries.into_iter().map(|(key, value)| (key, reversed(value))).collect()),
        other => other,
    }
}

fn sort(value: &mut Datum) {
    match value {
        Datum::List(items) => {
            items.iter_mut().for_each(sort);
            // A palindrome need not be a set.
            if items.iter().rev().ne(items.iter()) {
                items.sort_by(order);
            }
        }
        Datum::Map(entries) => entries.iter_mut().for_each(|(_, value)| sort(value)),
        _ => {}
    }
}

/// Numbers by their size, all else by its text.
fn order(one: &Datum, other: &Datum) -> Ordering {
    let number = |value: &Datum| match value {
        Datum::Number(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    let by_size = number(one).zip(number(other)).map_or(Ordering::Equal, |(one, other)| one.total_cmp(&other));
    by_size.then_with(|| format!("{one:?}").cmp(&format!("{other:?}")))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    #[test]
    fn the_items_of_a_set_are_sorted_and_those_of_a_list_are_not() {
        fn check<T: Serialize + DeserializeOwned + PartialEq>(value: &T, is_set: bool, expected: &str) {
            let mut data = RecordValues { columns: &[], values: vec![], sets: vec![], same: vec![], other: None };
            data.put(0, value).unwrap();
            let json = crate::file::formats::json::text_of(&data.values[0]);
            assert_eq!((data.sets[0], json.unwrap().as_str()), (is_set, expected));
        }
        check(&HashSet::from([10, 9, 100]), true, "[9,10,100]");
        check(&vec![10, 9, 100], false, "[10,9,100]");
        check(&HashSet::from(["b".to_owned(), "a".to_owned()]), true, r#"["a","b"]"#);
        check(&BTreeMap::from([(1, HashSet::from([2, 1]))]), true, r#"{"1":[1,2]}"#);
        check(&vec![2, 1, 2], false, "[2,1,2]");
        check(&BTreeMap::from([(1, vec![2, 1]), (2, vec![1])]), false, r#"{"1":[2,1],"2":[1]}"#);
    }
}
