//! The peer's diff, brought into our form.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::records::{Name, Row};

/// The peer's diff in our form.
#[derive(Default)]
pub(super) struct PeerDiff {
    pub(super) nodes: BTreeMap<Name, Node>,
    /// The records that moved.
    pub(super) moved: Vec<Name>,
}

/// A record with its attributes on the side of the source and on that of the target.
#[derive(Clone)]
pub(super) struct Node {
    parent: Option<Name>,
    plus: Option<Map<String, Value>>,
    minus: Option<Map<String, Value>>,
}

impl PeerDiff {
    /// Brings the peer's diff into our form. There are three differences of form, and no other is forgiven:
    ///
    /// - A record that did not change itself stands above those that did with an empty `+` and an empty `-`; ours has
    ///   neither.
    /// - A record that moved stands twice, with all its attributes: deleted where it was, created where it is. Ours stands
    ///   once, under its new parent, with the attributes that changed. The same is true of all that moved along with it,
    ///   which mostly did not change at all. The counts of the summary follow.
    /// - Records are named by their identifiers joined with `__`; ours quotes those that would be ambiguous.
    pub(super) fn read(diff: &Value) -> Result<Self, String> {
        let mut listed = Vec::new();
        flatten(diff, None, &mut listed)?;
        let mut read = Self::default();
        for (name, node) in listed {
            let Some(other) = read.nodes.remove(&name) else {
                read.nodes.insert(name, node);
                continue;
            };
            let node = moved(node, other).ok_or_else(|| format!("the peer has {name:?} twice, and it did not move"))?;
            read.moved.push(name.clone());
            read.nodes.insert(name, node);
        }
        Ok(read)
    }

    /// Counts the records that moved as we do.
    pub(super) fn correct(&self, summary: &mut Value) -> Result<(), String> {
        for name in &self.moved {
            let became = if self.nodes[name].is_change() { "update" } else { "no-change" };
            for (count, by) in [("create", -1), ("delete", -1), (became, 1)] {
                let before = summary[count].as_i64().ok_or("the peer's summary has no such count")?;
                summary[count] = json!(before + by);
            }
        }
        Ok(())
    }

    /// Adds a record of another diff, and those that it stands under.
    pub(super) fn add(&mut self, other: &Self, name: &Name) {
        self.nodes.insert(name.clone(), other.nodes[name].clone());
        let mut above = other.nodes[name].parent.clone();
        while let Some(name) = above.take_if(|name| !self.nodes.contains_key(name)) {
            let parent = other.nodes[&name].parent.clone();
            self.nodes.insert(name, Node { parent: parent.clone(), plus: Some(Map::new()), minus: Some(Map::new()) });
            above = parent;
        }
    }

    /// The records that are changed in one way.
    pub(super) fn of(&self, operation: &str) -> BTreeSet<Name> {
        let nodes = self.nodes.iter().filter(|(_, node)| node.operation() == Some(operation));
        nodes.map(|(name, _)| name.clone()).collect()
    }

    /// What it says is to be done.
    pub(super) fn operations(&self, rows: &HashMap<Name, &Row>) -> Vec<Value> {
        let operation = |(name, node): (&Name, &Node)| {
            let (operation, row) = (node.operation()?, rows.get(name)?);
            let attrs = node.plus.clone().unwrap_or_default();
            Some(json!({ "operation": operation, "model": row.model(), "ids": row.ids(), "attrs": attrs }))
        };
        self.nodes.iter().filter_map(operation).collect()
    }

    /// The document.
    pub(super) fn document(&self, rows: &HashMap<Name, &Row>) -> Result<Value, String> {
        let mut shown = BTreeSet::new();
        for (name, node) in &self.nodes {
            let mut at = Some(name).filter(|_| node.is_change());
            while let Some(name) = at.filter(|name| shown.insert(*name)) {
                at = self.nodes.get(name).and_then(|node| node.parent.as_ref());
            }
        }
        let mut under: HashMap<_, Vec<_>> = HashMap::new();
        for name in shown {
            under.entry(self.nodes.get(name).and_then(|node| node.parent.as_ref())).or_default().push(name);
        }
        Ok(Value::Object(nested(None, &self.nodes, &under, rows)?))
    }
}

impl Node {
    pub(super) fn is_change(&self) -> bool {
        let empty = |attrs: &Option<Map<String, Value>>| attrs.as_ref().is_some_and(Map::is_empty);
        !(empty(&self.plus) && empty(&self.minus))
    }

    /// What is to be done with the record.
    fn operation(&self) -> Option<&'static str> {
        match (&self.plus, &self.minus) {
            (Some(_), None) => Some("create"),
            (Some(_), Some(_)) if self.is_change() => Some("update"),
            (None, Some(_)) => Some("delete"),
            (Some(_) | None, _) => None,
        }
    }
}

/// The outcome of a record that is deleted in one place and created in another.
fn moved(one: Node, other: Node) -> Option<Node> {
    let (created, deleted) = if one.plus.is_some() { (one, other) } else { (other, one) };
    let (Node { parent, plus: Some(plus), minus: None }, Node { plus: None, minus: Some(minus), .. }) =
        (created, deleted)
    else {
        return None;
    };
    let changed = |attrs: &Map<String, Value>| -> Map<String, Value> {
        let changed = attrs.iter().filter(|(name, _)| plus.get(*name) != minus.get(*name));
        changed.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    Some(Node { parent, plus: Some(changed(&plus)), minus: Some(changed(&minus)) })
}

/// Lists the records of a diff, each after the one it stands under.
fn flatten(groups: &Value, parent: Option<&Name>, nodes: &mut Vec<(Name, Node)>) -> Result<(), String> {
    let object = |value: &Value| value.as_object().cloned().ok_or_else(|| format!("the peer's diff has {value}"));
    for (model, records) in object(groups)? {
        let records = object(&records)?;
        if records.is_empty() {
            return Err(format!("the peer's diff names {model}, and none of its records"));
        }
        for (uid, element) in records {
            let mut children = object(&element)?;
            let mut attrs = |sign| children.remove(sign).map(|attrs| object(&attrs)).transpose();
            let node = Node { parent: parent.cloned(), plus: attrs("+")?, minus: attrs("-")? };
            let name = (model.clone(), uid);
            nodes.push((name.clone(), node));
            flatten(&Value::Object(children), Some(&name), nodes)?;
        }
    }
    Ok(())
}

/// The records that stand under one, or at the top, as the groups of a diff.
fn nested(
    parent: Option<&Name>,
    nodes: &BTreeMap<Name, Node>,
    under: &HashMap<Option<&Name>, Vec<&Name>>,
    rows: &HashMap<Name, &Row>,
) -> Result<Map<String, Value>, String> {
    let mut groups: Map<String, Value> = Map::new();
    for &name in under.get(&parent).into_iter().flatten() {
        let mut element = nested(Some(name), nodes, under, rows)?;
        let node = &nodes[name];
        if node.is_change() {
            for (sign, attrs) in [("+", &node.plus), ("-", &node.minus)] {
                element.extend(attrs.clone().map(|attrs| (sign.to_owned(), Value::Object(attrs))));
            }
        }
        let row = rows.get(name).ok_or_else(|| format!("the peer has {name:?}, which is on neither side"))?;
        groups.entry(name.0.clone()).or_insert_with(|| json!({}))[&row.text] = Value::Object(element);
    }
    Ok(groups)
}
