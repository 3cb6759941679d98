//! A cache of the rows that were read, by key and by identifier.

pub(crate) mod index;
pub(crate) mod proof;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use self::index::Index;
use super::dialect::Owner;
use super::http::body::unpacked;
use super::model::json_path;
use super::model::json_path::plain;
use super::model::schema::{Part, PartKind, RestField, RestSchema};
use super::model::tree_path::join_names;

/// The fields that are kept of each collection's rows: the first steps of the paths that are read.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// The rows of all collections that were read, with the fields that are needed.
#[derive(Debug, Default)]
pub(crate) struct RowCache {
    collections: HashMap<String, CachedRows>,
    /// The names of keys, by collection, and the default.
    keys: HashMap<String, String>,
    key: String,
    /// The fields that are kept of each collection's rows.
    needs: Needs,
    /// Those of them that identify records in lookups.
    identifying: Needs,
}

/// The rows of one collection.
#[derive(Debug, Default)]
struct CachedRows {
    /// In the order in which they arrived; deleted rows are `null`.
    list: Vec<Value>,
    places: HashMap<String, usize>,
    /// The keys of rows by identifying values, for each set of identifying parts.
    indexes: HashMap<IndexKey, Index>,
}

/// The address and the number of the parts by which rows are identified.
type IndexKey = (usize, usize);

/// Why a record's key, or the record of a key, is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// The collection was not read yet.
    Unread(String),
    /// The reason.
    Wrong(String),
}

