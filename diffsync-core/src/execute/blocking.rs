//! The records that are blocked by others, and leave the group that is written next.

use super::dependents::Obstacle;
use super::execution::Execution;
use crate::data::dataset::Dataset;
use crate::data::problem::{Problem, ProblemKind};
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::plan::outcome::{Outcome, Task};
use crate::plan::{PlanView, RecordRef};

impl<D: Dataset> Execution<'_, D> {
    /// Blocks the creates and updates that need a record that could not be written, and returns the others, without those
    /// that need a record that is retried later.
    pub(super) fn block_orphaned(&mut self, group: Vec<Task>) -> Vec<Task> {
        // The usual case, which needs no look at the links.
        if self.ledger.stopped() || self.ledger.nothing_failed() {
            return group;
        }

        let mut ready = Vec::with_capacity(group.len());
        for task in group {
            let record = task.record(&self.plan.diff().tables()[task.model]);
            let (mut to_blame, mut waits) = (None, false);
            self.plan.links(record, |link, named| {
                if link.orders() {
                    to_blame = to_blame.or_else(|| self.ledger.to_blame_for(task, link, named));
                    waits |= self.ledger.has_to_wait(task, link, named);
                }
            });

            // Blocked goes before waiting: what can never be written need not wait.
            match to_blame {
                Some(by) => self.ledger.settle(task, Outcome::Blocked { by }),
                None if waits => self.ledger.conflicts.wait(record, task.operation),
                None => ready.push(task),
            }
        }
        ready
    }

    /// Records the outcomes of the records whose deferred references cannot be set, because the target lacks the record they
    /// name or does not support updates, and returns the others.
    pub(super) fn block_dangling(&mut self, group: Vec<Task>) -> Vec<Task> {
        // After a stop nothing more is written, and the records are not attempted rather than blocked.
        if self.ledger.stopped() {
            return group;
        }

        let mut ready = Vec::with_capacity(group.len());
        for task in group {
            let table = &self.plan.diff().tables()[task.model];
            let changes =
                |position: usize| task.operation == Operation::Create || table.is_changed(task.place, position);
            let mut missing = None;
            self.plan.links(task.record(table), |link, named| {
                let mut fields = table.schema().attributes.iter().enumerate();
                let set = !link.orders()
                    && fields.any(|(at, its)| its.deferred && link.fields.contains(&its.name) && changes(at));
                if set && !self.is_in_target(named) {
                    missing = missing.or(Some(named));
                }
            });

            if missing.is_none() && table.can(Operation::Update) {
                ready.push(task);
                continue;
            }

            let attributes = table.schema().attributes.iter().enumerate();

            // If nothing else was to change, the record was not touched and is blocked. Otherwise it is written, and
            // lacks its references.
            let written = task.operation == Operation::Create
                || attributes.clone().any(|(at, its)| !its.deferred && table.is_changed(task.place, at));
            match missing {
                Some(by) if !written => self.ledger.settle(task, Outcome::Blocked { by }),
                _ => {
                    if let Some(record) = task.in_target(table) {
                        self.ledger.dependents().leave_unset(record);
                    }
                    self.report_unset(task, missing);
                    self.ledger.settle(task, Outcome::done(task.operation));
                }
            }
        }
        ready
    }

    /// Reports a record that is written without its deferred references, unless the record they name is left out of the plan.
    fn report_unset(&mut self, task: Task, missing: Option<RecordRef>) {
        let tables = self.plan.diff().tables();
        let reason = match missing {
            None => "the target does not support updates".to_owned(),
            Some(named) => {
                let table = &tables[named.model()];
                if table.creates.binary_search(&named.row()).is_err() {
                    return;
                }
                format!("{} {:?} does not exist", table.schema().name, self.plan.record(named))
            }
        };

        let record = self.plan.record(task.record(&tables[task.model]));
        let kind = ProblemKind::ReferencesNotSet { reason };
        let model = tables[task.model].schema().name;
        self.ledger.report(Some(Problem { side: Side::Target, model, record, kind }));
    }

    /// Whether the target now holds a record of the source.
    fn is_in_target(&self, record: RecordRef) -> bool {
        if let Some(loaded) = self.plan.counterpart(record) {
            return !self.current.is_deleted(loaded.model(), loaded.row() as usize);
        }

        let table = &self.plan.diff().tables()[record.model()];
        // The source's rows are compared, and their creates listed, in order.
        table.creates.binary_search(&record.row()).is_ok_and(|place| {
            let task = Task { model: record.model(), operation: Operation::Create, place };
            self.ledger.outcomes.get(task).is_written()
        })
    }

    /// Blocks the deletes of records that still have children or references in the target, and returns the others, without
    /// those that wait for a dependent that is deleted later, which it counts.
    pub(super) fn block_inhabited(
        &mut self,
        model: usize,
        group: Vec<Task>,
        wait: bool,
        waiting: &mut usize,
    ) -> Vec<Task> {
        if self.ledger.stopped() {
            return group;
        }

        let mut ready = Vec::with_capacity(group.len());
        for task in group {
            let row = self.plan.diff().tables()[model].deletes[task.place];
            match self.ledger.obstacle(model, row) {
                None => ready.push(task),
                Some(Obstacle::GoesLater(_)) if wait => *waiting += 1,
                Some(Obstacle::Stays(by) | Obstacle::GoesLater(by)) => {
                    self.ledger.settle(task, Outcome::Blocked { by });
                }
            }
        }
        ready
    }
}
