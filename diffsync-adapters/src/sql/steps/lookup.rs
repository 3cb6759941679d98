//! Finds the keys that foreign keys hold by the natural keys that records hold.

use std::collections::HashMap;

use super::selection::JoinBuilder;
use crate::sql::catalogue::column_of;
use crate::sql::context::{FoundKeys, SqlContext};
use crate::sql::dialect::{Connection, Find, RowBatch};
use crate::sql::model::schema::{ForeignKey, Part};
use crate::sql::model::value::Value;
use crate::sql::session::error::WriteError;

/// The key for each natural key: null if the natural key is empty, a message if there is no such row.
pub(crate) async fn lookup_keys(
    context: &SqlContext,
    connection: &mut dyn Connection,
    foreign_key: &'static ForeignKey,
    wanted: Vec<Option<Vec<Value<'_>>>>,
) -> Result<Vec<Result<Value<'static>, String>>, WriteError> {
    let texts: Vec<Option<Vec<String>>> =
        wanted.iter().map(|key| key.as_ref().map(|key| key.iter().map(as_key).collect())).collect();
    let mut missing = RowBatch::new(natural_key_len(foreign_key));
    let mut positions: HashMap<&[String], usize> = HashMap::new();
    {
        let keys = context.keys();
        let found = keys.found.get(foreign_key);
        for (text, key) in texts.iter().zip(wanted) {
            if let (Some(text), Some(key)) = (text, key)
                && found.is_none_or(|found| !found.contains_key(text))
                && !positions.contains_key(text.as_slice())
            {
                positions.insert(text, missing.len());
                missing.values.extend(key);
            }
        }
    }

    let fresh =
        if positions.is_empty() { Vec::new() } else { query_keys(context, connection, foreign_key, &missing).await? };
    let mut by_position: HashMap<usize, Option<Value<'static>>> = HashMap::new();
    for (position, key) in fresh {
        by_position.entry(position).and_modify(|key| *key = None).or_insert(Some(key));
    }

    let mut keys = context.keys();
    let found = keys.found.entry(foreign_key).or_default();
    for (text, position) in positions {
        if let Some(key) = by_position.remove(&position) {
            found.insert(text.to_vec(), key);
        }
    }

    Ok(texts.iter().map(|text| found_key(foreign_key, text.as_ref(), found)).collect())
}

async fn query_keys(
    context: &SqlContext,
    connection: &mut dyn Connection,
    foreign_key: &'static ForeignKey,
    rows: &RowBatch<'_>,
) -> Result<Vec<(usize, Value<'static>)>, WriteError> {
    let quotes = context.database().quotes();
    let mut joined = JoinBuilder::default();
    let joined_columns = joined.parts(context, "t", foreign_key);
    let mut by = Vec::new();
    for joined_column in joined_columns {
        let columns = context.columns(connection, joined_column.table).await?;
        let column = column_of(&columns, joined_column.table, joined_column.column)
            .map_err(|error| context.server().fatal_schema_error(&error))?;
        by.push((format!("{}.{}", joined_column.alias, quotes.column(joined_column.column)), column.ty.clone()));
    }

    let columns = context.columns(connection, foreign_key.table).await?;
    let key = column_of(&columns, foreign_key.table, context.key_of(foreign_key))
        .map_err(|error| context.server().fatal_schema_error(&error))?;
    let kind = context.database().key_kind(key);
    let key = format!("t.{}", quotes.column(&key.name));
    let from = format!("{} AS t{}", quotes.table(foreign_key.table), joined.sql);
    let find = Find { key: &key, kind, from: &from, by: &by, rows };

    Ok(connection.find(&find).await?)
}

/// The key found for a natural key, or why none was found.
fn found_key(
    foreign_key: &ForeignKey,
    text: Option<&Vec<String>>,
    found: &FoundKeys,
) -> Result<Value<'static>, String> {
    let Some(text) = text else { return Ok(Value::Null) };
    let named = || format!("{:?} for `{}`", text.join(", "), foreign_key.column);
    match found.get(text) {
        Some(Some(key)) => Ok(key.clone()),
        Some(None) => Err(format!("`{}` has several rows that are {}", foreign_key.table, named())),
        None => Err(format!("`{}` has no row that is {}", foreign_key.table, named())),
    }
}

/// How many values a natural key has.
pub(crate) fn natural_key_len(foreign_key: &ForeignKey) -> usize {
    let len = |part: &Part| match part {
        Part::Column(_) => 1,
        Part::Lookup(further) => natural_key_len(further),
    };
    foreign_key.parts.iter().map(len).sum()
}

/// A value as a key of the cache.
fn as_key(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) => text.clone().into_owned(),
        Value::Bytes(bytes) => format!("{bytes:?}"),
    }
}
