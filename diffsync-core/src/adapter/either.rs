//! An adapter that is one of two, chosen when the job runs.

use url::Url;

use crate::adapter::health_check::HealthCheck;
use crate::adapter::{Adapter, Capabilities, CompleteContext, LoadContext, Target, WriteContext};
use crate::error::{AdapterError, TargetError};
use crate::model::SyncModel;

/// One of two adapters of the same data set, such as a file or a server, depending on a variable of the job.
///
/// It is a target if both are.
#[derive(Debug, Clone, Copy)]
pub enum Either<A, B> {
    /// The first.
    Left(A),
    /// The second.
    Right(B),
}

/// Evaluates the same expression for either adapter.
macro_rules! either {
    ($either:expr, $adapter:ident => $does:expr) => {
        match $either {
            Either::Left($adapter) => $does,
            Either::Right($adapter) => $does,
        }
    };
}

impl<A: Adapter, B: Adapter<Data = A::Data>> Adapter for Either<A, B> {
    type Data = A::Data;

    async fn load(&self, data: &mut A::Data, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        either!(self, adapter => adapter.load(data, cx).await)
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, A::Data>) -> Result<(), AdapterError> {
        either!(self, adapter => adapter.sync_complete(synced).await)
    }

    fn rehearses(&self) -> bool {
        either!(self, adapter => adapter.rehearses())
    }

    async fn rehearse(&self, synced: &CompleteContext<'_, A::Data>) -> Result<(), AdapterError> {
        either!(self, adapter => adapter.rehearse(synced).await)
    }

    // The functions and not the constants of `Adapter` and `Target`: which adapter it is depends on the run.
    fn writes_at_complete(&self) -> bool {
        either!(self, adapter => adapter.writes_at_complete())
    }

    fn rewrites(&self) -> bool {
        either!(self, adapter => adapter.rewrites())
    }

    async fn check(&self, health: &mut HealthCheck) {
        either!(self, adapter => adapter.check(health).await);
    }

    fn resource(&self) -> Option<String> {
        either!(self, adapter => adapter.resource())
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        either!(self, adapter => adapter.record_url(model, id))
    }
}

impl<M, A, B> Target<M> for Either<A, B>
where
    M: SyncModel,
    A: Target<M>,
    B: Target<M, Data = A::Data>,
{
    async fn create(&self, new: &M, cx: &WriteContext<'_, A::Data>) -> Result<M, TargetError> {
        either!(self, target => target.create(new, cx).await)
    }

    async fn update(&self, old: &M, patch: &M::Patch, cx: &WriteContext<'_, A::Data>) -> Result<M, TargetError> {
        either!(self, target => target.update(old, patch, cx).await)
    }

    async fn delete(&self, old: &M, cx: &WriteContext<'_, A::Data>) -> Result<(), TargetError> {
        either!(self, target => target.delete(old, cx).await)
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, A::Data>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        either!(self, target => target.create_many(new, cx).await)
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, A::Data>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        either!(self, target => target.update_many(changes, cx).await)
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, A::Data>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        either!(self, target => target.delete_many(old, cx).await)
    }

    fn capabilities(&self) -> Capabilities {
        either!(self, target => target.capabilities())
    }
}
