//! The diff as a tree of records, to print and to serialise. Values are read from the two sides only when written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::data::dataset::Dataset;
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::plan::diff::{TableDiff, Withheld};
use crate::plan::hold_reason::HoldReason;
use crate::plan::twin::Twin;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::value::printable::{escape_unprintable, is_unprintable};

/// A diff as a tree: changed records under their parents.
///
/// `Display` writes it for people, with `+` for creates, `-` for deletes and `~` for updates.
/// `Serialize` writes it nested as the Python peer's `Diff.dict()` does:
/// `{"region": {"europe": {"country": {"france": {"+": {…}, "-": {…}}}}}}`. A record that moved is under its new
/// parent. A record that is nested in more than 50 others is at the top again, since parsers limit the depth.
pub struct DiffTree<'a> {
    plan: &'a dyn PlanView,
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

/// One line of a [`DiffTree`]: a record, or a changed attribute of the record above it. `Display` writes it with its
/// indentation and without a line end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffLine {
    /// Its indentation, in steps of two spaces.
    pub depth: usize,
    /// The record's operation; `None` if it is only the parent of others.
    pub operation: Option<Operation>,
    /// Whether it is a changed attribute.
    pub is_attribute: bool,
    /// Whether the operation is held back.
    pub is_held: bool,
    /// The text, with unprintable characters escaped.
    pub text: String,
}

impl fmt::Display for DiffLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:indent$}{}", "", self.text, indent = self.depth * 2)
    }
}

/// One record of a [`DiffTree`], for a list that is stored as rows: each comes after the record that it lives under.
///
/// Values are read from the two sides when `changes` is serialised.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct DiffRow<'a> {
    /// Its position in the list, from 0.
    pub position: usize,
    /// The position of the record that it is shown under.
    pub parent: Option<usize>,
    /// How many records it is shown under.
    pub depth: usize,
    tree: &'a DiffTree<'a>,
    at: usize,
}

impl<'a> DiffRow<'a> {
    fn node(self) -> &'a Node {
        &self.tree.nodes[self.at]
    }

    /// The record, on the source's side if it is there, else on the target's.
    #[must_use]
    pub fn record(self) -> RecordRef {
        self.node().record
    }

    /// The model's name.
    #[must_use]
    pub fn model(self) -> &'static str {
        self.tree.table(self.record()).schema.name
    }

    /// What is to be done with the record; nothing where it is only the parent of others.
    #[must_use]
    pub fn operation(self) -> Option<Operation> {
        self.node().change.map(Change::operation)
    }

    /// Why the operation is not asked of the target, if it is not: `held`, `unsupported` or `cascaded`.
    #[must_use]
    pub fn withheld(self) -> Option<&'static str> {
        let withheld = self.node().change?.withheld(self.tree.table(self.record()))?;
        Some(match withheld {
            Withheld::Held(_) => "held",
            Withheld::Unsupported => "unsupported",
            Withheld::Cascaded => "cascaded",
        })
    }

    /// What changes, as the tree is serialised: attributes after the sync under `+`, and before it under `-`.
    #[must_use]
    pub fn changes(self) -> impl Serialize + use<'a> {
        ElementChanges { tree: self.tree, at: self.at }
    }
}

impl fmt::Debug for DiffRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.tree.plan.record(self.record());
        f.debug_struct("DiffRow").field("position", &self.position).field("record", &record).finish_non_exhaustive()
    }
}

/// The deepest nesting of a record. Each record is two levels of JSON, and parsers commonly allow 128.
const DEEPEST: usize = 50;

struct Node {
    /// The source's record if it exists, otherwise the target's.
    record: RecordRef,
    change: Option<Change>,
    depth: usize,
    children: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Change {
    /// The place in the table's list of creates.
    Create(usize),
    /// The place in the table's list of updates, and the target's record.
    Update(usize, RecordRef),
    /// The place in the table's list of deletes.
    Delete(usize),
}

impl Change {
    fn sign(self) -> &'static str {
        match self {
            Self::Create(_) => "+ ",
            Self::Update(..) => "~ ",
            Self::Delete(_) => "- ",
        }
    }