impl RowCache {
    /// A cache for the rows that models of these schemas need.
    pub(crate) fn new(key: &str, schemas: &[&'static RestSchema], owners: &[Owner]) -> Self {
        let mut cache = Self { key: key.to_owned(), ..Self::default() };
        for schema in schemas {
            let collection = schema.collection();
            if let Some(key) = schema.key.name {
                cache.keys.insert(collection.clone(), key.to_owned());
            }

            for field in schema.fields {
                if field.readable {
                    note(&mut cache.needs, &collection, &field.part);
                }
                note_lookups(&mut cache.needs, &field.part);
                note_lookups(&mut cache.identifying, &field.part);
                if let PartKind::Tree { .. } = field.part.kind {
                    note(&mut cache.identifying, &collection, &field.part);
                }
            }

            for owner in owners {
                cache.needs.entry(collection.clone()).or_default().extend(owner.at.first().cloned());
                if let PartKind::Lookup { collection: listed, parts } = owner.kind {
                    // The present items of the list must be known when the owner is added.
                    cache.identifying.entry(collection.clone()).or_default();
                    let collection = listed;
                    for part in parts {
                        note(&mut cache.needs, collection, part);
                        note(&mut cache.identifying, collection, part);
                    }
                }
            }
        }

        let collections: Vec<_> = cache.needs.keys().cloned().collect();
        for collection in collections {
            let key = cache.key_of(&collection).to_owned();
            cache.needs.entry(collection).or_default().insert(key);
        }

        cache
    }

    /// The fields that are needed of a collection's rows.
    pub(crate) fn needs(&self, collection: &str) -> Option<&BTreeSet<String>> {
        self.needs.get(collection)
    }

    /// The name of the key of a collection's rows.
    pub(crate) fn key_of(&self, collection: &str) -> &str {
        self.keys.get(collection).unwrap_or(&self.key)
    }

    /// Whether other records refer to those of a collection.
    pub(crate) fn is_looked_up(&self, collection: &str) -> bool {
        self.identifying.contains_key(collection)
    }

    pub(crate) fn has(&self, collection: &str) -> bool {
        self.collections.contains_key(collection)
    }

    /// Stores the rows of a collection that was read completely.
    pub(crate) fn fill(&mut self, collection: &str, rows: impl IntoIterator<Item = Value>) {
        let key = self.key_of(collection).to_owned();
        let rows: Vec<Value> = rows.into_iter().collect();
        // Rows that are not looked up are only iterated, and may be packed.
        let named: &[Value] = if self.is_looked_up(collection) { &rows } else { &[] };
        let keyed = named.iter().enumerate().filter_map(|(place, row)| Some((key_text(row.get(&key)?)?, place)));
        let rows = CachedRows { places: keyed.collect(), list: rows, indexes: HashMap::new() };
        self.collections.insert(collection.to_owned(), rows);
    }

    /// Stores a row as it was written, in all collections of this path.
    pub(crate) fn put(&mut self, path: &str, row: &Value) {
        for name in self.of_path(path) {
            let Some(key) = row.get(self.key_of(&name)) else { continue };
            let Some(text) = key_text(key) else { continue };
            let key = key.clone();
            let mut now =
                self.needs.get(&name).map_or_else(|| row.clone(), |needs| json_path::retain(row.clone(), needs));
            let Some(rows) = self.collections.get_mut(&name) else { continue };
            let place = *rows.places.entry(text).or_insert(rows.list.len());
            let Some(before) = rows.list.get_mut(place) else {
                rows.list.push(now.clone());
                self.extend_indexes(&name, &now, &key);
                continue;
            };

            // Fields that are missing in the answer are unchanged.
            if let (Value::Object(now), Value::Object(before)) = (&mut now, &*before) {
                for (field, value) in before {
                    now.entry(field).or_insert_with(|| value.clone());
                }
            }

            let before = std::mem::replace(before, now.clone());
            if !self.is_identified_as(&name, &before, &now) {
                // Other rows may be identified through this one.
                self.collections.values_mut().for_each(|rows| rows.indexes.clear());
            }
        }
    }

    /// Adds a new row to the indexes of its collection.
    fn extend_indexes(&mut self, collection: &str, row: &Value, key: &Value) {
        let Some(rows) = self.collections.get_mut(collection) else { return };
        let mut indexes = std::mem::take(&mut rows.indexes);
        indexes.retain(|_, index| match self.record(collection, row, index.parts) {
            Ok(values) => {
                index.insert(&values, key.clone());
                true
            }
            Err(_) => false,
        });

        if let Some(rows) = self.collections.get_mut(collection) {
            rows.indexes = indexes;
        }
    }

    /// Whether nothing changed by which a row is identified.
    fn is_identified_as(&self, collection: &str, before: &Value, now: &Value) -> bool {
        let by_key = |value: Option<&Value>| value.map(|value| value.get(&self.key).unwrap_or(value).clone());
        let steps = self.identifying.get(collection);
        steps.into_iter().flatten().all(|step| by_key(before.get(step)) == by_key(now.get(step)))
    }

    /// Forgets a row that was deleted.
    pub(crate) fn remove(&mut self, path: &str, key: &Value) {
        let Some(key) = key_text(key) else { return };
        for name in self.of_path(path) {
            let Some(rows) = self.collections.get_mut(&name) else { continue };
            if let Some(row) = rows.places.remove(&key).and_then(|place| rows.list.get_mut(place)) {
                *row = Value::Null;
                rows.indexes.clear();
            }
        }
    }

    fn of_path(&self, path: &str) -> Vec<String> {
        let is_of = |name: &&String| name.split_once('?').map_or(name.as_str(), |(path, _)| path) == path;
        self.collections.keys().filter(is_of).cloned().collect()
    }

    pub(crate) fn row(&self, collection: &str, key: &Value) -> Option<&Value> {
        let rows = self.collections.get(collection)?;
        rows.list.get(*rows.places.get(&key_text(key)?)?)
    }

    /// The rows of a collection in the order in which they arrived.
    pub(crate) fn rows(&self, collection: &str) -> &[Value] {
        self.collections.get(collection).map_or(&[], |rows| &rows.list)
    }

    /// A collection that must be read before these parts of a collection's rows can be.
    pub(crate) fn unread(&self, collection: &str, fields: &[RestField]) -> Option<String> {
        // A plain value is in the row itself.
        let fields: Vec<_> =
            fields.iter().filter(|field| field.readable && !matches!(field.part.kind, PartKind::Value)).collect();
        if fields.is_empty() {
            return None;
        }

        self.rows(collection).iter().find_map(|row| {
            let row = unpacked(row);
            fields.iter().find_map(|field| match self.read(collection, &row, field) {
                Err(LookupError::Unread(other)) => Some(other),
                Err(LookupError::Wrong(_)) | Ok(_) => None,
            })
        })
    }

    /// Forgets the rows of all collections but those that records are looked up in.
    pub(crate) fn forget_all_but_lookups(&mut self) {
        let Self { collections, identifying, .. } = self;
        collections.retain(|name, _| identifying.contains_key(name));
    }

    /// The values of a field's part of a row; a list of them if the part is a list.
    pub(crate) fn read(&self, collection: &str, row: &Value, field: &RestField) -> Result<Vec<Value>, LookupError> {
        if !field.many {
            return self.values(collection, row, &field.part);
        }

        let PartKind::Lookup { collection, parts } = field.part.kind else {
            return self.values(collection, row, &field.part);
        };
        match json_path::get(row, field.part.path) {
            Some(Value::Array(items)) => {
                let names = items.iter().map(|item| {
                    let mut values = self.record(collection, item, parts)?;
                    Ok(values.pop().unwrap_or_default())
                });
                Ok(vec![Value::Array(names.collect::<Result<_, LookupError>>()?)])
            }
            Some(Value::Null) | None => Ok(vec![Value::Array(Vec::new())]),
            Some(other) => {
                Err(LookupError::Wrong(format!("`{}` is {other} and not a list", field.part.path.join("."))))
            }
        }
    }

    /// The values of a part of a row.
    fn values(&self, collection: &str, row: &Value, part: &Part) -> Result<Vec<Value>, LookupError> {
        match part.kind {
            PartKind::Value => Ok(vec![json_path::get(row, part.path).cloned().unwrap_or_default()]),
            PartKind::Tree { parent, joined } => {
                self.path(collection, row, part.path, parent, joined).map(|path| vec![path])
            }
            PartKind::Lookup { collection, parts } => match json_path::get(row, part.path) {
                None | Some(Value::Null) => Ok(vec![Value::Null; part.value_count()]),
                Some(named) => self.record(collection, named, parts),
            },
        }
    }

    /// The values of the parts of another record, which is given by its key, or itself.
    fn record(&self, collection: &str, named: &Value, parts: &[Part]) -> Result<Vec<Value>, LookupError> {
        let row = if holds(named, parts) { named } else { self.named(collection, named)? };
        let values = parts.iter().map(|part| self.values(collection, row, part));
        Ok(values.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The row of a collection with a key, which may be in an object.
    fn named<'a>(&'a self, collection: &str, named: &'a Value) -> Result<&'a Value, LookupError> {
        let key = named.get(self.key_of(collection)).unwrap_or(named);
        if !self.has(collection) {
            return Err(LookupError::Unread(collection.to_owned()));
        }
        self.row(collection, key).ok_or_else(|| LookupError::Wrong(format!("`{collection}` has no {}", plain(key))))
    }

    /// The names from the root of a tree down to a row.
    fn path(
        &self,
        collection: &str,
        row: &Value,
        at: &[&str],
        parent: &str,
        joined: bool,
    ) -> Result<Value, LookupError> {
        let mut names: Vec<String> = Vec::new();
        let mut row = row;
        loop {
            names.push(json_path::get(row, at).filter(|name| !name.is_null()).map(plain).unwrap_or_default());
            if names.len() > 1000 {
                return Err(LookupError::Wrong(format!("the rows of `{collection}` lead in circles by `{parent}`")));
            }

            row = match row.get(parent) {
                None | Some(Value::Null) => break,
                Some(above) if above.get(parent).is_some() && json_path::get(above, at).is_some() => above,
                Some(above) => self.named(collection, above)?,
            };
        }

        names.reverse();
        Ok(if joined { join_names(&names).into() } else { names.into() })
    }

    /// The key of the record that these values identify.
    pub(crate) fn find(
        &mut self,
        collection: &str,
        parts: &'static [Part],
        values: &[Value],
    ) -> Result<Value, LookupError> {
        if !self.has(collection) {
            return Err(LookupError::Unread(collection.to_owned()));
        }

        let way = (parts.as_ptr().addr(), parts.len());
        let is_indexed = self.collections.get(collection).is_some_and(|rows| rows.indexes.contains_key(&way));
        if !is_indexed {
            let index = self.index(collection, parts)?;
            if let Some(rows) = self.collections.get_mut(collection) {
                rows.indexes.insert(way, index);
            }
        }

        let index = self.collections.get(collection).and_then(|rows| rows.indexes.get(&way));
        let found = index.map_or_else(|| Err("is empty".to_owned()), |index| index.find(values));
        found.map_err(|what| LookupError::Wrong(format!("`{collection}` {what}")))
    }

    fn index(&self, collection: &str, parts: &'static [Part]) -> Result<Index, LookupError> {
        let mut index = Index::new(parts);
        let Some(rows) = self.collections.get(collection) else { return Ok(index) };
        let key = self.key_of(collection);

        for row in rows.list.iter().filter(|row| !row.is_null()) {
            match self.record(collection, row, parts) {
                Ok(values) => index.insert(&values, row.get(key).cloned().unwrap_or_default()),
                Err(LookupError::Unread(collection)) => return Err(LookupError::Unread(collection)),
                // A row that cannot be identified is not what is looked for.
                Err(LookupError::Wrong(_)) => {}
            }
        }

        Ok(index)
    }
}

/// Notes what of a collection's rows a part needs.
fn note(needs: &mut Needs, collection: &str, part: &Part) {
    let steps = needs.entry(collection.to_owned()).or_default();
    steps.extend(part.path.first().map(|&step| step.to_owned()));
    if let PartKind::Tree { parent, .. } = part.kind {
        steps.insert(parent.to_owned());
    }
}

/// Notes what of other collections' rows a part needs.
fn note_lookups(needs: &mut Needs, part: &Part) {
    if let PartKind::Lookup { collection, parts } = part.kind {
        for part in parts {
            note(needs, collection, part);
            note_lookups(needs, part);
        }
    }
}

/// Whether a value is a record that holds these parts, and not only its key.
fn holds(value: &Value, parts: &[Part]) -> bool {
    value.is_object()
        && parts.iter().all(|part| {
            let is_there = json_path::get(value, part.path).is_some();
            match part.kind {
                PartKind::Tree { parent, .. } => is_there && value.get(parent).is_some(),
                PartKind::Value | PartKind::Lookup { .. } => is_there,
            }
        })
}

/// A key as it is looked up: `7` and `"7"` are the same, and so is a UUID in small and in capital letters.
pub(crate) fn key_text(key: &Value) -> Option<String> {
    let is_uuid = |text: &str| text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match key {
        Value::String(text) if is_uuid(text) => Some(text.to_ascii_lowercase()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        let same = |one: Value, other: Value| key_text(&one) == key_text(&other);
        assert!(same(json!(7), json!("7")));
        assert!(same(json!("6F9619FF-8B86-D011-B42D-00C04FC964FF"), json!("6f9619ff-8b86-d011-b42d-00c04fc964ff")));
        assert!(!same(json!("AMS"), json!("ams")), "a word is a name, and may be another");
    }
}
