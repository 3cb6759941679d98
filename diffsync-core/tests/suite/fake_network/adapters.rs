//! The adapters of the fake network: one that can only be read, and targets that write one by one or in batches.

use super::*;

/// The source's adapter.
pub(crate) struct Store(pub(crate) Handle);

impl Adapter for Store {
    type Data = Net;

    async fn load(&self, data: &mut Net, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.0.load(&self.0.source, &self.0.source_then, data).await;
        Ok(())
    }
}

/// The target's adapter. What it says of itself is a value, so that the tests need not be compiled for each.
pub(crate) struct Rack(Handle, Capabilities);

impl Rack {
    /// A target that takes records one by one.
    pub(crate) fn one_by_one(lab: Handle) -> Self {
        Self(lab, Capabilities { operations: Operations::all(), concurrency: 1, concurrency_limit: None, batch: 1 })
    }

    /// A target that is given four records at a time.
    pub(crate) fn in_batches(self) -> Self {
        Self(self.0, Capabilities { batch: 4, ..self.1 })
    }

    /// A target that stands no more than so many calls at the same time.
    pub(crate) fn limited_to(self, calls: usize) -> Self {
        Self(self.0, Capabilities { concurrency_limit: Some(calls), ..self.1 })
    }

    /// A target that is not able to do this.
    pub(crate) fn without(self, ops: Operations) -> Self {
        Self(self.0, Capabilities { operations: self.1.operations - ops, ..self.1 })
    }
}

/// A target that takes so many records with one call.
pub(crate) struct Bulk(pub(crate) Handle, pub(crate) usize);

macro_rules! adapter {
    ($($target:ident)*) => {$(
        impl Adapter for $target {
            type Data = Net;

            async fn load(&self, data: &mut Net, _: &LoadContext<'_>) -> Result<(), AdapterError> {
                self.0.load(&self.0.target, &self.0.target_then, data).await;
                Ok(())
            }

            async fn sync_complete(&self, synced: &CompleteContext<'_, Net>) -> Result<(), AdapterError> {
                self.0.completed.fetch_add(1, Ordering::SeqCst);
                // What the core takes the target to hold is what it holds, unless a call was never answered.
                let mut held: Vec<String> = synced.records::<Device>().map(|device| format!("{device:?}")).collect();
                held.sort();
                let target = self.0.target();
                let mut holds: Vec<String> = target.devices.iter().map(|device| format!("{device:?}")).collect();
                holds.sort();
                if held != holds && synced.counts().unknown == 0 {
                    self.0.violation(format!("complete: the core sees {held:#?} where there is {holds:#?}"));
                }
                Ok(())
            }
        }
    )*};
}
adapter!(Rack Bulk);

macro_rules! one_by_one {
    ($model:ident) => {
        async fn create(&self, new: &$model, _: &WriteContext<'_, Net>) -> Result<$model, TargetError> {
            self.0.create(new).await
        }

        async fn update(
            &self,
            old: &$model,
            patch: &<$model as SyncModel>::Patch,
            cx: &WriteContext<'_, Net>,
        ) -> Result<$model, TargetError> {
            self.0.update(old, patch, cx).await
        }

        async fn delete(&self, old: &$model, cx: &WriteContext<'_, Net>) -> Result<(), TargetError> {
            self.0.delete(old, cx).await
        }
    };
}

macro_rules! targets {
    ($($model:ident $table:ident),*) => {$(
        impl Target<$model> for Rack {
            one_by_one!($model);

            fn capabilities(&self) -> Capabilities {
                self.1
            }
        }

        impl Target<$model> for Bulk {
            one_by_one!($model);

            fn capabilities(&self) -> Capabilities {
                Capabilities { operations: Operations::all(), concurrency: 1, concurrency_limit: None, batch: self.1 }
            }

            async fn create_many(
                &self,
                new: &[&$model],
                _: &WriteContext<'_, Net>,
            ) -> Result<Vec<Result<$model, TargetError>>, TargetError> {
                let too_few = self.0.together(Operation::Create, new).await?;
                let mut answers = Vec::new();
                for new in new {
                    answers.push(self.0.create(*new).await);
                }
                answers.truncate(answers.len() - usize::from(too_few));
                Ok(answers)
            }

            async fn update_many(
                &self,
                changes: &[(&$model, <$model as SyncModel>::Patch)],
                cx: &WriteContext<'_, Net>,
            ) -> Result<Vec<Result<$model, TargetError>>, TargetError> {
                let old: Vec<&$model> = changes.iter().map(|(old, _)| *old).collect();
                let too_few = self.0.together(Operation::Update, &old).await?;
                let mut answers = Vec::new();
                for (old, patch) in changes {
                    answers.push(self.0.update(*old, patch, cx).await);
                }
                answers.truncate(answers.len() - usize::from(too_few));
                Ok(answers)
            }

            async fn delete_many(
                &self,
                old: &[&$model],
                cx: &WriteContext<'_, Net>,
            ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
                let too_few = self.0.together(Operation::Delete, old).await?;
                let mut answers = Vec::new();
                for old in old {
                    answers.push(self.0.delete(*old, cx).await);
                }
                answers.truncate(answers.len() - usize::from(too_few));
                Ok(answers)
            }
        }
    )*};
}
each_model!(targets);
