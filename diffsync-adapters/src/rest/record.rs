//! Records and the bodies that hold them.

use diffsync_core::SyncModel;
use diffsync_core::model::AttributeValues;
use diffsync_core::value::{REDACTED, exposed, redacted};
use serde_json::{Map, Number, Value};

use super::cache::{LookupError, RowCache};
use super::dialect::Owner;
use super::model::schema::{PartKind, RestField, RestSchema};
use super::model::tree_path::{join_names, split_names};
use super::model::{RestModel, json_path};

/// Why a row gives no record.
pub(crate) enum RowError<M: SyncModel> {
    /// A collection is needed that was not read yet.
    Unread(String),
    /// It is known which record it is, and what is wrong with it.
    Record(M::Id, String),
    /// It is not even known which record it is.
    Row(String),
    /// The same, since a part of what identifies it is empty.
    Unidentified(String),
}

/// The values of a record, by the names of its fields, including secrets.
pub(crate) struct RecordValues {
    values: Map<String, Value>,
    /// The texts among them that must not be shown.
    pub(crate) secrets: Vec<String>,
}

impl RecordValues {
    /// All fields of a record.
    pub(crate) fn of<M: SyncModel>(record: &M) -> Result<Self, serde_json::Error> {
        let patch = record.patch(record, &|_| true);
        let mut all = Self::of_patch::<M>(&patch)?;
        for (position, field) in M::SCHEMA.identifiers.iter().enumerate() {
            all.values.insert(field.name.to_owned(), record.identifier(position)?);
        }
        Ok(all)
    }

    /// The attributes that a patch changes.
    pub(crate) fn of_patch<M: SyncModel>(patch: &M::Patch) -> Result<Self, serde_json::Error> {
        let shown = serde_json::to_value(redacted(patch))?;
        let mut secrets = Vec::new();
        let values = match serde_json::to_value(exposed(patch))? {
            Value::Object(values) => values,
            _ => Map::new(),
        };

        for (name, value) in &values {
            gather(value, shown.get(name), &mut secrets);
        }

        Ok(Self { values, secrets })
    }

    pub(crate) fn get(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_default()
    }

    /// The names of the fields, as an error shows them.
    pub(super) fn names(&self) -> Vec<String> {
        self.values.keys().map(|name| format!("`{name}`")).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

/// The texts that are redacted in what is shown of a value.
fn gather(value: &Value, shown: Option<&Value>, secrets: &mut Vec<String>) {
    match (value, shown) {
        (Value::Array(items), Some(Value::Array(shown))) => {
            items.iter().zip(shown).for_each(|(item, shown)| gather(item, Some(shown), secrets));
        }
        (Value::Object(fields), Some(Value::Object(shown))) => {
            fields.iter().for_each(|(name, field)| gather(field, shown.get(name), secrets));
        }
        (value, Some(Value::String(shown))) if shown == REDACTED => texts(value, secrets),
        _ => {}
    }
}

fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Number(number) => all.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, all)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The record of a row. Parts that the row lacks are taken from `otherwise`.
pub(crate) fn read<M: RestModel>(
    cache: &RowCache,
    collection: &str,
    row: &Value,
    otherwise: Option<&RecordValues>,
) -> Result<M, RowError<M>> {
    let mut values: Map<String, Value> = Map::new();
    let mut wrong: Vec<(&str, String)> = Vec::new();
    for field in M::REST.fields {
        let is_present = field.readable && field.part.path.first().is_some_and(|step| row.get(step).is_some());
        let read = match otherwise {
            Some(otherwise) if !is_present => Ok(field.names.iter().map(|name| otherwise.get(name)).collect()),
            _ if !field.readable => continue,
            _ => cache.read(collection, row, field),
        };

        match read {
            Ok(read) => {
                for (name, value) in field.names.iter().zip(read) {
                    let value = as_field(field, value);
                    // Several parts may lead to one name, and some of them may be missing.
                    if !value.is_null() || !values.contains_key(*name) {
                        values.insert((*name).to_owned(), value);
                    }
                }
            }
            Err(LookupError::Unread(collection)) => return Err(RowError::Unread(collection)),
            Err(LookupError::Wrong(what)) => wrong.extend(field.names.iter().map(|name| (*name, what.clone()))),
        }
    }

    let identifiers = M::SCHEMA.identifiers;
    if let Some((name, what)) = wrong.iter().find(|(name, _)| identifiers.iter().any(|field| field.name == *name)) {
        return Err(RowError::Row(format!("its `{name}` cannot be read: {what}")));
    }

    let id = match identifiers {
        [field] => values.get(field.name).cloned().unwrap_or_default(),
        several => several
            .iter()
            .map(|field| (field.name.to_owned(), values.get(field.name).cloned().unwrap_or_default()))
            .collect::<Map<_, _>>()
            .into(),
    };

    let shown = |field: &diffsync_core::schema::FieldSchema| format!("`{}`", field.name);
    let names = || identifiers.iter().map(shown).collect::<Vec<_>>().join(", ");
    let is_nameless = identifiers.iter().any(|field| values.get(field.name).is_none_or(Value::is_null));
    let id: M::Id = serde_json::from_value(id).map_err(|error| {
        let reason = format!("its identifier ({}) cannot be read: {error}", names());
        if is_nameless { RowError::Unidentified(reason) } else { RowError::Row(reason) }
    })?;

    if let Some((name, what)) = wrong.first() {
        return Err(RowError::Record(id, format!("`{name}` cannot be read: {what}")));
    }

    let mut attributes = AttributeValues::default();
    for field in M::SCHEMA.attributes {
        attributes.set(field.name, values.remove(field.name).unwrap_or_default());
    }

    let mut record =
        M::from_values(id.clone(), &mut attributes).map_err(|error| RowError::Record(id.clone(), error.to_string()))?;
    let key = row.get(cache.key_of(collection)).cloned().unwrap_or_default();
    record.set_remote_key(key).map_err(|error| RowError::Record(id, format!("its key cannot be read: {error}")))?;
    Ok(record)
}

/// A value as the field takes it.
fn as_field(field: &RestField, value: Value) -> Value {
    match value {
        Value::Object(mut choice) if field.choice => choice.remove("value").unwrap_or(Value::Object(choice)),
        Value::String(text) if field.blank && text.is_empty() => Value::Null,
        Value::Number(number) => whole(&number).unwrap_or(Value::Number(number)),
        other => other,
    }
}

/// A float that is a whole number, as an integer: servers in PHP and JavaScript, and Icinga 2, write `3600.0` for 3600.
#[allow(clippy::cast_possible_truncation, reason = "it is in the range in which a float holds every integer")]
fn whole(number: &Number) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() < EXACT).then(|| (float as i64).into())
}

