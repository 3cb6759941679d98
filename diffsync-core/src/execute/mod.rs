//! Execution: writing what the diff says, parents before children, deletes last and children first.

mod ledger;
mod order;
mod write;

use std::num::NonZeroUsize;

use self::ledger::Ledger;
use self::write::{WriteModel, writers};
use crate::adapter::{Adapter, Synced, WrittenBy};
use crate::current::Current;
use crate::dataset::{Dataset, in_order};
use crate::error::JobError;
use crate::event::Observers;
use crate::outcome::{Outcomes, Task};
use crate::plan::Plan;
use crate::problem::Problem;

/// How an execution is to go about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExecuteOptions {
    /// Go on with the other records when one fails.
    pub(crate) continue_on_failure: bool,
    /// How many records may be written at the same time, instead of what the target says.
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// The target writes only when it completes the run: no outcome is final before, so none is announced.
    pub(crate) writes_at_complete: bool,
}

/// What an execution leaves behind.
pub(crate) struct Results {
    pub(crate) outcomes: Outcomes,
    pub(crate) problems: Vec<Problem>,
    /// The error that ended the execution early.
    pub(crate) stopped: Option<String>,
}

/// A plan being carried out: what the target holds now, and what became of each record.
///
/// While one group of records is being written, what they can read of the target does not change, so they read it
/// without locks; their results can be read when the group is done.
pub(crate) struct Execution<'a, D: 'static> {
    plan: &'a Plan<D>,
    options: ExecuteOptions,
    current: Current<'a, D>,
    ledger: Ledger<'a, D>,
}

impl<'a, D: Dataset> Execution<'a, D> {
    pub(crate) fn new(plan: &'a Plan<D>, options: ExecuteOptions, observers: &'a Observers) -> Self {
        Self { plan, options, current: Current::new(plan), ledger: Ledger::new(plan, options, observers) }
    }

    /// What `sync_complete` works with: also what was written by a group that was cut short.
    pub(crate) fn synced(&mut self) -> Synced<'_, D> {
        self.current.take_over();
        Synced::new(&self.current, &self.ledger.outcomes)
    }

    pub(crate) fn outcomes(&self) -> &Outcomes {
        &self.ledger.outcomes
    }

    pub(crate) fn conclude(&mut self, error: Option<&JobError>) {
        self.ledger.conclude(error);
    }

    pub(crate) fn into_results(self) -> Results {
        self.ledger.into_results()
    }

    /// Carries the plan out on the target.
    async fn run<T: Adapter<Data = D>>(&mut self, target: &T)
    where
        D: WrittenBy<T>,
    {
        let writers = writers::<D, T>();
        let order = in_order(D::SCHEMAS);
        for &model in &order {
            for group in self.writes_by_level(model) {
                let group = self.without_orphaned(group);
                self.write(&*writers[model], target, group).await;
            }
        }
        for &model in order.iter().rev() {
            for group in self.deletes_by_level(model) {
                let group = self.without_inhabited(model, group);
                self.write(&*writers[model], target, group).await;
            }
        }
    }

    /// Writes a group of records none of which depends on another.
    async fn write<T>(&mut self, writer: &dyn WriteModel<D, T>, target: &T, group: Vec<Task>) {
        if !group.is_empty() && !self.ledger.stopped() {
            writer.write(target, self, group).await;
        }
    }
}

/// Leave to carry out a plan. Only the core can make one: the diff was calculated, and the run is not a dry run.
pub struct Approved<'e, 'a, D: 'static> {
    execution: &'e mut Execution<'a, D>,
}

impl<'e, 'a, D: Dataset> Approved<'e, 'a, D> {
    pub(crate) fn new(execution: &'e mut Execution<'a, D>) -> Self {
        Self { execution }
    }

    /// The plan to be carried out.
    #[must_use]
    pub fn plan(&self) -> &Plan<D> {
        self.execution.plan
    }

    /// Carries the plan out, and says what became of each record.
    ///
    /// Records that fail do not end it; the run reports them.
    pub async fn execute<T: Adapter<Data = D>>(self, target: &T) -> &'e Outcomes
    where
        D: WrittenBy<T>,
    {
        self.execution.run(target).await;
        &self.execution.ledger.outcomes
    }
}

impl<D> std::fmt::Debug for Approved<'_, '_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approved").finish_non_exhaustive()
    }
}
