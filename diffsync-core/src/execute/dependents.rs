//! Dependents: the children and references in the target that keep a record from being deleted.

use std::collections::{BTreeMap, HashMap, HashSet};

use fixedbitset::FixedBitSet;

use crate::data::dataset::{At, Dataset};
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::model::schema::{Comparison, LinkKind, LinkSchema};
use crate::plan::diff::{TableDiff, Withheld};
use crate::plan::outcome::{Outcome, Outcomes, Task};
use crate::plan::{Plan, PlanView, RecordRef};

/// The records of the target that name one to be deleted, found in one pass over the tables whose models link to one with
/// deletes.
pub(super) struct Dependents<'a, D: 'static> {
    plan: &'a Plan<D>,
    /// For each model, the rows to be deleted that others name, sorted, each with one dependent.
    of: Vec<Vec<(u32, Dependent)>>,
    /// The target's records whose deferred references were cleared before their own delete.
    cleared: HashSet<At>,
    /// The updated records whose deferred references could not be set and are as before.
    unset: HashSet<At>,
}

/// A record that names another.
#[derive(Clone, Copy)]
struct Dependent {
    record: RecordRef,
    link: &'static LinkSchema,
    /// Its planned task, if there is one.
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

                    // Of two records with one identifier neither is touched, so both stay.
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

    /// Notes that the deferred references of this record were cleared.
    pub(super) fn clear(&mut self, record: RecordRef) {
        self.cleared.insert(record.at);
    }

    /// Notes that the deferred references of this record stay as before, although the rest of its update is done.
    pub(super) fn leave_unset(&mut self, record: RecordRef) {
        self.unset.insert(record.at);
    }

    /// Why this row cannot be deleted now.
    pub(super) fn obstacle(&self, done: Done<'_>, model: usize, row: u32) -> Option<Obstacle> {
        let own = RecordRef::new(Side::Target, model, row);
        let mut seen = HashSet::from([own]);
        let (mut kept, mut later) = (None, None);

        // The row and the records that the target deletes with it: their dependents are its dependents too.
        let mut rows = vec![own];
        while let Some(row) = rows.pop() {
            for dependent in self.dependents(row.model(), row.row()) {
                let record = dependent.record;
                if record == own {
                    continue;
                }
                match self.stays(done, dependent) {
                    // Prefer a dependent that is not kept by another itself: two that keep each other explain nothing.
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

        // Nothing is planned for it.
        let Some(task) = task else { return Stays::Yes };
        let table = &self.plan.diff().tables()[task.model];

        let gone = match (task.operation, outcomes.get(task)) {
            (Operation::Delete, Outcome::Deleted | Outcome::Cascaded) => true,
            // Even one that the target would delete with its parent, which then stays too.
            (Operation::Delete, Outcome::Held { .. }) => false,
            (Operation::Delete, _) if goes_with_parent(table, task) => {
                // A child goes with this record. A record that only refers to it goes with a parent of its own, maybe
                // later.
                if link.kind == LinkKind::Parent {
                    return Stays::GoesAlong;
                }
                match self.ancestor(record).map(|ancestor| outcomes.get(ancestor)) {
                    Some(Outcome::Deleted) => true,
                    Some(Outcome::NotAttempted) => return Stays::GoesLater,
                    _ => false,
                }
            }
            // Still to come, and a deferred reference that was cleared names nothing any more.
            (Operation::Delete, _) => !link.orders() && self.cleared.contains(&record.at),
            // An update may be done except for its deferred references, which still name the old record then.
            (_, Outcome::Updated) => leaves(table, task, link) && (link.orders() || !self.unset.contains(&record.at)),
            // The reverse: the other links moved, even if setting the deferred references failed.
            _ => link.orders() && done.partly[task.model].contains(task.place) && leaves(table, task, link),
        };

        if gone { Stays::No } else { Stays::Yes }
    }

    /// The records to be deleted that cannot go, because a dependent for which `keeps` is true names them, directly or not.
    fn kept(&self, keeps: impl Fn(&Dependent) -> bool) -> HashSet<At> {
        // A record that cannot go keeps the records that it names.
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

    /// Whether the plan deletes a record with a call of its own.
    fn is_asked_to_delete(&self, task: Task) -> bool {
        let table = &self.plan.diff().tables()[task.model];
        task.operation == Operation::Delete && table.withheld(Operation::Delete, task.place).is_none()
    }

    /// The rows of models with `deletes_first` that can be deleted before anything else is written, because all their
    /// dependents are to be deleted too; and these dependents, which must go first.
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

    /// The delete that cascades to a record.
    pub(super) fn ancestor(&self, record: RecordRef) -> Option<Task> {
        let mut at = record;
        // A longer chain of parents must be a circle.
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

    /// The records to be deleted that cannot go at all: a dependent will neither be deleted nor be updated to name another
    /// record.
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
                // A target that cannot update cannot clear a reference either.
                !goes || !dependent.link.orders() && !table.can(Operation::Update)
            }
            _ => matches!(self.stays(done, dependent), Stays::Yes),
        })
    }

    /// The records to be deleted that refer to each other by deferred references, each with these references, if both can go
    /// now that everything else is written.
    pub(super) fn references_to_clear(&self, done: Done<'_>) -> Clearing {
        let outcomes = done.outcomes;
        let kept = self.kept_for_good(done);
        let mut clearing = Clearing::new();

        for (model, dependents) in self.of.iter().enumerate() {
            let table = &self.plan.diff().tables()[model];
            for (row, dependent) in dependents.iter().filter(|(_, dependent)| !dependent.link.orders()) {
                let Ok(place) = table.deletes.binary_search(row) else { continue };
                let named = Task { model, operation: Operation::Delete, place };

                // Both have to go: a record that stays keeps its references, and may be named as before.
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

/// The deletes, by model and place, each with the deferred references that are cleared first.
pub(super) type Clearing = BTreeMap<(usize, usize), Vec<&'static LinkSchema>>;

/// Why a record cannot be deleted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// This record stays.
    Stays(RecordRef),
    /// This record is deleted later, with its parent.
    GoesLater(RecordRef),
}

/// The outcomes so far.
#[derive(Clone, Copy)]
pub(super) struct Done<'a> {
    pub(super) outcomes: &'a Outcomes,
    /// For each model, the places of updates that were done except for deferred references, even if those failed later.
    pub(super) partly: &'a [FixedBitSet],
}

/// Whether a record still depends on the one it named.
enum Stays {
    Yes,
    No,
    /// Yes, but the target deletes it together with the record it depends on.
    GoesAlong,
    /// Yes, until the target deletes it together with its parent.
    GoesLater,
}

/// Whether a record stays because another does, or its outcome is still open.
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

/// The planned task of a row of the target.
fn task_of(model: usize, table: &TableDiff, updates: &HashMap<u32, usize>, row: u32) -> Option<Task> {
    let (operation, place) = match table.deletes.binary_search(&row) {
        Ok(place) => (Operation::Delete, place),
        Err(_) => (Operation::Update, *updates.get(&row)?),
    };
    Some(Task { model, operation, place })
}

/// Whether an update makes a record name another record by this link.
fn leaves(table: &TableDiff, task: Task, link: &LinkSchema) -> bool {
    let attributes = table.schema().attributes.iter().enumerate();
    let mut named_by = attributes.filter(|(_, attribute)| link.fields.contains(&attribute.name));
    // An attribute with `compare = contains` keeps the values it had.
    named_by.any(|(position, attribute)| {
        attribute.comparison != Comparison::Contains && table.is_changed(task.place, position)
    })
}
