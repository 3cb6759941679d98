//! The first two steps of a run: loading both sides.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::load_side::Loading;
use super::measure::on_heap;
use super::{Run, Stage};
use crate::apply::loaded_sides::LoadedSides;
use crate::data::check::{half_loaded, nothing_loaded};
use crate::data::refusal::Refusal;
use crate::data::side::Side;
use crate::execute::abilities;
use crate::job::Job;
use crate::plan::scope::Scope;
use crate::plan_file::PlanKind;
use crate::plan_file::selection::PlanSelection;
use crate::report::RunError;
use crate::report::step::Step;

impl<J: Job> Run<J> {
    /// The first two steps: loads both sides, in parallel if the options say so.
    ///
    /// # Errors
    ///
    /// If a side cannot be loaded, or did not load a model that the other side loaded.
    pub async fn load(&mut self) -> Result<(), RunError> {
        on_heap(self.load_sides()).await
    }

    async fn load_sides(&mut self) -> Result<(), RunError> {
        self.not_yet(Step::LoadSource, "load")?;
        if self.options.apply_request.as_ref().is_some_and(|its| its.plan.header.kind == PlanKind::Undo) {
            return self.load_target_only().await;
        }

        let loading = self.loading();
        let (source, target) = if self.options.parallel_loading {
            // Each on its own task, so that two loaders that compute do not wait for each other. The handle aborts the task,
            // so loading the target ends when the source has failed.
            let other = loading.clone();
            let target = AbortOnDropHandle::new(tokio::spawn(async move { Box::pin(other.target()).await }));
            let source = Box::pin(loading.source()).await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }

            let target = match target.await {
                Ok(target) => target,
                // The loader's own panics are caught; the only other cause is a runtime that is shutting down.
                Err(error) => {
                    let cause = Box::new(error);
                    return Err(RunError::Load { side: Side::Target, cause });
                }
            };
            (source, target)
        } else {
            // One after the other: if the source cannot be loaded, the target is not called.
            let source = Box::pin(loading.source()).await;
            if let (Err(error), report) = source {
                self.steps.push(report);
                return Err(error);
            }
            (source, Box::pin(loading.target()).await)
        };

        self.steps.push(source.1);
        self.steps.push(target.1);
        let (source, source_data) = source.0?;
        let (target, target_data) = target.0?;

        self.skipped = source_data.skipped_models().chain(target_data.skipped_models()).collect();
        let scope = self.scope(&target);
        let data = Box::new(LoadedSides::of(source_data, target_data, scope));

        // A loader that returned nothing is more likely broken than its system is empty: everything would be deleted.
        let half_loaded = half_loaded(data.source(), data.target());

        // First, since a side that loaded nothing would be reported as half loaded too, which says less.
        for (side, loaded) in [(Side::Source, data.source()), (Side::Target, data.target())] {
            if nothing_loaded(loaded) {
                return Err(Refusal::NothingLoaded(side).into());
            }
        }
        if !half_loaded.is_empty() {
            return Err(Refusal::HalfLoaded(half_loaded).into());
        }

        self.stage = Stage::Loaded { source, target, data };
        Ok(())
    }

    /// Loads only the target, for an undo plan: its file holds the rest. The source's adapter is created because hooks
    /// receive it, but it is not called, so the source itself may be unreachable.
    async fn load_target_only(&mut self) -> Result<(), RunError> {
        let loading = self.loading();
        let (source, report) = loading.unloaded_source().await;
        self.steps.push(report);
        let (source, nothing) = source?;

        let (target, report) = loading.target().await;
        self.steps.push(report);
        let (target, data) = target?;

        self.skipped = data.skipped_models().collect();
        let scope = self.scope(&target);
        let data = Box::new(LoadedSides::of(nothing, data, scope));
        self.stage = Stage::Loaded { source, target, data };
        Ok(())
    }

    fn loading(&self) -> Loading<J> {
        Loading {
            job: Arc::clone(&self.job),
            dry_run: self.options.dry_run,
            lock: self.options.lock.clone(),
            memory_profiling: self.options.memory_profiling,
            cancellation: self.options.cancellation.clone(),
            time_limit: self.deadline.zip(self.options.time_limit),
            observers: self.observers.clone(),
        }
    }

    fn scope(&self, target: &J::Target) -> Scope {
        Scope {
            flags: self.options.flags,
            filters: vec![self.options.filter.clone()],
            ignore: J::INFO.ignore,
            operations: abilities::<J::Data, J::Target>(target),
            selection: self.options.apply_request.clone().map(PlanSelection::new),
        }
    }
}
