//! Two sides that tell identifiers apart by every letter, and jobs on them.

use super::*;
use diffsync_core::ModelExt;

/// Two sides, the second of which is written.
pub(super) struct Lab<D> {
    source: D,
    pub(super) target: Mutex<D>,
    calls: Mutex<Vec<String>>,
}

/// The two sides as a job's variable holds them. It is set by the test itself.
pub(super) struct Handle<D>(Arc<Lab<D>>);

impl<D> Clone for Handle<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D> std::ops::Deref for Handle<D> {
    type Target = Lab<D>;

    fn deref(&self) -> &Lab<D> {
        &self.0
    }
}

impl<D: Send + Sync + 'static> Variable for Handle<D> {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "a lab".into()
    }
}

impl<D> Handle<D> {
    fn new(source: D, target: D) -> Self {
        Self(Arc::new(Lab { source, target: Mutex::new(target), calls: Mutex::default() }))
    }

    pub(super) fn calls(&self) -> Vec<String> {
        locked(&self.calls).clone()
    }
}

/// A side of a lab.
pub(super) struct Store<D>(Handle<D>, bool);

/// What a data set can do here.
pub(super) trait Copied: Dataset {
    fn copied(&self) -> Self;
}

impl Copied for Plant {
    fn copied(&self) -> Self {
        self.copy()
    }
}

impl Copied for Dns {
    fn copied(&self) -> Self {
        let mut copy = Self::default();
        copy.zones.extend(self.zones.iter().cloned());
        copy.entries.extend(self.entries.iter().cloned());
        copy.aliases.extend(self.aliases.iter().cloned());
        copy
    }
}

impl<D: Copied> Adapter for Store<D> {
    type Data = D;

    async fn load(&self, data: &mut D, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = if self.1 { locked(&self.0.target).copied() } else { self.0.source.copied() };
        Ok(())
    }
}

/// It tells identifiers apart by every letter, as a plain list of rows does.
impl<D: Copied + HasTable<M>, M: SyncModel + Clone> Target<M> for Store<D> {
    async fn create(&self, new: &M, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        locked(&self.0.calls).push(format!("create {} {}", M::NAME, new.id()));
        locked(&self.0.target).table_mut().insert(new.clone());
        Ok(new.clone())
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        locked(&self.0.calls).push(format!("update {} {}", M::NAME, old.id()));
        let new = old.patched(patch);
        locked(&self.0.target).table_mut().modify(&old.id(), |record: &mut M| *record = new.clone());
        Ok(new)
    }

    async fn delete(&self, old: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        locked(&self.0.calls).push(format!("delete {} {}", M::NAME, old.id()));
        let mut target = locked(&self.0.target);
        let table: &mut Table<M> = target.table_mut();
        table.remove(&old.id());
        Ok(())
    }
}

macro_rules! jobs {
    ($($job:ident, $data:ident, $lab:ident;)*) => {
        $(#[job(source = Store<$data>, target = Store<$data>)]
        pub(super) struct $job {
            lab: Handle<$data>,
        }

        opens!(
            $job: Store<$data> = |job| Store(job.lab.clone(), false),
            Store<$data> = |job| Store(job.lab.clone(), true)
        );

        impl Handle<$data> {
            pub(super) fn run(&self) -> RunReport {
                self.run_with(self.apply())
            }

            pub(super) fn run_with(&self, options: RunOptions) -> RunReport {
                run_job($job { lab: self.clone() }, options, Vec::new())
            }

            pub(super) fn apply(&self) -> RunOptions {
                unguarded::<$data>(RunOptions::new(&$job::INFO)).apply()
            }

            pub(super) fn dry_run(&self) -> RunOptions {
                unguarded::<$data>(RunOptions::new(&$job::INFO))
            }
        }

        pub(super) fn $lab(source: $data, target: $data) -> Handle<$data> {
            Handle::new(source, target)
        })*
    };
}

jobs! {
    SyncPlants, Plant, lab;
    SyncDns, Dns, name_server;
}
