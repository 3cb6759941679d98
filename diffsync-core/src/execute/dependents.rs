//! What still lives under a record that is to be deleted, or refers to it, in the target as it now is.

use std::collections::{HashMap, HashSet};

use fixedbitset::FixedBitSet;

use crate::dataset::{At, Dataset};
use crate::diff::{TableDiff, Withheld};
use crate::ops::Operation;
use crate::outcome::{Outcome, Outcomes, Task};
use crate::plan::{Plan, PlanView, RecordRef};
use crate::schema::{Comparison, LinkKind, LinkSchema};
use crate::step::Side;

/// The records of the target that name one that is to be deleted, found in one pass over the tables whose models link to
/// one with deletes.
pub(super) struct Dependents<'a, D: 'static> {
    plan: &'a Plan<D>,
    /// For each model the rows to be deleted that others name, sorted, each with one that does.
    of: Vec<Vec<(u32, Dependent)>>,
    /// The target's records whose deferred references were taken back before they are deleted themselves.
    cleared: HashSet<At>,
}

/// A record that names another.
#[derive(Clone, Copy)]
struct Dependent {
    record: RecordRef,
    link: &'static LinkSchema,
    /// What is to be done with it, if anything is.
    task: Option<Task>,
}

impl<'a, D: Dataset> Dependents<'a, D> {
    pub(super) fn of(plan: &'a Plan<D>) -> Self {
        let tables = plan.diff().tables();
        let mut of: Vec<Vec<_>> = tables.iter().map(|_| Vec::new()).collect();
        let deleted: Vec<FixedBitSet> =
            tables.iter().map(|table| table.deletes.iter().map(|row| *row as usize).collect()).collect();
        for (model, table) in tables.iter().enumerate() {
            let mut updates: Option<HashMap<u32, usize>> = None;
            for (position, link) in table.schema().links.iter().enumerate() {
                let linked = plan.linked_model(model, position);
                if deleted[linked].is_clear() {
                    continue;
                }
                plan.all_links(Side::Target, model, position, &mut |named| {
                    if !deleted[linked].contains(named.row as usize) {
                        return;
                    }
                    let updates = updates.get_or_insert_with(|| places_of_updates(table));
                    let task = if named.duplicate { None } else { task_of(model, table, updates, named.by) };
                    let record = RecordRef::new(Side::Target, model, named.by);
                    of[linked].push((named.row, Dependent { record, link, task }));
                });
            }
        }
        for dependents in &mut of {
            dependents.sort_by_key(|(row, _)| *row);
        }
        Self { plan, of, cleared: HashSet::new() }
    }

    fn dependents(&self, model: usize, row: u32) -> impl Iterator<Item = &Dependent> {
        let all = &self.of[model];
        let first = all.partition_point(|(other, _)| *other < row);
        all[first..].iter().take_while(move |(other, _)| *other == row).map(|(_, dependent)| dependent)
    }

    /// A deferred reference of this record was taken back.
    pub(super) fn clear(&mut self, record: RecordRef) {
        self.cleared.insert(record.at);
    }

    /// A record because of which this row cannot be deleted.
    pub(super) fn obstacle(&self, outcomes: &Outcomes, model: usize, row: u32) -> Option<RecordRef> {
        let own = RecordRef::new(Side::Target, model, row);
        let mut seen = HashSet::from([own]);
        // The row, and those that go with it: what hangs on them hangs on it.
        let mut rows = vec![own];
        while let Some(row) = rows.pop() {
            for dependent in self.dependents(row.model(), row.row()) {
                let record = dependent.record;
                if record == own {
                    continue;
                }
                match self.stays(outcomes, dependent) {
                    Stays::Yes => return Some(record),
                    Stays::GoesAlong if seen.insert(record) => rows.push(record),
                    Stays::GoesAlong | Stays::No => {}
                }
            }
        }
        None
    }

    /// Whether a record still depends on the one it named when the target was loaded.
    fn stays(&self, outcomes: &Outcomes, dependent: &Dependent) -> Stays {
        let Dependent { record, link, task } = *dependent;
        let Some(task) = task else { return Stays::Yes };
        let table = &self.plan.diff().tables()[task.model];
        let gone = match (task.operation, outcomes.get(task)) {
            (Operation::Delete, Outcome::Deleted | Outcome::Cascaded) => true,
            (Operation::Delete, _) if goes_with_parent(table, task) => {
                if link.kind == LinkKind::Parent {
                    return Stays::GoesAlong;
                }
                self.ancestor(record).is_some_and(|ancestor| *outcomes.get(ancestor) == Outcome::Deleted)
            }
            (Operation::Delete, _) => !link.orders() && self.cleared.contains(&record.at),
            (_, Outcome::Updated) => leaves(table, task, link),
            _ => false,
        };
        if gone { Stays::No } else { Stays::Yes }
    }

