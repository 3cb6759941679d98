//! Loading and checking one side of a run.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::lock::{TargetLock, lock_target};
use super::measure::measure;
use crate::adapter::LoadContext;
use crate::data::check::Checked;
use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor};
use crate::data::side::Side;
use crate::error::{AdapterError, panicked};
use crate::job::{Job, JobContext};
use crate::report::RunError;
use crate::report::event::Observers;
use crate::report::step::StepReport;

/// One loaded side, its adapter and data, and the measured step.
pub(super) type LoadedSide<A, D> = (Result<(A, Checked<D>), RunError>, StepReport);

/// The settings for loading a side.
pub(super) struct Loading<J> {
    pub(super) job: Arc<J>,
    pub(super) dry_run: bool,
    pub(super) lock: Option<Arc<dyn TargetLock>>,
    pub(super) memory_profiling: bool,
    pub(super) cancellation: CancellationToken,
    /// The deadline of the run, and its time limit.
    pub(super) time_limit: Option<(Instant, Duration)>,
    pub(super) observers: Observers,
}

impl<J> Clone for Loading<J> {
    fn clone(&self) -> Self {
        Self {
            job: Arc::clone(&self.job),
            dry_run: self.dry_run,
            lock: self.lock.clone(),
            memory_profiling: self.memory_profiling,
            cancellation: self.cancellation.clone(),
            time_limit: self.time_limit,
            observers: self.observers.clone(),
        }
    }
}

impl<J: Job> Loading<J> {
    pub(super) async fn source(&self) -> LoadedSide<J::Source, J::Data> {
        let work = async {
            let adapter = self.job.source_adapter(&self.job_context()).await.map_err(source)?;
            let mut data = J::Data::default();
            let cx = self.load_context(Side::Source);
            self.job.load_source_adapter(&adapter, &mut data, &cx).await.map_err(source)?;
            Ok((adapter, data))
        };
        self.side(Side::Source, Box::pin(work)).await
    }

    /// The source's adapter, with nothing loaded from it.
    pub(super) async fn unloaded_source(&self) -> LoadedSide<J::Source, J::Data> {
        let work = async {
            let adapter = self.job.source_adapter(&self.job_context()).await.map_err(source)?;
            Ok((adapter, J::Data::default()))
        };
        self.side(Side::Source, Box::pin(work)).await
    }

    pub(super) async fn target(&self) -> LoadedSide<J::Target, J::Data> {
        let work = async {
            let adapter = self.job.target_adapter(&self.job_context()).await.map_err(target)?;
            if !self.dry_run {
                lock_target(self.lock.as_ref(), &adapter).await?;
            }

            let mut data = J::Data::default();
            let cx = self.load_context(Side::Target);
            self.job.load_target_adapter(&adapter, &mut data, &cx).await.map_err(target)?;
            Ok((adapter, data))
        };
        self.side(Side::Target, Box::pin(work)).await
    }

    fn job_context(&self) -> JobContext {
        JobContext { dry_run: self.dry_run }
    }

    fn load_context(&self, side: Side) -> LoadContext<'_> {
        LoadContext::new(side, self.dry_run, &self.observers)
    }

    async fn side<A>(
        &self,
        side: Side,
        work: impl Future<Output = Result<(A, J::Data), RunError>> + Send,
    ) -> LoadedSide<A, J::Data> {
        let checked = async {
            let loaded = AssertUnwindSafe(work).catch_unwind();
            let loaded = match self.time_limit {
                None => self.cancellation.run_until_cancelled(loaded).await.ok_or(RunError::Cancelled)?,
                Some((deadline, limit)) => {
                    let loaded = timeout_at(deadline, self.cancellation.run_until_cancelled(loaded)).await;
                    loaded.map_err(|_| RunError::TimeLimit(limit))?.ok_or(RunError::Cancelled)?
                }
            };

            let (adapter, mut data) =
                loaded.unwrap_or_else(|panic| Err(unloaded(side, AdapterError::new(panicked("loader", &*panic)))))?;

            // Before the check, which reports nothing about models that are left out.
            skip(&mut data, J::INFO.skip);
            Ok((adapter, Checked::new(side, data)))
        };
        // On the heap, since a data set of many models would otherwise be moved around on a small stack.
        measure(side.into(), self.memory_profiling, &self.observers, Box::pin(checked)).await
    }
}

fn unloaded(side: Side, error: AdapterError) -> RunError {
    RunError::Load { side, cause: error.into_cause() }
}

fn source(error: impl Into<AdapterError>) -> RunError {
    unloaded(Side::Source, error.into())
}

fn target(error: impl Into<AdapterError>) -> RunError {
    unloaded(Side::Target, error.into())
}

/// Leaves out the models that the job skips, even if they were loaded.
fn skip<D: Dataset>(data: &mut D, models: &[&str]) {
    struct Skip<'a, D> {
        data: &'a mut D,
        models: &'a [&'a str],
    }
    impl<D> ModelVisitor<D> for Skip<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            if self.models.contains(&M::NAME) {
                self.data.table_mut().leave_out("the job leaves it out");
            }
        }
    }

    D::visit_models(&mut Skip { data, models });
}
