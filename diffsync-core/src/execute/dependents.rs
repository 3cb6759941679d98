//! What still lives under a record that is to be deleted, or refers to it, in the target as it now is.

use std::collections::{BTreeMap, HashMap, HashSet};

use fixedbitset::FixedBitSet;

use crate::data::dataset::{At, Dataset};
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::model::schema::{Comparison, LinkKind, LinkSchema};
use crate::plan::diff::{TableDiff, Withheld};
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::{Plan, PlanView, RecordRef};

/// The records of the target that name one that is to be deleted, found in one pass over the tables whose models link to
/// one with deletes.
pub(super) struct Dependents<'a, D: 'static> {
    plan: &'a Plan<D>,
    /// For each model the rows to be deleted that others name, sorted, each with one that does.
    of: Vec<Vec<(u32, Dependent)>>,
    /// The target's records whose deferred references were taken back before they are deleted themselves.
    cleared: HashSet<At>,
    /// Those whose deferred references are as they were, although their update was done otherwise.
    unset: HashSet<At>,
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
        Self { plan, of, cleared: HashSet::new(), unset: HashSet::new() }
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

    /// The deferred references of this record stay as they were, although its update is done otherwise.
    pub(super) fn leave_unset(&mut self, record: RecordRef) {
        self.unset.insert(record.at);
    }

    /// Why this row cannot be deleted now, if it cannot.
    pub(super) fn obstacle(&self, done: Done<'_>, model: usize, row: u32) -> Option<Obstacle> {
        let own = RecordRef::new(Side::Target, model, row);
        let mut seen = HashSet::from([own]);
        let (mut kept, mut later) = (None, None);
        // The row, and those that go with it: what hangs on them hangs on it.
        let mut rows = vec![own];
        while let Some(row) = rows.pop() {
            for dependent in self.dependents(row.model(), row.row()) {
                let record = dependent.record;
                if record == own {
                    continue;
                }
                match self.stays(done, dependent) {
                    // What is itself kept by another is named only if there is nothing else: it may be a circle.
                    Stays::Yes if is_kept(done, dependent) => kept = kept.or(Some(Obstacle::Stays(record))),
                    Stays::Yes => return Some(Obstacle::Stays(record)),
                    Stays::GoesAlong if seen.insert(record) => rows.push(record),
                    Stays::GoesLater => later = Some(Obstacle::GoesLater(record)),
                    Stays::GoesAlong | Stays::No => {}
                }
            }
        }
        kept.or(later)
    }

    /// Whether a record still depends on the one it named when the target was loaded.
    fn stays(&self, done: Done<'_>, dependent: &Dependent) -> Stays {
        let outcomes = done.outcomes;
        let Dependent { record, link, task } = *dependent;
        let Some(task) = task else { return Stays::Yes };
        let table = &self.plan.diff().tables()[task.model];
        let gone = match (task.operation, outcomes.get(task)) {
            (Operation::Delete, Outcome::Deleted | Outcome::Cascaded) => true,
            // Also one that would go with its parent: so that stays.
            (Operation::Delete, Outcome::Held { .. }) => false,
            (Operation::Delete, _) if goes_with_parent(table, task) => {
                if link.kind == LinkKind::Parent {
                    return Stays::GoesAlong;
                }
                match self.ancestor(record).map(|ancestor| outcomes.get(ancestor)) {
                    Some(Outcome::Deleted) => true,
                    Some(Outcome::NotAttempted) => return Stays::GoesLater,
                    _ => false,
                }
            }
            (Operation::Delete, _) => !link.orders() && self.cleared.contains(&record.at),
            (_, Outcome::Updated) => leaves(table, task, link) && (link.orders() || !self.unset.contains(&record.at)),
            _ => link.orders() && done.partly[task.model].contains(task.place) && leaves(table, task, link),
        };
        if gone { Stays::No } else { Stays::Yes }
    }

    /// The records to be deleted that something keeps, directly or not, which `keeps` says of what names them.
    fn kept(&self, keeps: impl Fn(&Dependent) -> bool) -> HashSet<At> {
        // Whatever cannot go keeps what it names.
        let mut names: HashMap<At, Vec<At>> = HashMap::new();
        let mut kept: HashSet<At> = HashSet::new();
        let mut open = Vec::new();
        for (model, dependents) in self.of.iter().enumerate() {
            for (row, dependent) in dependents {
                let at = At { model, row: *row };
                names.entry(dependent.record.at).or_default().push(at);
                if keeps(dependent) && kept.insert(at) {
                    open.push(at);
                }
            }
        }
        while let Some(at) = open.pop() {
            for named in names.get(&at).into_iter().flatten() {
                if kept.insert(*named) {
                    open.push(*named);
                }
            }
        }
        kept
    }

