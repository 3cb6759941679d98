//! Finds the keys that foreign keys hold by the natural keys that records hold.

use std::collections::HashMap;

use super::selection::Joined;
use crate::sql::catalogue::column_of;
use crate::sql::context::{FoundKeys, SqlContext};
use crate::sql::dialect::{Connection, Find, Grid};
use crate::sql::model::schema::{Leads, Part};
use crate::sql::model::value::Value;
use crate::sql::session::error::Trouble;

/// The key for each natural key: null for none, a sentence about it where there is no such row.
pub(crate) async fn lookup_keys(
    context: &SqlContext,
    connection: &mut dyn Connection,
    leads: &'static Leads,
    wanted: Vec<Option<Vec<Value<'_>>>>,
) -> Result<Vec<Result<Value<'static>, String>>, Trouble> {
    let texts: Vec<Option<Vec<String>>> =
        wanted.iter().map(|key| key.as_ref().map(|key| key.iter().map(as_key).collect())).collect();
    let mut missing = Grid::new(leads_len(leads));
    let mut asked: HashMap<&[String], usize> = HashMap::new();
    {
        let keys = context.keys();
        let found = keys.found.get(leads);
        for (text, key) in texts.iter().zip(wanted) {
            if let (Some(text), Some(key)) = (text, key)
                && found.is_none_or(|found| !found.contains_key(text))
                && !asked.contains_key(text.as_slice())
            {
                asked.insert(text, missing.len());
                missing.values.extend(key);
            }
        }
    }
    let fresh = if asked.is_empty() { Vec::new() } else { query_keys(context, connection, leads, &missing).await? };
    let mut by_position: HashMap<usize, Option<Value<'static>>> = HashMap::new();
    for (position, key) in fresh {
        by_position.entry(position).and_modify(|key| *key = None).or_insert(Some(key));
    }
    let mut keys = context.keys();
    let found = keys.found.entry(leads).or_default();
    for (text, position) in asked {
        if let Some(key) = by_position.remove(&position) {
            found.insert(text.to_vec(), key);
        }
    }
    Ok(texts.iter().map(|text| said(leads, text.as_ref(), found)).collect())
}

async fn query_keys(
    context: &SqlContext,
    connection: &mut dyn Connection,
    leads: &'static Leads,
    rows: &Grid<'_>,
) -> Result<Vec<(usize, Value<'static>)>, Trouble> {
    let quotes = context.database().quotes();
    let mut joined = Joined::default();
    let leaves = joined.parts(context, "t", leads);
    let mut by = Vec::new();
    for leaf in leaves {
        let columns = context.columns(connection, leaf.table).await?;
        let column = column_of(&columns, leaf.table, leaf.column)
            .map_err(|error| context.server().fatal_schema_error(&error))?;
        by.push((format!("{}.{}", leaf.alias, quotes.column(leaf.column)), column.ty.clone()));
    }
    let columns = context.columns(connection, leads.table).await?;
    let key = column_of(&columns, leads.table, context.key_of(leads))
        .map_err(|error| context.server().fatal_schema_error(&error))?;
    let kind = context.database().key_kind(key);
    let key = format!("t.{}", quotes.column(&key.name));
    let from = format!("{} AS t{}", quotes.table(leads.table), joined.sql);
    let find = Find { key: &key, kind, from: &from, by: &by, rows };
    Ok(connection.find(&find).await?)
}

/// What was found for a natural key.
fn said(leads: &Leads, text: Option<&Vec<String>>, found: &FoundKeys) -> Result<Value<'static>, String> {
    let Some(text) = text else { return Ok(Value::Null) };
    let named = || format!("{:?} for `{}`", text.join(", "), leads.column);
    match found.get(text) {
        Some(Some(key)) => Ok(key.clone()),
        Some(None) => Err(format!("`{}` has several rows that are {}", leads.table, named())),
        None => Err(format!("`{}` has no row that is {}", leads.table, named())),
    }
}

/// How many values a natural key has.
pub(crate) fn leads_len(leads: &Leads) -> usize {
    let len = |part: &Part| match part {
        Part::Column(_) => 1,
        Part::Lookup(further) => leads_len(further),
    };
    leads.parts.iter().map(len).sum()
}

/// A value as it is told apart from others.
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
