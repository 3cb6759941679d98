//! The diff as a tree of records, to print and to serialise. Values are read from the two sides when they are written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::dataset::Dataset;
use crate::diff::TableDiff;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::step::Side;

/// A diff as a tree: changed records under the records they live under.
///
/// `Display` writes it for people, `+` for what is created, `-` for what is deleted and `~` for what is updated.
/// `Serialize` writes it nested as the Python peer's `Diff.dict()` does:
/// `{"region": {"europe": {"country": {"france": {"+": {…}, "-": {…}}}}}}`. A record that moved stands under its new
/// parent. What is nested in more than 50 others stands at the top again: nobody reads that, and neither do parsers.
pub struct DiffTree<'a> {
    plan: &'a dyn PlanView,
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

/// How many others a record is shown nested in at most. Each is two levels of JSON, of which parsers commonly take 128.
const DEEPEST: usize = 50;

struct Node {
    /// The record on the source's side if it is there, else on the target's.
    record: RecordRef,
    change: Option<Change>,
    depth: usize,
    children: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Change {
    Create,
    /// The position in the table's list of updates, and the target's record.
    Update(usize, RecordRef),
    Delete,
}

impl<'a> DiffTree<'a> {
    /// Builds the tree of a plan's diff. Its size grows with the changes, not with the records.
    #[must_use]
    pub fn of(plan: &'a dyn PlanView) -> Self {
        let mut builder = Builder { tree: Self { plan, nodes: Vec::new(), roots: Vec::new() }, known: HashMap::new() };
        for (model, table) in plan.diff().tables().iter().enumerate() {
            for &row in &table.creates {
                builder.add(RecordRef::new(Side::Source, model, row), Change::Create);
            }
            for (update, &(source, target)) in table.updates.iter().enumerate() {
                let change = Change::Update(update, RecordRef::new(Side::Target, model, target));
                builder.add(RecordRef::new(Side::Source, model, source), change);
            }
            for &row in &table.deletes {
                builder.add(RecordRef::new(Side::Target, model, row), Change::Delete);
            }
        }
        builder.tree
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn table(&self, record: RecordRef) -> &TableDiff {
        &self.plan.diff().tables()[record.model()]
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, nodes: &[usize], depth: usize) -> fmt::Result {
        for &at in nodes {
            let node = &self.nodes[at];
            let sign = match node.change {
                None => "",
                Some(Change::Create) => "+ ",
                Some(Change::Update(..)) => "~ ",
                Some(Change::Delete) => "- ",
            };
            let model = self.table(node.record).schema.name;
            writeln!(
                f,
                "{:indent$}{sign}{model} {}",
                "",
                printable(&self.plan.record(node.record)),
                indent = depth * 2
            )?;
            if let Some(Change::Update(update, target)) = node.change {
                for (position, attribute) in self.changed(node.record, update) {
                    let [before, after] = [target, node.record].map(|record| self.show(record, position));
                    let indent = depth * 2 + 4;
                    writeln!(f, "{:indent$}{attribute}: {before} -> {after}", "")?;
                }
            }
            self.write(f, &node.children, depth + 1)?;
        }
        Ok(())
    }

    /// The positions and names of the attributes that an update changes.
    fn changed(&self, record: RecordRef, update: usize) -> impl Iterator<Item = (usize, &'static str)> {
        let table = self.table(record);
        let attributes = table.schema.attributes.iter().enumerate();
        attributes
            .filter(move |&(position, _)| table.is_changed(update, position))
            .map(|(position, attribute)| (position, attribute.name))
    }

    /// The value of an attribute, or why there is none: one that cannot be shown must not hide the others.
    fn show(&self, record: RecordRef, attribute: usize) -> Value {
        self.plan
            .attribute(record, attribute)
            .unwrap_or_else(|error| Value::String(format!("(cannot be shown: {error})")))
    }
}

impl<D: Dataset> Plan<D> {
    /// The diff as a tree, to print or to serialise.
    pub fn tree(&self) -> DiffTree<'_> {
        DiffTree::of(self)
    }
}

impl dyn PlanView + '_ {
    /// The diff as a tree, to print or to serialise.
    #[must_use]
    pub fn tree(&self) -> DiffTree<'_> {
        DiffTree::of(self)
    }
}