/// Which fields a body holds.
#[derive(Clone, Copy)]
pub(crate) enum BodyScope<'a> {
    /// All of a new record.
    All,
    /// Those that change.
    Changed(&'a RecordValues),
    /// All that is known of a record that was there: what the server never gives only if it changes.
    Known(&'a RecordValues),
}

impl BodyScope<'_> {
    fn holds(self, field: &RestField) -> bool {
        let is_in = |changed: &RecordValues| field.names.iter().any(|name| changed.has(name));
        field.writable
            && match self {
                Self::All => true,
                Self::Changed(changed) => is_in(changed),
                Self::Known(changed) => field.readable || is_in(changed),
            }
    }
}

/// The body that writes these fields.
pub(crate) fn body(
    cache: &mut RowCache,
    schema: &'static RestSchema,
    new: &RecordValues,
    about: BodyScope<'_>,
) -> Result<Map<String, Value>, LookupError> {
    let mut body = Map::new();
    let is_about = |field: &&RestField| about.holds(field);
    for field in schema.fields.iter().filter(|field| is_about(field)) {
        let values: Vec<Value> = field.names.iter().map(|name| new.get(name)).collect();
        match field.part.kind {
            PartKind::Value => {
                let value = values.into_iter().next().unwrap_or_default();
                let value = if field.blank && value.is_null() { Value::from("") } else { value };
                json_path::set(&mut body, field.part.path, value);
            }
            PartKind::Tree { parent, .. } => {
                let (above, name) = split(values.first());
                json_path::set(&mut body, field.part.path, name);
                let is_written = schema.fields.iter().any(|other| other.writable && other.part.path == [parent]);
                if !is_written {
                    let parts = std::slice::from_ref(&field.part);
                    let above = match above {
                        Value::Null => Value::Null,
                        above => cache.find(&schema.collection(), parts, &[above])?,
                    };
                    json_path::set(&mut body, &[parent], above);
                }
            }
            PartKind::Lookup { collection, parts } if field.many => {
                let names = values.into_iter().next();
                let names = names.as_ref().and_then(Value::as_array).into_iter().flatten();
                let keys = names.map(|name| cache.find(collection, parts, std::slice::from_ref(name)));
                let keys = keys.collect::<Result<Vec<_>, _>>()?;
                json_path::set(&mut body, field.part.path, keys.into());
            }
            PartKind::Lookup { collection, parts } => {
                let is_none = values.iter().all(Value::is_null);
                let key = if is_none { Value::Null } else { cache.find(collection, parts, &values)? };
                json_path::set(&mut body, field.part.path, key);
            }
        }
    }

    Ok(body)
}

/// A path in a tree as what is above and the last name.
fn split(path: Option<&Value>) -> (Value, Value) {
    match path {
        Some(Value::String(text)) => {
            let mut names = split_names(text);
            let name = names.pop().unwrap_or_default();
            let above = if names.is_empty() { Value::Null } else { join_names(&names).into() };
            (above, name.into())
        }
        Some(Value::Array(names)) => match names.split_last() {
            Some((name, [])) => (Value::Null, name.clone()),
            Some((name, above)) => (above.into(), name.clone()),
            None => (Value::Null, Value::Null),
        },
        other => (Value::Null, other.cloned().unwrap_or_default()),
    }
}

