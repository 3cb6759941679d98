//! Why a run may not write.

use super::Run;
use crate::adapter::Adapter;
use crate::data::dataset::Dataset;
use crate::data::refusal::Refusal;
use crate::job::Job;
use crate::model::limit::OnGuard;
use crate::plan::Plan;
use crate::plan_file::DriftPolicy;

impl<J: Job> Run<J> {
    /// Why the plan must not be applied.
    pub(super) fn refusal(&self, plan: &Plan<J::Data>, target: &J::Target) -> Option<Refusal> {
        let drift = || {
            let check = plan.drift_check()?;
            let policy = self.options.apply_request.as_ref().map(|request| request.policy).unwrap_or_default();
            if policy == DriftPolicy::Refuse && !check.drift.is_empty() {
                return Some(Refusal::Drift(check.drift.clone()));
            }
            let nothing_else = check.drift.is_empty() && check.left_out == 0 && plan.diff().is_empty();
            let all_done = check.done > 0 && nothing_else;
            all_done.then_some(Refusal::Done)
        };

        let lost = || plan.unwritable().filter(|_| target.rewrites());
        let stops = self.options.on_guard == OnGuard::Stop && !self.breaches.is_empty();
        let guards = || stops.then(|| Refusal::Guards(self.breaches.clone()));

        too_many_rejected(plan, self.options.max_rejected).or_else(lost).or_else(drift).or_else(guards)
    }
}

/// The first model with too many unusable records.
fn too_many_rejected<D: Dataset>(plan: &Plan<D>, max_rejected: f64) -> Option<Refusal> {
    plan.rejections().iter().find_map(|rejection| {
        #[allow(clippy::cast_precision_loss, reason = "a share of records needs no more than 53 bits")]
        let share = rejection.rejected as f64 / rejection.records.max(1) as f64;
        (share > max_rejected).then(|| Refusal::TooManyRejected {
            side: rejection.side,
            model: rejection.model,
            rejected: rejection.rejected,
            records: rejection.records,
            limit: (max_rejected * 10_000.0).round() / 100.0,
        })
    })
}
