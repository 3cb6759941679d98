//! The third step of a run: comparing both sides.

use std::sync::Arc;

use super::filtered::filtered;
use super::measure::{caught, measure, on_heap};
use super::{Run, Stage};
use crate::job::Job;
use crate::model::limit::OnGuard;
use crate::plan::PlanView;
use crate::plan::guard::Guards;
use crate::report::RunError;
use crate::report::event::Event;
use crate::report::step::Step;

impl<J: Job> Run<J> {
    /// The third step: compares both sides.
    ///
    /// # Errors
    ///
    /// If the hook fails or returns a plan of another comparison, or the plan is refused.
    pub async fn calculate_diff(&mut self) -> Result<(), RunError> {
        on_heap(self.compare()).await
    }

    async fn compare(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::CalculateDiff, "calculate_diff")?;
        let Stage::Loaded { source, target, data } = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return Err(RunError::Order { called: "calculate_diff", missing: "load" });
        };

        let comparison = data.comparison();
        let hook = caught("calculate_diff", self.job.calculate_diff(*data));
        let (plan, report) = measure(Step::CalculateDiff, self.options.memory_profiling, &self.observers, hook).await;
        self.steps.push(report);

        // Only the plan of this comparison respects the run's filter, its flags and the plan file that is applied.
        let mut plan = plan.map_err(|error| RunError::Diff(error.into_cause()))?;
        if plan.comparison() != comparison {
            return Err(RunError::ForeignPlan);
        }

        let guards = Guards { job: J::INFO.limits, limit_overrides: &self.options.limit_overrides };
        let breaches = guards.breaches(&plan);

        // Before the diff is announced, so that it shows what will be held.
        if self.options.on_guard == OnGuard::Hold {
            for (model, breach) in &breaches {
                plan.hold(*model, breach.operation);
            }
        }
        self.breaches = breaches.into_iter().map(|(_, breach)| breach).collect();
        plan.set_breaches(self.breaches.clone());

        self.filtered = filtered(&plan, &self.options.filter);
        let plan = Arc::new(plan);

        self.observers.emit(&Event::DiffReady(&(Arc::clone(&plan) as Arc<dyn PlanView>)));
        if self.options.log_unchanged_records {
            plan.unchanged(|record| self.observers.emit(&Event::RecordUnchanged(record)));
        }

        let refusal = self.refusal(&plan, &target);

        // Kept even if the plan is refused, so that the report can show it.
        self.stage = Stage::Planned { source, target, plan };
        refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}