/// Stamps a body with its owner. `row` is the record as it is, whose list the owner is added to.
pub(crate) fn stamp(
    cache: &mut RowCache,
    owner: &Owner,
    body: &mut Map<String, Value>,
    row: Option<&Value>,
) -> Result<(), LookupError> {
    let value = match owner.kind {
        PartKind::Lookup { collection, parts } => {
            let key = cache.find(collection, parts, std::slice::from_ref(&owner.value))?;
            let whole = Value::Object(std::mem::take(body));
            let listed =
                json_path::get(&whole, &owner.at).or_else(|| json_path::get(row?, &owner.at)).and_then(Value::as_array);
            let mut keys: Vec<Value> = listed
                .into_iter()
                .flatten()
                .map(|item| item.get(cache.key_of(collection)).unwrap_or(item).clone())
                .collect();
            if let Value::Object(whole) = whole {
                *body = whole;
            }

            if !keys.contains(&key) {
                keys.push(key);
            }
            Value::from(keys)
        }
        PartKind::Value | PartKind::Tree { .. } => owner.value.clone(),
    };

    json_path::set(body, &owner.at, value);
    Ok(())
}

/// Whether a row carries its owner.
pub(crate) fn is_owned(cache: &RowCache, owner: &Owner, row: &Value) -> Result<bool, LookupError> {
    let Some(found) = json_path::get(row, &owner.at) else { return Ok(false) };
    let PartKind::Lookup { collection, parts } = owner.kind else { return Ok(*found == owner.value) };
    let field = RestField {
        names: &[],
        part: super::model::schema::Part { path: &[], kind: PartKind::Lookup { collection, parts } },
        many: true,
        choice: false,
        blank: false,
        readable: true,
        writable: false,
        optional: false,
    };

    let values = cache.read(collection, found, &field)?;
    Ok(values.first().and_then(Value::as_array).is_some_and(|names| names.contains(&owner.value)))
}

/// Whether an answer holds the place of the owner, and the owner is not in it.
pub(crate) fn lacks_owner(cache: &RowCache, owner: &Owner, row: &Value) -> bool {
    let speaks = match owner.at.split_last() {
        Some((_, above)) if !above.is_empty() => json_path::get(row, above).is_some_and(Value::is_object),
        _ => json_path::get(row, &owner.at).is_some(),
    };
    speaks && matches!(is_owned(cache, owner, row), Ok(false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rest::model::schema::{Part, RestKey};

    #[test]
    fn what_is_above_is_written_from_the_path_where_its_own_field_is_only_read() {
        const PATH: Part = Part { path: &["name"], kind: PartKind::Tree { parent: "parent", joined: true } };
        const PARENT: Part =
            Part { path: &["parent"], kind: PartKind::Lookup { collection: "places", parts: &[PATH] } };
        const fn field(names: &'static [&'static str], part: Part, writable: bool) -> RestField {
            RestField {
                names,
                part,
                many: false,
                choice: false,
                blank: false,
                readable: true,
                writable,
                optional: false,
            }
        }
        static SCHEMA: RestSchema = RestSchema {
            path: "places",
            query: "",
            key: RestKey { name: None, has_field: true },
            fields: &[field(&["path"], PATH, true), field(&["parent"], PARENT, false)],
            owner: None,
            record_pointer: None,
            skip_unnamed: false,
        };
        let mut cache = RowCache::new("id", &[&SCHEMA], &[]);
        cache.fill("places", [json!({"id": 7, "name": "NL", "parent": null})]);
        let values = Map::from_iter([("path".to_owned(), json!("NL → AMS"))]);
        let values = RecordValues { values, secrets: Vec::new() };
        let body = body(&mut cache, &SCHEMA, &values, BodyScope::All).unwrap();
        assert_eq!(Value::from(body), json!({"name": "AMS", "parent": 7}));
    }

    #[test]
    fn an_answer_shows_that_an_owner_was_not_kept_where_it_speaks_of_its_place() {
        let lacks = |at: &str, row: Value| lacks_owner(&RowCache::default(), &Owner::field(at, "us"), &row);
        for (row, expected) in
            [(json!({"by": "us"}), false), (json!({"by": null}), true), (json!({}), true), (json!(null), false)]
        {
            assert_eq!(lacks("custom_fields.by", json!({"custom_fields": row})), expected, "{row}");
        }
        assert!(!lacks("custom_fields.by", json!({"id": 1})), "it may be terse");
        assert!(!lacks("by", json!({"id": 1})), "it may be terse");
        assert!(lacks("by", json!({"by": "them"})));
    }

    #[test]
    fn a_path_is_what_is_above_and_a_name() {
        let check = |path: Value, above: Value, name: Value| assert_eq!(split(Some(&path)), (above, name));
        check(json!("NL → AMS → 1"), json!("NL → AMS"), json!("1"));
        check(json!("NL"), json!(null), json!("NL"));
        check(json!(r"NL \→ B → AMS \→ 1"), json!(r"NL \→ B"), json!("AMS → 1"));
        check(json!(["NL", "AMS", "1"]), json!(["NL", "AMS"]), json!("1"));
        check(json!(["NL"]), json!(null), json!("NL"));
        check(json!([]), json!(null), json!(null));
    }
}
