//! The peer's diff, brought into our form.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::records::Row;

/// The peer's diff in our form.
pub(super) struct PeerDiff {
    pub(super) diff: Value,
    /// What it says is to be done.
    pub(super) operations: Vec<Value>,
    /// How many records moved.
    pub(super) moves: usize,
}

/// A record in the peer's diff: model and joined identifiers.
pub(super) type Name = (String, String);

/// A record with its attributes on the side of the source and on that of the target.
struct Node {
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
    pub(super) fn read(diff: &Value, summary: &mut Value, rows: &HashMap<Name, Row>) -> Result<Self, String> {
        let mut listed = Vec::new();
        flatten(diff, None, &mut listed)?;
        let mut nodes: BTreeMap<Name, Node> = BTreeMap::new();
        let mut moves = 0;
        for (name, node) in listed {
            let Some(other) = nodes.remove(&name) else {
                nodes.insert(name, node);
                continue;
            };
            let node = moved(node, other).ok_or_else(|| format!("the peer has {name:?} twice, and it did not move"))?;
            moves += 1;
            let became = if node.is_change() { "update" } else { "no-change" };
            for (count, by) in [("create", -1), ("delete", -1), (became, 1)] {
                let before = summary[count].as_i64().ok_or("the peer's summary has no such count")?;
                summary[count] = json!(before + by);
            }
            nodes.insert(name, node);
        }
        let mut shown = BTreeSet::new();
        for (name, node) in &nodes {
            let mut at = Some(name).filter(|_| node.is_change());
            while let Some(name) = at.filter(|name| shown.insert(*name)) {
                at = nodes.get(name).and_then(|node| node.parent.as_ref());
            }
        }
        let mut under: HashMap<_, Vec<_>> = HashMap::new();
        for name in shown {
            under.entry(nodes.get(name).and_then(|node| node.parent.as_ref())).or_default().push(name);
        }
        let diff = Value::Object(nested(None, &nodes, &under, rows)?);
        let changed = nodes.iter().filter(|(_, node)| node.is_change());
        let operations = changed.filter_map(|(name, node)| node.operation(rows.get(name)?)).collect();
        Ok(Self { diff, operations, moves })
    }
}

impl Node {
    fn is_change(&self) -> bool {
        let empty = |attrs: &Option<Map<String, Value>>| attrs.as_ref().is_some_and(Map::is_empty);
        !(empty(&self.plus) && empty(&self.minus))
    }

    /// What is to be done with the record, which is this row on one side.
    fn operation(&self, row: &Row) -> Option<Value> {
        let (operation, attrs) = match (&self.plus, &self.minus) {
            (Some(plus), None) => ("create", plus.clone()),
            (Some(plus), Some(_)) => ("update", plus.clone()),
            (None, Some(_)) => ("delete", Map::new()),
            (None, None) => return None,
        };
        Some(json!({ "operation": operation, "model": row.model(), "ids": row.ids(), "attrs": attrs }))
    }
}

/// What became of a record that is deleted in one place and created in another.
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
    rows: &HashMap<Name, Row>,
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
