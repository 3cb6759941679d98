//! Writing to a Nautobot.

use diffsync_core::{Dataset, HasTable, Target, TargetError, Terms, VisitedBy, WriteContext};

use super::{Nautobot, Tables};
use crate::rest::{Models, Rest, RestModel};

impl<D, M> Target<M> for Nautobot<D>
where
    D: Dataset + VisitedBy<Models<D>> + VisitedBy<Tables<D>> + HasTable<M>,
    M: RestModel,
{
    fn terms(&self) -> Terms {
        let terms = <Rest<D> as Target<M>>::terms(&self.rest);
        match M::REST.path {
            // Nautobot finds out which prefix is in which when it stores one. Two that are stored at the same moment do
            // not see each other.
            "ipam/prefixes" => Terms { concurrency_limit: Some(1), ..terms },
            _ => terms,
        }
    }

    // The futures are boxed: those of a data set of many models would else be too much for a small stack.

    async fn create(&self, new: &M, cx: &WriteContext<'_, D>) -> Result<M, TargetError> {
        self.as_loaded(Box::pin(self.rest.create(new, cx)).await?)
    }

    async fn update(&self, old: &M, patch: &M::Patch, cx: &WriteContext<'_, D>) -> Result<M, TargetError> {
        self.as_loaded(Box::pin(self.rest.update(old, patch, cx)).await?)
    }

    async fn delete(&self, old: &M, cx: &WriteContext<'_, D>) -> Result<(), TargetError> {
        Box::pin(self.rest.delete(old, cx)).await
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let stored = Box::pin(self.rest.create_many(new, cx)).await?;
        Ok(stored.into_iter().map(|stored| self.as_loaded(stored?)).collect())
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let stored = Box::pin(self.rest.update_many(changes, cx)).await?;
        Ok(stored.into_iter().map(|stored| self.as_loaded(stored?)).collect())
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        Box::pin(self.rest.delete_many(old, cx)).await
    }
}

impl<D> Nautobot<D> {
    /// A record that was written as it is loaded: without the stamp, or it would seem to have changed since when the run is
    /// taken back.
    fn as_loaded<M: RestModel>(&self, stored: M) -> Result<M, TargetError> {
        let Some(owner) = &self.owner else { return Ok(stored) };
        owner.take_stamp_of(stored).map_err(|error| {
            TargetError::unknown(format!("it was written, and what the server then answered cannot be read: {error}"))
        })
    }
}
