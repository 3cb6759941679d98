//! A target with an injected fault.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use url::Url;

use crate::adapter::{Adapter, Capabilities, CompleteContext, LoadContext, Target, WriteContext};
use crate::error::{AdapterError, TargetError};
use crate::model::SyncModel;

/// Where and how a target fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// This call is refused.
    Refuses(usize),
    /// This call is carried out, but its answer and the connection are lost.
    LosesAnswer(usize),
    /// This call and all later ones fail.
    GoesDown(usize),
    /// The run cannot be completed.
    CannotComplete,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no failure"),
            Self::Refuses(call) => write!(f, "call {call} was refused"),
            Self::LosesAnswer(call) => write!(f, "the answer to call {call} was lost"),
            Self::GoesDown(call) => write!(f, "the system went down at call {call}"),
            Self::CannotComplete => f.write_str("the run could not be completed"),
        }
    }
}

/// A target with an injected fault, which counts its calls.
#[derive(Debug)]
pub struct Faulty<T> {
    target: Arc<T>,
    fault: Fault,
    calls: AtomicUsize,
    is_down: AtomicBool,
}

impl<T> Faulty<T> {
    pub(super) fn of(target: &Arc<T>, fault: Fault) -> Self {
        Self { target: Arc::clone(target), fault, calls: AtomicUsize::new(0), is_down: AtomicBool::new(false) }
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn call<R>(&self, call: impl Future<Output = Result<R, TargetError>> + Send) -> Result<R, TargetError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Refuses(at) if at == number => Err(TargetError::new("injected: refused")),
            Fault::LosesAnswer(at) if at == number => {
                call.await?;
                self.is_down.store(true, Ordering::SeqCst);
                Err(TargetError::fatal("injected: the connection was lost after it was written"))
            }
            Fault::GoesDown(at) if at <= number => Err(TargetError::fatal("injected: the system is down")),
            _ => call.await,
        }
    }
}

impl<T: Adapter> Adapter for Faulty<T> {
    type Data = T::Data;

    async fn load(&self, data: &mut T::Data, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.target.load(data, cx).await
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, T::Data>) -> Result<(), AdapterError> {
        let is_down =
            self.is_down.load(Ordering::SeqCst) || matches!(self.fault, Fault::GoesDown(at) if at < self.calls());
        if is_down || self.fault == Fault::CannotComplete {
            return Err(AdapterError::new("injected: the run cannot be completed"));
        }
        self.target.sync_complete(synced).await
    }

    fn writes_at_complete(&self) -> bool {
        self.target.writes_at_complete()
    }

    fn rewrites(&self) -> bool {
        self.target.rewrites()
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        self.target.record_url(model, id)
    }
}

impl<M: SyncModel, T: Target<M>> Target<M> for Faulty<T> {
    async fn create(&self, new: &M, cx: &WriteContext<'_, T::Data>) -> Result<M, TargetError> {
        self.call(self.target.create(new, cx)).await
    }

    async fn update(&self, old: &M, patch: &M::Patch, cx: &WriteContext<'_, T::Data>) -> Result<M, TargetError> {
        self.call(self.target.update(old, patch, cx)).await
    }

    async fn delete(&self, old: &M, cx: &WriteContext<'_, T::Data>) -> Result<(), TargetError> {
        self.call(self.target.delete(old, cx)).await
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, T::Data>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        self.call(self.target.create_many(new, cx)).await
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, T::Data>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        self.call(self.target.update_many(changes, cx)).await
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, T::Data>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        self.call(self.target.delete_many(old, cx)).await
    }

    fn capabilities(&self) -> Capabilities {
        self.target.capabilities()
    }
}
