//! The report of a run that has ended.

use std::sync::Arc;
use std::time::Duration;

use super::{Run, Stage};
use crate::job::Job;
use crate::plan::PlanView;
use crate::plan::outcome::Outcomes;
use crate::report::{RunError, RunReport, Status};

impl<J: Job> Run<J> {
    /// The report: what the run did, and how it ended.
    pub(super) fn into_report(self, error: Option<RunError>, duration: Duration) -> RunReport {
        let (mut drift, mut already_done) = (Vec::new(), 0);
        let plan: Option<Arc<dyn PlanView>> = match self.stage {
            Stage::Planned { plan, .. } => {
                if let Some(check) = plan.drift_check() {
                    drift.clone_from(&check.drift);
                    already_done = check.done;
                }
                Some(plan)
            }
            _ => None,
        };

        let outcomes = match (&plan, self.outcomes) {
            (_, Some(outcomes)) => outcomes,
            (Some(plan), None) => Outcomes::none_of(plan.diff()),
            (None, None) => Outcomes::default(),
        };

        let counts = plan.as_ref().map(|plan| outcomes.counts(plan.diff())).unwrap_or_default();

        // A cancellation that the user did not ask for is a failure.
        let error = match (error, self.options.abort_reason.get()) {
            (Some(RunError::Cancelled), Some(reason)) => {
                Some(RunError::Aborted { reason: reason.to_owned(), counts: Box::new(counts) })
            }
            (error, _) => error,
        };

        // A dry run attempts nothing, and is complete all the same.
        let left_undone = if self.options.dry_run { 0 } else { counts.not_attempted };
        let status = match &error {
            Some(RunError::Refused(_)) => Status::Refused,
            Some(RunError::Cancelled) => Status::Cancelled,
            Some(_) => Status::Failed,
            None if counts.failed + counts.blocked + counts.held + counts.rejected + counts.unknown + left_undone
                > 0 =>
            {
                Status::Partial
            }
            None if !self.problems.is_empty() || !drift.is_empty() => Status::Partial,
            None => Status::Completed,
        };

        let in_data = plan.as_ref().map_or(&[][..], |plan| plan.problems());
        RunReport {
            job: J::INFO.id,
            problems: in_data.iter().cloned().chain(self.problems).collect(),
            dry_run: self.options.dry_run,
            status,
            error,
            duration,
            steps: self.steps,
            config: self.job.config_information(),
            counts,
            breaches: self.breaches,
            limit_overrides: self.options.limit_overrides,
            skipped: self.skipped,
            filtered: self.filtered,
            drift,
            already_done,
            retries: self.observers.retries(),
            undo: self.undo,
            plan,
            outcomes,
            links: self.links,
        }
    }
}