/// An identifier as it can stand on a line: quoted if it would be nothing, or could pass for something else.
fn printable(identifier: &str) -> Cow<'_, str> {
    let plain = !identifier.is_empty() && identifier.trim() == identifier && !identifier.contains(char::is_control);
    if plain { Cow::Borrowed(identifier) } else { Cow::Owned(format!("{identifier:?}")) }
}

impl fmt::Display for DiffTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("(no differences)\n");
        }
        self.write(f, &self.roots, 0)
    }
}

impl fmt::Debug for DiffTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Builder<'a> {
    tree: DiffTree<'a>,
    known: HashMap<RecordRef, usize>,
}

impl Builder<'_> {
    fn add(&mut self, record: RecordRef, change: Change) {
        let at = self.node(record);
        self.tree.nodes[at].change = Some(change);
    }

    /// The node of a record, made together with those it lives under if need be.
    fn node(&mut self, record: RecordRef) -> usize {
        let first = self.tree.nodes.len();
        let mut next = Some(record);
        let mut above = None;
        while let Some(record) = next {
            if let Some(&known) = self.known.get(&record) {
                if first == self.tree.nodes.len() {
                    return known;
                }
                // A circle, which only the target can have, is cut where it closes.
                above = Some(known).filter(|&known| known < first);
                break;
            }
            self.known.insert(record, self.tree.nodes.len());
            self.tree.nodes.push(Node { record, change: None, depth: 0, children: Vec::new() });
            next = self.parent(record);
        }
        for at in (first..self.tree.nodes.len()).rev() {
            match above.filter(|&above| self.tree.nodes[above].depth < DEEPEST) {
                Some(above) => {
                    self.tree.nodes[at].depth = self.tree.nodes[above].depth + 1;
                    self.tree.nodes[above].children.push(at);
                }
                None => self.tree.roots.push(at),
            }
            above = Some(at);
        }
        first
    }

    fn parent(&self, record: RecordRef) -> Option<RecordRef> {
        let parent = self.tree.plan.parent(record)?;
        match parent.side() {
            Side::Source => Some(parent),
            Side::Target => Some(self.tree.plan.counterpart(parent).unwrap_or(parent)),
        }
    }
}

impl Serialize for DiffTree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_groups(&mut map, &self.roots)?;
        map.end()
    }
}

impl DiffTree<'_> {
    /// One entry for each model, holding its records by identifier.
    fn serialize_groups<M: SerializeMap>(&self, map: &mut M, nodes: &[usize]) -> Result<(), M::Error> {
        for (model, table) in self.plan.diff().tables().iter().enumerate() {
            if nodes.iter().any(|&at| self.nodes[at].record.model() == model) {
                map.serialize_entry(table.schema.name, &Group { tree: self, nodes, model })?;
            }
        }
        Ok(())
    }
}

struct Group<'a> {
    tree: &'a DiffTree<'a>,
    nodes: &'a [usize],
    model: usize,
}

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for &at in self.nodes {
            let record = self.tree.nodes[at].record;
            if record.model() == self.model {
                map.serialize_entry(&self.tree.plan.record(record), &Element { tree: self.tree, at })?;
            }
        }
        map.end()
    }
}

struct Element<'a> {
    tree: &'a DiffTree<'a>,
    at: usize,
}

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let node = &self.tree.nodes[self.at];
        let attributes = |record, update| Attributes { tree: self.tree, record, update };
        let mut map = serializer.serialize_map(None)?;
        match node.change {
            None => {}
            Some(Change::Create) => map.serialize_entry("+", &attributes(node.record, None))?,
            Some(Change::Delete) => map.serialize_entry("-", &attributes(node.record, None))?,
            Some(Change::Update(update, target)) => {
                map.serialize_entry("+", &attributes(node.record, Some(update)))?;
                map.serialize_entry("-", &attributes(target, Some(update)))?;
            }
        }
        self.tree.serialize_groups(&mut map, &node.children)?;
        map.end()
    }
}

/// A record's attributes, all of them or those that an update changes.
struct Attributes<'a> {
    tree: &'a DiffTree<'a>,
    record: RecordRef,
    update: Option<usize>,
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = self.tree.table(self.record);
        let mut map = serializer.serialize_map(None)?;
        for (position, attribute) in table.schema.attributes.iter().enumerate() {
            if self.update.is_none_or(|update| table.is_changed(update, position)) {
                map.serialize_entry(attribute.name, &self.tree.show(self.record, position))?;
            }
        }
        map.end()
    }
}