    fn operation(self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Update(..) => Operation::Update,
            Self::Delete(_) => Operation::Delete,
        }
    }

    /// Why it is withheld from the target, if it is.
    fn withheld(self, table: &TableDiff) -> Option<Withheld> {
        match self {
            Self::Create(place) => table.withheld(Operation::Create, place),
            Self::Update(place, _) => table.withheld(Operation::Update, place),
            Self::Delete(place) => table.withheld(Operation::Delete, place),
        }
    }
}

impl<'a> DiffTree<'a> {
    /// Builds the tree of a plan's diff. Its size grows with the changes, not with the records.
    #[must_use]
    pub fn of(plan: &'a dyn PlanView) -> Self {
        let mut builder =
            TreeBuilder { tree: Self { plan, nodes: Vec::new(), roots: Vec::new() }, known: HashMap::default() };
        for (model, table) in plan.diff().tables().iter().enumerate() {
            for (place, &row) in table.creates.iter().enumerate() {
                builder.add(RecordRef::new(Side::Source, model, row), Change::Create(place));
            }
            for (update, &(source, target)) in table.updates.iter().enumerate() {
                let change = Change::Update(update, RecordRef::new(Side::Target, model, target));
                builder.add(RecordRef::new(Side::Source, model, source), change);
            }
            for (place, &row) in table.deletes.iter().enumerate() {
                builder.add(RecordRef::new(Side::Target, model, row), Change::Delete(place));
            }
        }
        builder.tree
    }

    /// Whether there are no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn table(&self, record: RecordRef) -> &TableDiff {
        &self.plan.diff().tables()[record.model()]
    }

    /// The records of the tree, in the order of its lines.
    pub fn rows(&self) -> impl Iterator<Item = DiffRow<'_>> {
        // Those that are still to come, the next one last, each with its parent's position and its depth.
        let mut rest: Vec<_> = self.roots.iter().rev().map(|&at| (at, None, 0)).collect();

        (0..).map_while(move |position| {
            let (at, parent, depth) = rest.pop()?;
            let children = self.nodes[at].children.iter().rev();
            rest.extend(children.map(|&child| (child, Some(position), depth + 1)));
            Some(DiffRow { position, parent, depth, tree: self, at })
        })
    }

    /// Calls `each` with the lines of the tree, one after the other, as `Display` writes them.
    ///
    /// Records under the same parent come in the order of the data set's models. Within a model creates come first, then
    /// updates, then deletes, each in the order in which their side was loaded.
    ///
    /// # Errors
    ///
    /// If `each` returns one, which ends the lines.
    pub fn lines<E>(&self, each: &mut impl FnMut(DiffLine) -> Result<(), E>) -> Result<(), E> {
        self.lines_of(&self.roots, 0, each)
    }

    fn lines_of<E>(
        &self,
        nodes: &[usize],
        depth: usize,
        each: &mut impl FnMut(DiffLine) -> Result<(), E>,
    ) -> Result<(), E> {
        for &at in nodes {
            let node = &self.nodes[at];
            let table = self.table(node.record);
            let withheld = node.change.and_then(|change| change.withheld(table));
            let sign = node.change.map_or("", Change::sign);
            let remark = match &withheld {
                None => Cow::Borrowed(""),
                Some(Withheld::Held(HoldReason::PossibleDuplicate { new })) => {
                    let twin = Twin::of(self.plan, node.record, *new).to_string();
                    Cow::Owned(format!(" (held back: {})", escape_unprintable(&twin)))
                }
                Some(Withheld::Held(_)) => Cow::Borrowed(" (held back)"),
                Some(Withheld::Unsupported) => Cow::Borrowed(" (not supported by the target)"),
                Some(Withheld::Cascaded) => Cow::Borrowed(" (deleted with its parent)"),
            };

            let record = self.plan.record(node.record);
            each(DiffLine {
                depth,
                operation: node.change.map(Change::operation),
                is_attribute: false,
                is_held: matches!(withheld, Some(Withheld::Held(_))),
                text: format!("{sign}{} {}{remark}", table.schema.name, printable(&record)),
            })?;

            if let Some(Change::Update(update, target)) = node.change {
                for (position, attribute) in self.changed(node.record, update) {
                    let before = shown(self.plan.attribute(target, position)).to_string();
                    let after = shown(self.plan.planned(node.record, target, position)).to_string();
                    each(DiffLine {
                        depth: depth + 2,
                        operation: Some(Operation::Update),
                        is_attribute: true,
                        is_held: false,
                        text: format!("{attribute}: {} -> {}", escape_unprintable(&before), escape_unprintable(&after)),
                    })?;
                }
            }

            self.lines_of(&node.children, depth + 1, each)?;
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
}

/// A value, or the reason why it cannot be shown, so that it does not hide the others.
fn shown(value: Result<Value, serde_json::Error>) -> Value {
    value.unwrap_or_else(|error| Value::String(format!("(cannot be shown: {error})")))
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

/// An identifier as part of a line: quoted if it is empty, or could be mistaken for another.
fn printable(identifier: &str) -> Cow<'_, str> {
    let plain = !identifier.is_empty() && identifier.trim() == identifier && !identifier.contains(is_unprintable);
    if plain { Cow::Borrowed(identifier) } else { Cow::Owned(format!("{identifier:?}")) }
}

impl fmt::Display for DiffTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("(no differences)\n");
        }
        self.lines(&mut |line| writeln!(f, "{line}"))
    }
}

