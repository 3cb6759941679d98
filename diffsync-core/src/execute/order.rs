//! The order in which records are written.

use std::collections::BTreeMap;

use super::execution::Execution;
use crate::data::dataset::Dataset;
use crate::data::graph::walk;
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::plan::RecordRef;
use crate::plan::outcome::{Outcome, Task};

impl<D: Dataset> Execution<'_, D> {
    /// A model's creates and updates in groups, to be written one after the other: level by level if the model links to
    /// itself, else all in one group.
    pub(super) fn writes_by_level(&self, model: usize) -> Vec<Vec<Task>> {
        let table = &self.plan.diff().tables()[model];
        let creates = Task::all(model, Operation::Create, table);
        let updates = Task::all(model, Operation::Update, table);
        self.by_level(model, Side::Source, self.open(creates.chain(updates)))
    }

    /// A model's deletes in groups, beginning with the records that no other of the model depends on.
    pub(super) fn deletes_by_level(&self, model: usize) -> Vec<Vec<Task>> {
        let table = &self.plan.diff().tables()[model];
        let deletes = self.open(Task::all(model, Operation::Delete, table));
        let mut groups = self.by_level(model, Side::Target, deletes);
        groups.reverse();
        groups
    }

    /// The planned tasks that were not attempted yet.
    pub(super) fn open(&self, tasks: impl Iterator<Item = Task>) -> Vec<Task> {
        let table = |task: &Task| &self.plan.diff().tables()[task.model];
        tasks
            .filter(|task| {
                *self.ledger.outcomes.get(*task) == Outcome::NotAttempted
                    && table(task).withheld(task.operation, task.place).is_none()
            })
            .collect()
    }

    fn by_level(&self, model: usize, side: Side, tasks: Vec<Task>) -> Vec<Vec<Task>> {
        let table = &self.plan.diff().tables()[model];
        let schema = table.schema();
        let own = |link: &&crate::model::schema::LinkSchema| link.model == schema.name && link.orders();
        if tasks.is_empty() || !schema.links.iter().any(|link| own(&link)) {
            return vec![tasks];
        }

        // How many records of the model must be written before each.
        let mut depths = vec![0usize; self.plan.rows(side, model) as usize];
        let leads_to = |row: u32, to: &mut Vec<u32>| {
            self.plan.links(RecordRef::new(side, model, row), |link, named| {
                if own(&link) {
                    to.push(named.row());
                }
            });
        };
        let left = |row: u32, to: &[u32]| {
            let deepest = to.iter().map(|named| depths[*named as usize] + 1).max();
            depths[row as usize] = deepest.unwrap_or(0);
        };
        walk(self.plan.rows(side, model), leads_to, left);

        let mut levels: BTreeMap<usize, Vec<Task>> = BTreeMap::new();
        for task in tasks {
            levels.entry(depths[task.record(table).row() as usize]).or_default().push(task);
        }
        levels.into_values().collect()
    }
}
