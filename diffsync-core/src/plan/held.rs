//! Deletes under held records.

use std::collections::{HashMap, HashSet};

use crate::data::dataset::{At, Dataset};
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::model::schema::LinkKind;
use crate::plan::outcome::Task;
use crate::plan::{Plan, PlanView, RecordRef};

impl<D: Dataset> Plan<D> {
    /// The planned deletes under these rows of the target, at any depth, each with the nearest of these rows. Only planned
    /// deletes are followed, since a record that stays also keeps its parent.
    pub(crate) fn deletes_under(&self, held: &HashSet<At>) -> Vec<(Task, RecordRef)> {
        let tables = self.diff().tables();
        let mut children: HashMap<At, Vec<Task>> = HashMap::new();
        for (model, table) in tables.iter().enumerate() {
            if held.is_empty() || !table.schema().links.iter().any(|link| link.kind == LinkKind::Parent) {
                continue;
            }
            for task in Task::all(model, Operation::Delete, table) {
                if let Some(parent) = self.parent(task.record(table)) {
                    children.entry(parent.at).or_default().push(task);
                }
            }
        }

        let mut under = Vec::new();
        let mut open: Vec<(At, At)> = held.iter().map(|row| (*row, *row)).collect();
        while let Some((at, nearest)) = open.pop() {
            // Removing them ends the walk even in a circle of parents.
            for task in children.remove(&at).into_iter().flatten() {
                let row = task.record(&tables[task.model]).at;
                if !held.contains(&row) {
                    open.push((row, nearest));
                    under.push((task, RecordRef { side: Side::Target, at: nearest }));
                }
            }
        }
        under
    }

    /// Holds back the deletes under a record that is held back for a new one, for the same new record.
    pub(crate) fn hold_under_twins(&mut self) {
        let mut twins: HashMap<At, RecordRef> = HashMap::new();
        for (model, table) in self.diff().tables().iter().enumerate() {
            twins.extend(table.twins().map(|(row, new)| (At { model, row }, new)));
        }

        let held: HashSet<At> = twins.keys().copied().collect();
        for (task, nearest) in self.deletes_under(&held) {
            if let Some(new) = twins.get(&nearest.at) {
                self.hold_for(task, *new);
            }
        }
    }
}
