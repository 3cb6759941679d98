//! Keys that a model names but no row of a collection has: they are misspelt, and would empty the fields read from them.

use std::collections::BTreeSet;

use diffsync_core::adapter::AdapterError;
use diffsync_core::value::suggest;
use serde_json::Value;

use crate::rest::cache::RowCache;
use crate::rest::http::body::unpacked;
use crate::rest::model::schema::{Part, PartKind, RestField, RestSchema};

/// A path in the rows of a collection, and the field that is read from it.
struct NamedKey {
    at: Vec<&'static str>,
    model: &'static str,
    field: &'static RestField,
}

/// A model's name and schema.
type NamedSchema = (&'static str, &'static RestSchema);

/// The message for keys that no row has. Similar keys are searched in `known`.
pub(crate) fn describe_missing(models: &[NamedSchema], name: &str, known: &[Value], rows: &[Value]) -> String {
    let missing = missing_keys(models, name, rows);
    let each = missing.iter().map(|named| {
        let (way, field, model) = (named.at.join("."), named.field.names.join("`, `"), named.model);
        let meant = meant(&named.at, known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        format!("no row has `{way}`, which `{field}` of the model `{model}` is read from{meant}")
    });
    let each: Vec<_> = each.collect();
    format!(
        "`{name}`: {}; where the API leaves out keys that have no value, write `#[rest(optional)]` on the field",
        each.join("; ")
    )
}

/// Whether a key that a model names is in no row.
pub(crate) fn lacks_keys(models: &[NamedSchema], name: &str, rows: &[Value]) -> bool {
    !missing_keys(models, name, rows).is_empty()
}

/// An error if no row has the server's key. Only a target needs it.
pub(crate) fn check_server_key(cache: &RowCache, schema: &RestSchema) -> Result<(), AdapterError> {
    let name = schema.collection();
    let (key, rows) = (cache.key_of(&name), cache.rows(&name));
    let is_missing =
        schema.key.has_field && !rows.is_empty() && rows.iter().all(|row| unpacked(row).get(key).is_none());
    if !is_missing {
        return Ok(());
    }

    Err(AdapterError::new(format!(
        "`{name}`: no row has `{key}`, which is declared as the server's key; declare its name \
         (`#[rest(key, field = \"…\")]`, `Dialect::key`)"
    )))
}

fn missing_keys(models: &[NamedSchema], name: &str, rows: &[Value]) -> Vec<NamedKey> {
    if rows.is_empty() {
        return Vec::new();
    }

    let mut missing: Vec<NamedKey> = Vec::new();
    for (model, schema) in models.iter().copied() {
        let is_own = schema.collection() == name;
        for field in schema.fields.iter().filter(|field| field.readable && !field.optional) {
            let mut ways = Vec::new();
            if is_own {
                note(&field.part, &mut ways);
            }

            note_inner(&field.part, name, &mut ways);
            for at in ways {
                let is_known = missing.iter().any(|named| named.at == at && named.model == model);
                if !is_known && is_missing(rows.iter().map(|row| holds(&unpacked(row), &at))) {
                    missing.push(NamedKey { at, model, field });
                }
            }
        }
    }

    missing
}

/// The paths of a part in the rows of its own collection.
fn note(part: &Part, ways: &mut Vec<Vec<&'static str>>) {
    ways.push(part.path.to_vec());
    if let PartKind::Tree { parent, .. } = part.kind {
        ways.push(vec![parent]);
    }
}

/// The paths of a part in the rows of another collection.
fn note_inner(part: &Part, name: &str, ways: &mut Vec<Vec<&'static str>>) {
    let PartKind::Lookup { collection, parts } = part.kind else { return };
    for part in parts {
        if collection == name {
            note(part, ways);
        }
        note_inner(part, name, ways);
    }
}

/// Whether a row has a value at the end of a path. `None` below a `null`, where anything may be.
fn holds(row: &Value, at: &[&str]) -> Option<bool> {
    let Some((first, rest)) = at.split_first() else { return Some(true) };
    match row.get(*first) {
        None if row.is_null() => None,
        None => Some(false),
        Some(_) if rest.is_empty() => Some(true),
        Some(inner) => holds(inner, rest),
    }
}

/// Whether no row has it, and at least one surely lacks it.
fn is_missing(rows: impl Iterator<Item = Option<bool>>) -> bool {
    let mut lacks = false;
    for has in rows {
        match has {
            Some(true) => return false,
            Some(false) => lacks = true,
            None => {}
        }
    }

    lacks
}

/// The path that was probably meant.
fn meant(at: &[&str], rows: &[Value]) -> Option<String> {
    let rows: Vec<_> = rows.iter().map(unpacked).collect();
    let wrong = (0..at.len())
        .find(|&end| at.get(..=end).is_some_and(|at| is_missing(rows.iter().map(|row| holds(row, at)))))?;
    let (before, wrong) = (at.get(..wrong)?, at.get(wrong)?);
    let mut names = BTreeSet::new();
    for row in &rows {
        let inner = before.iter().try_fold(&**row, |row, step| row.get(*step));
        names.extend(inner.and_then(Value::as_object).into_iter().flat_map(|fields| fields.keys().map(String::as_str)));
    }

    let name = suggest(wrong, names)?;
    Some(before.iter().copied().chain([name]).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn below_nothing_there_may_be_anything() {
        let row = json!({"a": {"b": 1, "c": null}, "d": null, "e": 7});
        for (at, expected) in [
            (&["a"][..], Some(true)),
            (&["a", "b"], Some(true)),
            (&["a", "c", "x"], None),
            (&["a", "x"], Some(false)),
            (&["d", "x", "y"], None),
            (&["e", "x"], Some(false)),
            (&["x"], Some(false)),
        ] {
            assert_eq!(holds(&row, at), expected, "{at:?}");
        }
    }

    #[test]
    fn the_nearest_key_is_looked_for_where_the_way_ends() {
        let rows = [json!({"custom_fields": {"cmdb_id": 1, "owner": 2}, "name": "a"}), json!({"custom_fields": null})];
        assert_eq!(meant(&["custom_fields", "cmdbid"], &rows).as_deref(), Some("custom_fields.cmdb_id"));
        assert_eq!(meant(&["custom_field", "cmdb_id"], &rows).as_deref(), Some("custom_fields"));
        assert_eq!(meant(&["nmae"], &rows).as_deref(), Some("name"));
        assert_eq!(meant(&["xyz"], &rows), None);
    }
}
