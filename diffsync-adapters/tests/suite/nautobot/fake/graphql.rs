//! The fake's GraphQL: pages of collections, and what there is to ask.

use serde_json::{Map, Value, json};
use wiremock::ResponseTemplate;

use super::rest::json_of;
use super::schema::{self, COLLECTIONS, Collection, Kind};
use super::state::{Row, State};

/// A field that is asked for, with its arguments and what of it.
#[derive(Debug)]
struct Asked<'a> {
    alias: &'a str,
    name: &'a str,
    arguments: Vec<(&'a str, Value)>,
    of: Vec<Asked<'a>>,
}

pub(crate) fn answer(state: &State, body: &Value) -> ResponseTemplate {
    let query = body["query"].as_str().unwrap();
    let mut words = Words { rest: query, variables: &body["variables"] };
    // A query may have a name and declare its variables before its first brace.
    while words.peek() != "{" {
        words.next();
    }
    let asked = words.selection();
    let mut data = Map::new();
    let mut errors = Vec::new();
    for field in &asked {
        match root(state, field) {
            Ok(value) => drop(data.insert(field.alias.to_owned(), value)),
            Err(message) => errors.push(json!({"message": message, "locations": [{"line": 1, "column": 3}]})),
        }
    }
    if errors.is_empty() { json_of(200, json!({"data": data})) } else { json_of(400, json!({"errors": errors})) }
}

fn root(state: &State, asked: &Asked) -> Result<Value, String> {
    match asked.name {
        "__typename" => Ok(json!("Query")),
        "__schema" => Ok(pruned(&json!({"queryType": {"name": "Query", "fields": roots()}}), &asked.of)),
        "__type" => {
            let name = asked.arguments[0].1.as_str().unwrap();
            let collection = COLLECTIONS.iter().find(|collection| type_of(collection) == name);
            Ok(collection.map_or(Value::Null, |collection| {
                pruned(&json!({"name": name, "fields": fields(collection)}), &asked.of)
            }))
        }
        name => {
            let collection = COLLECTIONS.iter().find(|collection| collection.graphql == Some(name));
            let collection = collection.ok_or_else(|| format!("Cannot query field '{name}' on type 'Query'."))?;
            let (mut limit, mut offset) = (usize::MAX, 0);
            for (name, value) in &asked.arguments {
                let number = || usize::try_from(value.as_u64().unwrap()).unwrap();
                match *name {
                    "limit" => limit = number(),
                    "offset" => offset = number(),
                    other => return Err(format!("Unknown argument '{other}' on field 'Query.{name}'.")),
                }
            }
            let rows = state.shown(collection.path).iter().skip(offset).take(limit);
            rows.map(|row| record(state, collection, row, &asked.of)).collect()
        }
    }
}

fn record(state: &State, collection: &'static Collection, row: &Row, asked: &[Asked]) -> Result<Value, String> {
    let mut shown = Map::new();
    for field in asked {
        shown.insert(field.alias.to_owned(), value(state, collection, row, field)?);
    }
    Ok(shown.into())
}

fn value(state: &State, collection: &'static Collection, row: &Row, asked: &Asked) -> Result<Value, String> {
    let linked = |path: &str, id: &Value| match state.shown(path).iter().find(|row| row["id"] == *id) {
        Some(row) => record(state, schema::at(path).unwrap(), row, &asked.of),
        None => Ok(Value::Null),
    };
    match (asked.name, collection.kind(asked.name)) {
        ("id", _) => Ok(row["id"].clone()),
        ("_custom_field_data", _) if collection.custom_fields => Ok(row["_custom_field_data"].clone()),
        ("parent", Some(Kind::Own)) => {
            let host = row.get("host").and_then(Value::as_str);
            let parent = host.and_then(|host| state.parent_of(&row["parent_namespace"], host.parse().unwrap()));
            linked("ipam/prefixes", parent.map_or(&Value::Null, |parent| &parent["id"]))
        }
        (name, Some(Kind::Many(path))) => {
            let ids = row[name].as_array().unwrap().iter().filter(|_| !state.hidden.contains(path));
            ids.map(|id| linked(path, id)).collect()
        }
        (name, Some(kind)) if kind.leads_to().is_some() => linked(kind.leads_to().unwrap(), &row[name]),
        (name, Some(Kind::Types)) => {
            let types = row[name].as_array().unwrap().iter().map(|of| {
                let (app_label, model) = of.as_str().unwrap().split_once('.').unwrap();
                pruned(&json!({"app_label": app_label, "model": model}), &asked.of)
            });
            Ok(types.collect())
        }
        (name, Some(Kind::Choice(..) | Kind::Plain(..))) => Ok(constant(&row[name])),
        // The real one makes constants of time zones, too.
        ("time_zone", Some(_)) => Ok(constant(&row["time_zone"])),
        (name, Some(_)) => Ok(row[name].clone()),
        (name, None) => Err(format!("Cannot query field '{name}' on type '{}'.", type_of(collection))),
    }
}

