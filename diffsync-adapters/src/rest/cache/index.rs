//! Finds records by identifying values.

use std::collections::HashMap;

use serde_json::Value;

use crate::rest::model::schema::{Part, PartKind};

/// The keys of a collection's rows by identifying values.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) parts: &'static [Part],
    keys: HashMap<String, Found>,
}

#[derive(Debug)]
enum Found {
    One(Value),
    Several(usize),
}

impl Index {
    pub(crate) fn new(parts: &'static [Part]) -> Self {
        Self { parts, keys: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, values: &[Value], key: Value) {
        self.keys
            .entry(text_of(values))
            .and_modify(|found| {
                *found = Found::Several(if let Found::Several(count) = found { *count + 1 } else { 2 });
            })
            .or_insert(Found::One(key));
    }

    /// The key of the one record that these values identify, or why there is no such key.
    pub(crate) fn find(&self, values: &[Value]) -> Result<Value, String> {
        match self.keys.get(&text_of(values)) {
            Some(Found::One(key)) => Ok(key.clone()),
            Some(Found::Several(count)) => Err(format!("has {count} records that are {}", shown(self.parts, values))),
            None => Err(format!("has no record that is {}", shown(self.parts, values))),
        }
    }
}

fn text_of(values: &[Value]) -> String {
    Value::from(values).to_string()
}

/// Values with the names of their parts.
fn shown(parts: &[Part], values: &[Value]) -> String {
    let mut names = Vec::new();
    for part in parts {
        name_all(part, "", &mut names);
    }
    let pairs = names.iter().zip(values).map(|(name, value)| format!("{name} {value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

fn name_all(part: &Part, before: &str, names: &mut Vec<String>) {
    let name = format!("{before}{}", part.path.join("."));
    match part.kind {
        PartKind::Value | PartKind::Tree { .. } => names.push(name),
        PartKind::Lookup { parts, .. } => parts.iter().for_each(|part| name_all(part, &format!("{name}."), names)),
    }
}