    /// Whether the target is asked to delete a record.
    fn is_asked_to_delete(&self, task: Task) -> bool {
        let table = &self.plan.diff().tables()[task.model];
        task.operation == Operation::Delete && table.withheld(Operation::Delete, task.place).is_none()
    }

    /// The rows of models with `deletes_first` that can be deleted before anything else is written, and what must go
    /// before them: where all that depends on them is to be deleted too.
    pub(super) fn deletable_first(&self) -> Vec<FixedBitSet> {
        let tables = self.plan.diff().tables();
        let goes = |dependent: &Dependent| {
            dependent.link.orders() && dependent.task.is_some_and(|task| self.is_asked_to_delete(task))
        };
        let stay = self.kept(|dependent| !goes(dependent));
        let mut open = Vec::new();
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

    /// The records to be deleted that something keeps for good: it is not going to be deleted itself, nor is it still to be
    /// updated so that it names something else.
    pub(super) fn kept_for_good(&self, done: Done<'_>) -> HashSet<At> {
        let outcomes = done.outcomes;
        self.kept(|dependent| match dependent.task {
            Some(task) if task.operation == Operation::Update && *outcomes.get(task) == Outcome::NotAttempted => {
                let table = &self.plan.diff().tables()[task.model];
                table.withheld(task.operation, task.place).is_some() || !leaves(table, task, dependent.link)
            }
            Some(task) if task.operation == Operation::Delete => {
                let table = &self.plan.diff().tables()[task.model];
                let is_planned = self.is_asked_to_delete(task) || goes_with_parent(table, task);
                let goes = is_planned && *outcomes.get(task) == Outcome::NotAttempted
                    || *outcomes.get(task) == Outcome::Deleted;
                // A target that cannot update cannot take a reference back either.
                !goes || !dependent.link.orders() && !table.can(Operation::Update)
            }
            _ => matches!(self.stays(done, dependent), Stays::Yes),
        })
    }

    /// The records to be deleted whose deferred references name another of these, each with these references: where both
    /// can go, now that all else was written.
    pub(super) fn references_to_clear(&self, done: Done<'_>) -> Clearing {
        let outcomes = done.outcomes;
        let kept = self.kept_for_good(done);
        let mut clearing = Clearing::new();
        for (model, dependents) in self.of.iter().enumerate() {
            let table = &self.plan.diff().tables()[model];
            for (row, dependent) in dependents.iter().filter(|(_, dependent)| !dependent.link.orders()) {
                let Ok(place) = table.deletes.binary_search(row) else { continue };
                let named = Task { model, operation: Operation::Delete, place };
                let named_goes = !matches!(
                    table.withheld(Operation::Delete, place),
                    Some(Withheld::Held(_) | Withheld::Unsupported)
                ) && !matches!(outcomes.get(named), Outcome::Held { .. })
                    && !kept.contains(&At { model, row: *row });
                let is_to_come =
                    |task: &Task| self.is_asked_to_delete(*task) && *outcomes.get(*task) == Outcome::NotAttempted;
                if let Some(task) =
                    dependent.task.filter(is_to_come).filter(|_| named_goes && !kept.contains(&dependent.record.at))
                {
                    clearing.entry((task.model, task.place)).or_default().push(dependent.link);
                }
            }
        }
        clearing
    }
}

/// The places of deletes by model, each with the deferred references that are taken back before.
pub(super) type Clearing = BTreeMap<(usize, usize), Vec<&'static LinkSchema>>;

/// Why a record cannot be deleted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// This record stays.
    Stays(RecordRef),
    /// This record is still to go, with what it is under.
    GoesLater(RecordRef),
}

/// What was done so far.
#[derive(Clone, Copy)]
pub(super) struct Done<'a> {
    pub(super) outcomes: &'a Outcomes,
    /// For each model the places of updates that were done but for deferred references, whatever became of those.
    pub(super) partly: &'a [FixedBitSet],
}

/// Whether a record still depends on the one it named.
enum Stays {
    Yes,
    No,
    /// It does, and the target deletes it together with the other.
    GoesAlong,
    /// It does, until the target deletes it together with what it is under.
    GoesLater,
}

/// Whether a record stays because another does, or nobody knows yet.
fn is_kept(done: Done<'_>, dependent: &Dependent) -> bool {
    let outcome = dependent.task.map(|task| done.outcomes.get(task));
    matches!(outcome, Some(Outcome::Blocked { .. } | Outcome::NotAttempted))
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
