//! The order in which collided records are retried, and the records that wait for the one that has their value.

use std::collections::{HashMap, HashSet};

use super::execution::Execution;
use crate::data::dataset::Dataset;
use crate::model::operation::Operation;
use crate::plan::PlanView;
use crate::plan::outcome::{Outcome, Task};

/// For each record that collided, the updates and deletes of the records that have its values, if the target has named them
/// and they have not given up these values.
pub(super) type NamedHolders = HashMap<Task, Vec<Task>>;

impl<D: Dataset> Execution<'_, D> {
    /// The tasks that the records to be retried wait for.
    pub(super) fn named_holders(&self) -> NamedHolders {
        let tables = self.plan.diff().tables();
        let postponed = self.ledger.conflicts.postponed();
        let freed: HashSet<Task> = self.ledger.conflicts.freed.iter().map(|freed| freed.holder).collect();

        let mut named: HashMap<&str, HashMap<&str, Vec<Task>>> = HashMap::new();
        for (task, its) in &postponed {
            for (model, id) in its.conflict.iter().flat_map(|conflict| &conflict.holders) {
                named.entry(model).or_default().entry(id).or_default().push(*task);
            }
        }

        let mut holders = NamedHolders::new();
        for (model, table) in tables.iter().enumerate() {
            let Some(named) = named.get(table.schema().name) else { continue };
            let all = [Operation::Update, Operation::Delete].map(|operation| Task::all(model, operation, table));
            for holder in all.into_iter().flatten() {
                if *self.ledger.outcomes.get(holder) != Outcome::NotAttempted || freed.contains(&holder) {
                    continue;
                }

                let Some(record) = holder.in_target(table) else { continue };
                for task in named.get(&*self.plan.record(record)).into_iter().flatten() {
                    if *task != holder {
                        holders.entry(*task).or_default().push(holder);
                    }
                }
            }
        }
        holders
    }

    /// Splits a group so that each record comes after the one that has its value. This resolves a chain of values in one
    /// pass, with one call for each record. In a circle any record may come first.
    pub(super) fn after_their_holders(group: Vec<Task>, holders: &NamedHolders) -> Vec<Vec<Task>> {
        if holders.is_empty() {
            return vec![group];
        }

        let members: HashSet<Task> = group.iter().copied().collect();
        let next = |task: Task| holders.get(&task)?.iter().copied().find(|holder| members.contains(holder));

        // `None` for a record on the current path.
        let mut depths: HashMap<Task, Option<usize>> = HashMap::with_capacity(group.len());
        let mut groups: Vec<Vec<Task>> = Vec::new();
        for start in group {
            let (mut path, mut at) = (Vec::new(), Some(start));
            let mut depth = loop {
                let Some(task) = at else { break 0 };
                match depths.get(&task) {
                    // Right after the record that has the value; `None` is a circle, which begins here.
                    Some(depth) => break depth.map_or(0, |depth| depth + 1),
                    None => depths.insert(task, None),
                };
                path.push(task);
                at = next(task);
            };

            // Backwards, since the last record of the path waits for no other on it.
            for task in path.into_iter().rev() {
                depths.insert(task, Some(depth));
                if groups.len() <= depth {
                    groups.resize_with(depth + 1, Vec::new);
                }
                groups[depth].push(task);
                depth += 1;
            }
        }
        groups
    }

    /// Leaves out the records whose value another record still has, since a retry would fail as the last attempt did.
    pub(super) fn without_waiting(&mut self, group: Vec<Task>, holders: &NamedHolders) -> Vec<Task> {
        if holders.is_empty() {
            return group;
        }

        let mut ready = Vec::with_capacity(group.len());
        for task in group {
            let mut named = holders.get(&task).into_iter().flatten();
            if named.any(|holder| *self.ledger.outcomes.get(*holder) == Outcome::NotAttempted) {
                let record = task.record(&self.plan.diff().tables()[task.model]);
                self.ledger.conflicts.wait(record, task.operation);
            } else {
                ready.push(task);
            }
        }
        ready
    }
}