/// A choice as GraphQL spells it: `A_10GBASE_X_SFPP` for `10gbase-x-sfpp`.
fn constant(value: &Value) -> Value {
    let Some(value) = value.as_str().filter(|value| !value.is_empty()) else { return Value::Null };
    if value == "other" {
        // As where another choice gives the same constant.
        return json!("OTHER_1");
    }
    let name: String = value.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    json!(if name.starts_with(|c: char| c.is_ascii_digit()) { format!("A_{name}") } else { name })
}

fn type_of(collection: &Collection) -> String {
    format!("{}Type", collection.object_type.split_once('.').unwrap().1)
}

fn roots() -> Value {
    let of = |collection: &Collection| {
        Some(
            json!({"name": collection.graphql?, "type": {"name": null, "kind": "LIST", "ofType": {"name": type_of(collection), "kind": "OBJECT"}}}),
        )
    };
    COLLECTIONS.iter().filter_map(of).collect()
}

fn fields(collection: &Collection) -> Value {
    let plain = |name: &str, kind: &str| json!({"name": name, "type": {"kind": kind, "name": "T", "ofType": null}});
    let wrapped = |name: &str, by: &str, kind: &str| json!({"name": name, "type": {"kind": by, "name": null, "ofType": {"kind": kind, "name": "T", "ofType": null}}});
    let mut fields = vec![wrapped("id", "NON_NULL", "SCALAR")];
    if collection.custom_fields {
        fields.push(plain("_custom_field_data", "SCALAR"));
    }
    fields.extend(collection.fields.iter().map(|(name, kind)| match kind {
        Kind::Choice(_, None) => wrapped(name, "NON_NULL", "ENUM"),
        Kind::Choice(..) | Kind::Plain(..) => plain(name, "ENUM"),
        _ if *name == "time_zone" => plain(name, "ENUM"),
        Kind::Many(_) | Kind::Types => wrapped(name, "LIST", "OBJECT"),
        Kind::Own if *name == "parent" => plain(name, "OBJECT"),
        kind if kind.leads_to().is_some() => plain(name, "OBJECT"),
        _ => plain(name, "SCALAR"),
    }));
    fields.into()
}

/// What is asked of a value that is there as a whole.
fn pruned(value: &Value, asked: &[Asked]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| pruned(item, asked)).collect(),
        Value::Object(fields) if !asked.is_empty() => asked
            .iter()
            .map(|field| (field.alias.to_owned(), pruned(&fields[field.name], &field.of)))
            .collect::<Row>()
            .into(),
        other => other.clone(),
    }
}

/// A query, word by word.
struct Words<'a> {
    rest: &'a str,
    variables: &'a Value,
}

impl<'a> Words<'a> {
    fn peek(&self) -> &'a str {
        let rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = match rest.chars().next() {
            None => 0,
            Some('"') => rest[1..].find('"').unwrap() + 2,
            Some(first) if is_part(first) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            Some(_) => 1,
        };
        &rest[..end]
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek();
        let start = word.as_ptr().addr() - self.rest.as_ptr().addr();
        self.rest = &self.rest[start + word.len()..];
        word
    }

    fn selection(&mut self) -> Vec<Asked<'a>> {
        assert_eq!(self.next(), "{");
        let mut asked = Vec::new();
        while self.peek() != "}" {
            let alias = self.next();
            let mut field = Asked { alias, name: alias, arguments: Vec::new(), of: Vec::new() };
            if self.peek() == ":" {
                self.next();
                field.name = self.next();
            }
            if self.peek() == "(" {
                self.next();
                while self.peek() != ")" {
                    let name = self.next();
                    assert_eq!(self.next(), ":");
                    let value = match self.next() {
                        variable if variable.starts_with('$') => self.variables[&variable[1..]].clone(),
                        literal => serde_json::from_str(literal).unwrap(),
                    };
                    field.arguments.push((name, value));
                }
                self.next();
            }
            if self.peek() == "{" {
                field.of = self.selection();
            }
            asked.push(field);
        }
        self.next();
        asked
    }
}
