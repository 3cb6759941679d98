//! In which order records are written, and which are not because of others.

use std::collections::{BTreeMap, HashMap};

use super::Execution;
use crate::dataset::Dataset;
use crate::outcome::{Operation, Outcome, Task};
use crate::plan::{PlanView, RecordRef};

impl<D: Dataset> Execution<'_, D> {
    /// A model's creates and updates in groups, each to be written after the one before: level by level where the model
    /// nests in itself, else all at once.
    pub(super) fn writes_by_level(&self, model: usize) -> Vec<Vec<Task>> {
        let table = &self.plan.diff().tables()[model];
        let creates = Task::all(model, Operation::Create, table);
        let updates = Task::all(model, Operation::Update, table);
        self.by_level(model, creates.chain(updates))
    }

    /// A model's deletes in groups, the deepest records first.
    pub(super) fn deletes_by_level(&self, model: usize) -> Vec<Vec<Task>> {
        let table = &self.plan.diff().tables()[model];
        let mut groups = self.by_level(model, Task::all(model, Operation::Delete, table));
        groups.reverse();
        groups
    }

    fn by_level(&self, model: usize, tasks: impl Iterator<Item = Task>) -> Vec<Vec<Task>> {
        let table = &self.plan.diff().tables()[model];
        if !table.schema().nests_in_itself() {
            return vec![tasks.collect()];
        }
        let mut depths = HashMap::new();
        let mut levels: BTreeMap<usize, Vec<Task>> = BTreeMap::new();
        for task in tasks {
            let depth = self.depth(task.record(table), &mut depths);
            levels.entry(depth).or_default().push(task);
        }
        levels.into_values().collect()
    }

    /// How many records of its own model a record lives under.
    fn depth(&self, record: RecordRef, known: &mut HashMap<RecordRef, usize>) -> usize {
        let mut path = Vec::new();
        let mut at = Some(record);
        let above = loop {
            let Some(record) = at else { break 0 };
            if let Some(depth) = known.get(&record) {
                break depth + 1;
            }
            // Known from here on, so that a circle in the target ends.
            known.insert(record, 0);
            path.push(record);
            at = self.plan.parent(record).filter(|parent| parent.model() == record.model());
        };
        for (depth, record) in (above..).zip(path.into_iter().rev()) {
            known.insert(record, depth);
        }
        known.get(&record).copied().unwrap_or(0)
    }

    /// Blocks the creates and updates whose parent could not be written, and returns the others.
    pub(super) fn without_orphaned(&mut self, group: Vec<Task>) -> Vec<Task> {
        if self.ledger.stopped() || self.ledger.nothing_failed() {
            return group;
        }
        self.unblocked(group, |execution, task| {
            let record = task.record(&execution.plan.diff().tables()[task.model]);
            execution.ledger.to_blame_for(execution.plan.parent(record)?)
        })
    }

    /// Blocks the deletes of records that another still lives under in the target as it now is, and returns the others.
    pub(super) fn without_inhabited(&mut self, model: usize, group: Vec<Task>) -> Vec<Task> {
        if self.ledger.stopped() {
            return group;
        }
        self.unblocked(group, |execution, task| {
            execution.ledger.inhabitant(model, execution.plan.diff().tables()[model].deletes[task.place])
        })
    }

    /// Blocks the tasks for which there is a record to blame, and returns the others.
    fn unblocked(&mut self, group: Vec<Task>, to_blame: impl Fn(&Self, Task) -> Option<RecordRef>) -> Vec<Task> {
        let mut ready = Vec::with_capacity(group.len());
        for task in group {
            match to_blame(self, task) {
                Some(by) => self.ledger.settle(task, Outcome::Blocked { by }),
                None => ready.push(task),
            }
        }
        ready
    }
}