impl fmt::Debug for DiffTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct TreeBuilder<'a> {
    tree: DiffTree<'a>,
    known: HashMap<RecordRef, usize, RandomState>,
}

impl TreeBuilder<'_> {
    fn add(&mut self, record: RecordRef, change: Change) {
        let at = self.node(record);
        self.tree.nodes[at].change = Some(change);
    }

    /// The node of a record, which is created with its ancestors if it does not exist.
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

impl DiffTree<'_> {
    /// The attributes of a record after and before the sync.
    fn serialize_changes<M: SerializeMap>(&self, map: &mut M, at: usize) -> Result<(), M::Error> {
        let node = &self.nodes[at];
        let all = |record| Attributes { tree: self, values: LineValues::All(record) };
        match node.change {
            None => Ok(()),
            Some(Change::Create(_)) => map.serialize_entry("+", &all(node.record)),
            Some(Change::Delete(_)) => map.serialize_entry("-", &all(node.record)),
            Some(Change::Update(update, target)) => {
                let (tree, source) = (self, node.record);
                map.serialize_entry("+", &Attributes { tree, values: LineValues::After { update, source, target } })?;
                map.serialize_entry("-", &Attributes { tree, values: LineValues::Before { update, target } })
            }
        }
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
        let mut map = serializer.serialize_map(None)?;
        self.tree.serialize_changes(&mut map, self.at)?;
        self.tree.serialize_groups(&mut map, &self.tree.nodes[self.at].children)?;
        map.end()
    }
}

/// What changes of one record, without the records under it.
struct ElementChanges<'a> {
    tree: &'a DiffTree<'a>,
    at: usize,
}

impl Serialize for ElementChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.tree.serialize_changes(&mut map, self.at)?;
        map.end()
    }
}

/// A record's attributes, all of them or those that an update changes.
struct Attributes<'a> {
    tree: &'a DiffTree<'a>,
    values: LineValues,
}

/// The record, and which of its values.
enum LineValues {
    All(RecordRef),
    Before { update: usize, target: RecordRef },
    After { update: usize, source: RecordRef, target: RecordRef },
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.tree.plan;
        let (record, update) = match self.values {
            LineValues::All(record) => (record, None),
            LineValues::Before { update, target } => (target, Some(update)),
            LineValues::After { update, source, .. } => (source, Some(update)),
        };

        let table = self.tree.table(record);
        let mut map = serializer.serialize_map(None)?;
        for (position, attribute) in table.schema.attributes.iter().enumerate() {
            if update.is_some_and(|update| !table.is_changed(update, position)) {
                continue;
            }
            let value = match self.values {
                LineValues::All(record) | LineValues::Before { target: record, .. } => plan.attribute(record, position),
                LineValues::After { source, target, .. } => plan.planned(source, target, position),
            };
            map.serialize_entry(attribute.name, &shown(value))?;
        }
        map.end()
    }
}