    /// The rows of models with `deletes_first` that can be deleted before anything else is written, and what must go
    /// before them: where all that depends on them is to be deleted too.
    pub(super) fn deletable_first(&self) -> Vec<FixedBitSet> {
        let tables = self.plan.diff().tables();
        let asked = |task: &Task| {
            task.operation == Operation::Delete && tables[task.model].withheld(Operation::Delete, task.place).is_none()
        };
        // Whatever cannot go yet keeps what it names.
        let mut names: HashMap<At, Vec<At>> = HashMap::new();
        let mut stay: HashSet<At> = HashSet::new();
        let mut open = Vec::new();
        for (model, dependents) in self.of.iter().enumerate() {
            for (row, dependent) in dependents {
                let at = At { model, row: *row };
                names.entry(dependent.record.at).or_default().push(at);
                let goes = dependent.link.orders() && dependent.task.as_ref().is_some_and(asked);
                if !goes && stay.insert(at) {
                    open.push(at);
                }
            }
        }
        while let Some(at) = open.pop() {
            for named in names.get(&at).into_iter().flatten() {
                if stay.insert(*named) {
                    open.push(*named);
                }
            }
        }
        let mut first: Vec<FixedBitSet> = (0..tables.len())
            .map(|model| FixedBitSet::with_capacity(self.plan.rows(Side::Target, model) as usize))
            .collect();
        for (model, table) in tables.iter().enumerate().filter(|(_, table)| table.schema().deletes_first) {
            for &row in &table.deletes {
                let at = At { model, row };
                if !stay.contains(&at) && !first[model].put(row as usize) {
                    open.push(at);
                }
            }
        }
        while let Some(At { model, row }) = open.pop() {
            for dependent in self.dependents(model, row) {
                let At { model, row } = dependent.record.at;
                if !first[model].put(row as usize) {
                    open.push(dependent.record.at);
                }
            }
        }
        first
    }

    /// The delete that takes a record along.
    pub(super) fn ancestor(&self, record: RecordRef) -> Option<Task> {
        let mut at = record;
        // A chain of parents is no longer than this, unless it is a circle.
        for _ in 0..=self.plan.rows(Side::Target, record.model()).max(1_000) {
            at = self.plan.parent(at)?;
            let table = &self.plan.diff().tables()[at.model()];
            let place = table.deletes.binary_search(&at.row()).ok()?;
            let task = Task { model: at.model(), operation: Operation::Delete, place };
            if !goes_with_parent(table, task) {
                return Some(task);
            }
        }
        None
    }

    /// The deleted records whose deferred references name another that is deleted.
    pub(super) fn to_be_cleared(&self) -> Vec<Task> {
        let mut tasks: Vec<Task> = Vec::new();
        let tables = self.plan.diff().tables();
        for (named, (row, dependent)) in
            self.of.iter().enumerate().flat_map(|(named, of)| of.iter().map(move |of| (named, of)))
        {
            // What stays may be named by what stays with it.
            let place = tables[named].deletes.binary_search(row).unwrap_or_default();
            let stays = matches!(
                tables[named].withheld(Operation::Delete, place),
                Some(Withheld::Held | Withheld::Unsupported)
            );
            let deleted = dependent.task.filter(|task| {
                task.operation == Operation::Delete
                    && tables[task.model].withheld(Operation::Delete, task.place).is_none()
            });
            if !dependent.link.orders() && !stays {
                tasks.extend(deleted);
            }
        }
        tasks.sort_by_key(|task| (task.model, task.place));
        tasks.dedup();
        tasks
    }
}

/// Whether a record still depends on the one it named.
enum Stays {
    Yes,
    No,
    /// It does, and the target deletes it together with the other.
    GoesAlong,
}

fn goes_with_parent(table: &TableDiff, task: Task) -> bool {
    table.withheld(Operation::Delete, task.place) == Some(Withheld::Cascaded)
}

fn places_of_updates(table: &TableDiff) -> HashMap<u32, usize> {
    table.updates.iter().enumerate().map(|(place, (_, row))| (*row, place)).collect()
}

/// What is to be done with a row of the target.
fn task_of(model: usize, table: &TableDiff, updates: &HashMap<u32, usize>, row: u32) -> Option<Task> {
    let (operation, place) = match table.deletes.binary_search(&row) {
        Ok(place) => (Operation::Delete, place),
        Err(_) => (Operation::Update, *updates.get(&row)?),
    };
    Some(Task { model, operation, place })
}

/// Whether an update makes a record name something else by this link.
fn leaves(table: &TableDiff, task: Task, link: &LinkSchema) -> bool {
    let attributes = table.schema().attributes.iter().enumerate();
    let mut named_by = attributes.filter(|(_, attribute)| link.fields.contains(&attribute.name));
    // What `contains` compares keeps what it held.
    named_by.any(|(position, attribute)| {
        attribute.comparison != Comparison::Contains && table.is_changed(task.place, position)
    })
}
