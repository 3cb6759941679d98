//! Adapters: the two systems of a job. A target also creates, updates and deletes records.

use std::future::Future;
use std::sync::LazyLock;

use url::Url;

use crate::dataset::{Dataset, HasTable};
use crate::error::{AdapterError, TargetError};
use crate::event::{Event, Observers};
use crate::execute::{Execution, Synced};
use crate::model::{Names, SyncModel};
use crate::step::Side;

/// One system: it loads a data set.
///
/// ```
/// use diffsync_core::{Adapter, AdapterError, Dataset, LoadContext, SyncModel, Table};
///
/// #[derive(SyncModel)]
/// struct Vlan {
///     #[sync(id)]
///     number: u16,
///     name: String,
/// }
///
/// #[derive(Dataset, Default)]
/// struct Vlans {
///     vlans: Table<Vlan>,
/// }
///
/// struct Csv(&'static str);
///
/// impl Adapter for Csv {
///     type Data = Vlans;
///
///     async fn load(&self, data: &mut Vlans, _: &LoadContext<'_>) -> Result<(), AdapterError> {
///         for line in self.0.lines() {
///             let (number, name) = line.split_once(',').ok_or_else(|| AdapterError::new("a line has no comma"))?;
///             data.vlans.insert(Vlan { number: number.parse()?, name: name.into() });
///         }
///         data.vlans.mark_loaded();
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an adapter",
    label = "cannot be loaded",
    note = "implement `Adapter` for it: `type Data = …;` and `async fn load(&self, data: &mut …, cx: &LoadContext<'_>)`"
)]
pub trait Adapter: Send + Sync + 'static {
    /// What the system holds.
    type Data: Dataset;

    /// Whether what the target is asked to write is written only by [`sync_complete`](Self::sync_complete), as in a
    /// file. If that fails, every record that seemed written has failed.
    const WRITES_AT_COMPLETE: bool = false;

    /// Reads all records into the tables. A table that stays untouched says that its model was not looked at; one that
    /// is complete but empty is [marked as loaded](crate::Table::mark_loaded).
    fn load(
        &self,
        data: &mut Self::Data,
        cx: &LoadContext<'_>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send;

    /// Called on the target after every real run that wrote, also a partial one.
    fn sync_complete(&self, synced: &Synced<'_, Self::Data>) -> impl Future<Output = Result<(), AdapterError>> + Send {
        let _ = synced;
        async { Ok(()) }
    }

    /// Where a person finds the record, if the system has a page for it.
    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        let _ = (model, id);
        None
    }
}

/// A system that records of `M` are written to.
///
/// Records that do not depend on each other are written up to [`CONCURRENCY`](Self::CONCURRENCY) at a time. An error
/// that `?` turns into a [`TargetError`] is one of this record; [`TargetError::fatal`] ends the run.
#[diagnostic::on_unimplemented(
    message = "the target `{Self}` cannot write `{M}`",
    label = "`Target<{M}>` is missing",
    note = "a target writes every model of its data set: add `impl Target<{M}> for {Self}` with `create`, `update` and `delete`"
)]
pub trait Target<M: SyncModel>: Adapter {
    /// How many records of this model may be written at the same time.
    const CONCURRENCY: usize = 1;

    /// Creates a record and returns it as stored, with its local fields filled.
    fn create(&self, new: &M, cx: &WriteContext<'_, Self::Data>)
    -> impl Future<Output = Result<M, TargetError>> + Send;

    /// Changes the attributes that the patch holds, and returns the record as stored.
    fn update(
        &self,
        old: &M,
        patch: &M::Patch,
        cx: &WriteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<M, TargetError>> + Send;

    /// Deletes a record.
    fn delete(
        &self,
        old: &M,
        cx: &WriteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), TargetError>> + Send;
}

/// What an adapter gets while it loads.
pub struct LoadContext<'a> {
    side: Side,
    observers: &'a Observers,
}

impl<'a> LoadContext<'a> {
    pub(crate) fn new(side: Side, observers: &'a Observers) -> Self {
        Self { side, observers }
    }

    /// A context outside a run, observed by nobody: for a test of a loader.
    #[must_use]
    pub fn alone(side: Side) -> LoadContext<'static> {
        static NOBODY: LazyLock<Observers> = LazyLock::new(Observers::default);
        LoadContext { side, observers: &NOBODY }
    }

    /// Which side is being loaded.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Says how many records were read so far, and how many there are if that is known.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        self.observers.emit(&Event::Progress { step: self.side.into(), done, total });
    }
}

impl std::fmt::Debug for LoadContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadContext").field("side", &self.side).finish_non_exhaustive()
    }
}

/// What a target gets while it writes a record.
pub struct WriteContext<'a, D: 'static> {
    execution: &'a Execution<'a, D>,
}

impl<'a, D: Dataset> WriteContext<'a, D> {
    pub(crate) fn new(execution: &'a Execution<'a, D>) -> Self {
        Self { execution }
    }

    /// The record that `name` names, as the target now holds it: whether it was there before the run or was created
    /// seconds ago, with the local fields that the target gave it.
    ///
    /// Parents are written before what lives under them, so a record's parent is always found.
    ///
    /// # Errors
    ///
    /// If the target holds no such record.
    pub fn current<M: SyncModel>(&self, name: &(impl Names<M> + ?Sized)) -> Result<&'a M, TargetError>
    where
        D: HasTable<M>,
    {
        let Some(key) = name.key() else {
            return Err(TargetError::new(format!("the record names no {}", M::NAME)));
        };
        self.execution
            .current(key)
            .ok_or_else(|| TargetError::new(format!("the target holds no {} {:?}", M::NAME, M::to_id(key).to_string())))
    }

    /// What the source holds.
    #[must_use]
    pub fn source(&self) -> &'a D {
        self.execution.plan().source()
    }
}

impl<D> std::fmt::Debug for WriteContext<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteContext").finish_non_exhaustive()
    }
}
