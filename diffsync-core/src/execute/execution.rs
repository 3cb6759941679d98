//! A plan being applied: the target's state, and the outcomes so far.

use super::dependents::Clearing;
use super::ledger::{Ledger, LookUp, Stopped};
use super::options::ExecuteOptions;
use crate::adapter::CompleteContext;
use crate::data::dataset::Dataset;
use crate::data::problem::Problem;
use crate::error::JobError;
use crate::plan::Plan;
use crate::plan::outcome::Outcomes;
use crate::plan::target_state::TargetState;
use crate::report::event::Observers;

/// A plan being applied: the target's state, and the outcomes so far.
///
/// While a group of records is being written, the target's state that they read does not change, so they read it without
/// locks. The group's results become visible when it is done.
pub(crate) struct Execution<'a, D: 'static> {
    pub(super) plan: &'a Plan<D>,
    pub(super) options: &'a ExecuteOptions,
    pub(super) current: TargetState<'a, D>,
    pub(super) ledger: Ledger<'a, D>,
    /// The deferred references that are cleared before their records are deleted.
    pub(super) clearing: Clearing,
}

impl<'a, D: Dataset> Execution<'a, D> {
    pub(crate) fn new(plan: &'a Plan<D>, options: &'a ExecuteOptions, observers: &'a Observers) -> Self {
        let (current, ledger) = (TargetState::new(plan), Ledger::new(plan, options, observers));
        Self { plan, options, current, ledger, clearing: Clearing::new() }
    }

    /// Tells the observers where the page of each record is.
    pub(crate) fn with_record_urls(mut self, look_up: &'a LookUp<'a>) -> Self {
        self.ledger.record_url = Some(look_up);
        self
    }

    /// The context of `sync_complete`, including the results of a group that was interrupted.
    pub(crate) fn synced(&mut self) -> CompleteContext<'_, D> {
        self.current.take_over();
        self.ledger.settle_rest();
        CompleteContext::new(&self.current, &self.ledger.outcomes, &self.ledger.completions)
    }

    /// Whether the target was changed, or may have been.
    pub(crate) fn wrote(&self) -> bool {
        self.ledger.wrote()
    }

    pub(crate) fn conclude(&mut self, error: Option<&JobError>) {
        self.ledger.conclude(error);
    }

    pub(crate) fn into_results(self) -> Results<'a, D> {
        let Ledger { outcomes, problems, stopped, .. } = self.ledger;
        Results { current: self.current, outcomes, problems, stopped }
    }

    /// Appends the undo operations of the tasks done since the last entry. If that fails, the execution stops, since further
    /// writes could not be undone.
    pub(super) fn write_journal(&mut self) {
        let Self { options, current, ledger, .. } = self;
        let written = ledger.journal.write(options.undo_log.as_ref(), current, &ledger.outcomes);
        if let Err(error) = written {
            ledger.stop(Stopped::Failure(format!("the undo plan cannot be written: {error}")));
        }
    }
}

/// The results of an execution.
pub(crate) struct Results<'a, D: 'static> {
    /// The target's state now.
    pub(crate) current: TargetState<'a, D>,
    pub(crate) outcomes: Outcomes,
    pub(crate) problems: Vec<Problem>,
    pub(crate) stopped: Option<Stopped>,
}
