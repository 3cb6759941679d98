//! Adapters: the two systems of a job.
//!
//! An [`Adapter`] loads a data set. A [`Target`] also creates, updates and deletes records of a model. `diffsync-adapters` has
//! ready-made ones for files, databases and REST APIs.

mod either;
pub(crate) mod health_check;

pub use self::either::Either;
pub use self::health_check::{CheckResult, HealthCheck};
pub use crate::error::{AdapterError, TargetError, TargetErrorKind};

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fixedbitset::FixedBitSet;
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use url::Url;

use crate::data::dataset::{Dataset, HasTable, position};
use crate::data::side::Side;
use crate::data::table::Table;
use crate::error::panicked;
use crate::model::operation::{Operation, Operations};
use crate::model::{AsKey, SyncModel};
use crate::plan::Plan;
use crate::plan::diff::Withheld;
use crate::plan::outcome::{OutcomeCounts, Outcomes};
use crate::plan::target_state::TargetState;
use crate::report::event::{Event, Observers};

/// One system: it loads a data set.
///
/// ```
/// use diffsync_core::{Adapter, Dataset, SyncModel, Table};
/// use diffsync_core::adapter::{AdapterError, LoadContext};
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

    /// Whether the target writes only in [`sync_complete`](Self::sync_complete), as a file does. If that fails, every
    /// record that seemed written has failed; with [`AdapterError::unknown`], their outcome is unknown.
    const WRITES_AT_COMPLETE: bool = false;

    /// Reads all records into the tables. An untouched table means that its model was not loaded; a table that is complete
    /// but empty must be [marked as loaded](crate::Table::mark_loaded).
    fn load(
        &self,
        data: &mut Self::Data,
        cx: &LoadContext<'_>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send;

    /// Called on the target after every real run that wrote, even a partial one.
    fn sync_complete(
        &self,
        synced: &CompleteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send {
        let _ = synced;
        async { Ok(()) }
    }

    /// [`WRITES_AT_COMPLETE`](Self::WRITES_AT_COMPLETE) as a value, for adapters where it depends on the instance.
    fn writes_at_complete(&self) -> bool {
        Self::WRITES_AT_COMPLETE
    }

    /// Whether [`sync_complete`](Self::sync_complete) rewrites the system from its loaded records. Records that could not
    /// be loaded would then be lost, so the run is refused. Return `false` for a target that edits in place.
    fn rewrites(&self) -> bool {
        self.writes_at_complete()
    }

    /// Whether a dry run tries its plan on the target. It then creates, updates and deletes every record as a real run
    /// does, and calls [`rehearse`](Self::rehearse) instead of [`sync_complete`](Self::sync_complete). This is only for
    /// targets that write nothing before they complete a run.
    fn rehearses(&self) -> bool {
        false
    }

    /// Checks whether [`sync_complete`](Self::sync_complete) would succeed, and writes nothing.
    fn rehearse(
        &self,
        synced: &CompleteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send {
        let _ = synced;
        async { Ok(()) }
    }

    /// Tests whether the system can be used, before anything is loaded from it: the connection, the login, the rights, the
    /// version. Results go to the [`HealthCheck`], which also knows which side the system is.
    fn check(&self, health: &mut HealthCheck) -> impl Future<Output = ()> + Send {
        let _ = health;
        async {}
    }

    /// The system as a text that is the same for every adapter of that system and holds no secret, such as
    /// `postgres://db.example.org:5432/inventory`. Runs that write to the same resource are kept apart by a
    /// [`TargetLock`](crate::run::TargetLock); `None` if the system cannot be named.
    fn resource(&self) -> Option<String> {
        None
    }

    /// The URL of the record's page, if the system has one.
    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        let _ = (model, id);
        None
    }
}

/// A system to which records of `M` are written.
///
/// Records that do not depend on each other are written up to [`CONCURRENCY`](Self::CONCURRENCY) at a time. An error
/// that `?` turns into a [`TargetError`] concerns this record only. [`TargetError::transient`] is retried;
/// [`TargetError::unknown`] is not, since the record may have been written; [`TargetError::fatal`] ends the run.
#[diagnostic::on_unimplemented(
    message = "the target `{Self}` cannot write `{M}`",
    label = "`Target<{M}>` is missing",
    note = "a target writes every model of its data set: add `impl Target<{M}> for {Self}` with `create`, `update` and `delete`"
)]
pub trait Target<M: SyncModel>: Adapter {
    /// The operations that the system supports for this model. Others are reported as unsupported and never attempted, so
    /// their functions are not called.
    const OPERATIONS: Operations = Operations::all();

    /// How many calls for this model are made at a time, unless a job or a run sets another number.
    const CONCURRENCY: usize = 1;

    /// The most calls that the system takes at a time; a job or a run cannot exceed it. `None` means no limit.
    const CONCURRENCY_LIMIT: Option<usize> = None;

    /// How many records one call writes. If more than one, [`create_many`](Self::create_many) and its siblings are called
    /// instead of [`create`](Self::create) and its siblings.
    const BATCH: usize = 1;

    /// Creates a record and returns it as stored, with its local fields filled.
    fn create(&self, new: &M, cx: &WriteContext<'_, Self::Data>)
    -> impl Future<Output = Result<M, TargetError>> + Send;

    /// Changes the attributes in the patch, and returns the record as stored.
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

    /// Creates up to [`BATCH`](Self::BATCH) records, and returns a result for each, in their order.
    ///
    /// An error for the whole call means that none was created: the batch is then retried in halves until the bad records
    /// are found. A transient error for one record retries only that record. After a panic, all outcomes are unknown.
    ///
    /// By default it creates one record after the other, with up to [`CONCURRENCY`](Self::CONCURRENCY) batches at a time.
    fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<Vec<Result<M, TargetError>>, TargetError>> + Send {
        // One after the other: the target's limit counts batches, and must not be exceeded within them.
        async move { Ok(stream::iter(0..new.len()).then(|at| caught(self.create(new[at], cx))).collect().await) }
    }

    /// Updates several records as [`create_many`](Self::create_many) creates them.
    fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<Vec<Result<M, TargetError>>, TargetError>> + Send {
        let update = |at: usize| self.update(changes[at].0, &changes[at].1, cx);
        async move { Ok(stream::iter(0..changes.len()).then(|at| caught(update(at))).collect().await) }
    }

    /// Deletes several records as [`create_many`](Self::create_many) creates them.
    fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<Vec<Result<(), TargetError>>, TargetError>> + Send {
        async move { Ok(stream::iter(0..old.len()).then(|at| caught(self.delete(old[at], cx))).collect().await) }
    }

    /// The constants as values, for targets where they depend on the instance.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            operations: Self::OPERATIONS,
            concurrency: Self::CONCURRENCY,
            concurrency_limit: Self::CONCURRENCY_LIMIT,
            batch: Self::BATCH,
        }
    }
}

/// Turns a panic into an unknown outcome of the record that caused it, which may have been written before the panic. The
/// others of its batch keep their own results.
async fn caught<R>(answer: impl Future<Output = Result<R, TargetError>>) -> Result<R, TargetError> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|panic| Err(TargetError::unknown(panicked("target", &*panic))))
}

/// How a target writes records of a model: the constants of [`Target`] as values.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// The operations that the system supports.
    pub operations: Operations,
    /// How many calls are made at a time, unless a job or a run sets another number.
    pub concurrency: usize,
    /// The most calls that may be made at a time; a job or a run cannot exceed it.
    pub concurrency_limit: Option<usize>,
    /// How many records one call writes.
    pub batch: usize,
}

/// A data set whose models the target `T` can all write. Implemented by `#[derive(Dataset)]` for every such `T`.
pub trait WrittenBy<T>: Dataset {
    /// Calls the visitor once for each model, in the order of the fields.
    #[doc(hidden)]
    fn visit_targets<V: TargetVisitor<Self, T>>(visitor: &mut V);
}

/// Called with each model of a data set together with the target that writes it.
#[doc(hidden)]
pub trait TargetVisitor<D: Dataset, T> {
    fn visit<M: SyncModel>(&mut self)
    where
        D: HasTable<M>,
        T: Target<M, Data = D>;
}

/// The context of [`Adapter::load`].
pub struct LoadContext<'a> {
    side: Side,
    is_dry_run: bool,
    observers: &'a Observers,
}

impl<'a> LoadContext<'a> {
    pub(crate) fn new(side: Side, is_dry_run: bool, observers: &'a Observers) -> Self {
        Self { side, is_dry_run, observers }
    }

    /// A context outside a run, without observers, to test a loader.
    #[must_use]
    pub fn standalone(side: Side) -> LoadContext<'static> {
        static NONE: LazyLock<Observers> = LazyLock::new(Observers::default);
        LoadContext { side, is_dry_run: true, observers: &NONE }
    }

    /// Which side is being loaded.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Whether nothing will be written. A target then need not be locked against other writers.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Reports how many records were read so far, and the total if it is known.
    pub fn progress(&self, done: u64, total: Option<u64>) {
        self.observers.emit(&Event::Progress { step: self.side.into(), done, total });
    }
}

impl std::fmt::Debug for LoadContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadContext").field("side", &self.side).finish_non_exhaustive()
    }
}

/// The planned deletes that are known not to be done.
#[derive(Debug, Clone)]
pub(crate) struct Staying {
    /// For each model, the places of deletes that failed, were blocked or are held.
    places: Vec<FixedBitSet>,
    /// The models of which no more records are deleted.
    models: FixedBitSet,
}

impl Staying {
    pub(crate) fn of(models: usize) -> Self {
        Self { places: vec![FixedBitSet::new(); models], models: FixedBitSet::with_capacity(models) }
    }

    /// Notes that the delete at this place will not be done.
    pub(crate) fn keep(&mut self, model: usize, place: usize) {
        self.places[model].grow_and_insert(place);
    }

    /// Notes that no more deletes of this model will be done.
    pub(crate) fn keep_all(&mut self, model: usize) {
        self.models.insert(model);
    }
}

/// The context of a call that writes records.
pub struct WriteContext<'a, D: 'static> {
    current: &'a TargetState<'a, D>,
    staying: Arc<Staying>,
}

impl<'a, D: Dataset> WriteContext<'a, D> {
    pub(crate) fn new(current: &'a TargetState<'a, D>, staying: Arc<Staying>) -> Self {
        Self { current, staying }
    }

    /// The record that `name` names, as the target now holds it, with the local fields that the target gave it. It may
    /// have existed before the run or have been created by it.
    ///
    /// Parents are written before their children, so a record's parent is found if its model was loaded.
    ///
    /// # Errors
    ///
    /// If the target holds no such record.
    pub fn current<M: SyncModel>(&self, name: &(impl AsKey<M> + ?Sized)) -> Result<&'a M, TargetError>
    where
        D: HasTable<M>,
    {
        let Some(key) = name.key() else {
            return Err(TargetError::new(format!("the record names no {}", M::NAME)));
        };
        self.current
            .get(key)
            .ok_or_else(|| TargetError::new(format!("the target holds no {} {:?}", M::NAME, M::to_id(key).to_string())))
    }

    /// The source's data set.
    #[must_use]
    pub fn source(&self) -> &'a D {
        self.current.plan().source()
    }

    /// The records of a model that the plan deletes, as they were loaded, including those that are already deleted and those
    /// that the target deletes with their parent. Deletes that are unsupported or held, or that have failed or were blocked,
    /// are not included. More may fail while the run goes on, so call this for each record.
    ///
    /// A target whose deletes cascade learns from it which of the other records are deleted anyway.
    pub fn planned_deletes<M: SyncModel>(&self) -> impl Iterator<Item = &'a M>
    where
        D: HasTable<M>,
    {
        let plan = self.current.plan();
        let table: &'a Table<M> = plan.target().table();
        let model = position::<D, M>();
        let diff = &plan.diff().tables()[model];
        let (current, staying) = (self.current, Arc::clone(&self.staying));

        let is_planned = move |place: &usize| {
            // Of a model whose other deletes are all held, those that were done before still count as planned.
            let is_gone = || current.is_deleted(model, diff.deletes[*place] as usize);
            matches!(diff.withheld(Operation::Delete, *place), None | Some(Withheld::Cascaded))
                && !staying.places[model].contains(*place)
                && (!staying.models.contains(model) || is_gone())
        };

        let places = (0..diff.deletes.len()).filter(is_planned);
        places.filter_map(move |place| table.rows().get(diff.deletes[place] as usize))
    }
}

impl<D> std::fmt::Debug for WriteContext<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteContext").finish_non_exhaustive()
    }
}

/// The result of one model in a target that [writes at complete](Adapter::WRITES_AT_COMPLETE).
#[derive(Debug)]
#[non_exhaustive]
pub enum Completion {
    /// The records were written.
    Written,
    /// The records were not written because another model failed.
    NotAttempted,
    /// The records could not be written; with [`AdapterError::unknown`], their outcome is unknown.
    Failed(AdapterError),
}

/// The results that a target reports for single models while it completes a run, each with the model's position.
pub(crate) type Completions = Mutex<Vec<(usize, Completion)>>;

/// The context of `sync_complete`: a run after all its writes.
pub struct CompleteContext<'a, D: 'static> {
    current: &'a TargetState<'a, D>,
    outcomes: &'a Outcomes,
    completions: &'a Completions,
}

impl<'a, D: Dataset> CompleteContext<'a, D> {
    pub(crate) fn new(current: &'a TargetState<'a, D>, outcomes: &'a Outcomes, completions: &'a Completions) -> Self {
        Self { current, outcomes, completions }
    }

    /// Reports the result of one model where it differs from that of the whole: in a folder, one file can fail alone. It
    /// counts only for targets that [write at complete](Adapter::WRITES_AT_COMPLETE). Without it, a model's records have
    /// failed if `sync_complete` fails, and are written otherwise.
    pub fn settle<M: SyncModel>(&self, completion: Completion)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        self.completions.lock().unwrap_or_else(PoisonError::into_inner).push((model, completion));
    }

    /// All records of a model as the target now holds them, in the order they were loaded, new ones last. A file is
    /// written from them.
    pub fn records<M: SyncModel>(&self) -> impl Iterator<Item = &'a M>
    where
        D: HasTable<M>,
    {
        self.current.records()
    }

    /// The record that `name` names, as the target now holds it; `None` if it was deleted or never existed.
    pub fn current<M: SyncModel>(&self, name: &(impl AsKey<M> + ?Sized)) -> Option<&'a M>
    where
        D: HasTable<M>,
    {
        self.current.get(name.key()?)
    }

    /// The records of a model that were created.
    pub fn created<M: SyncModel>(&self) -> impl Iterator<Item = &'a M>
    where
        D: HasTable<M>,
    {
        self.current.created()
    }

    /// Whether any record of a model was created, updated or deleted. If not, there is nothing to write.
    #[must_use]
    pub fn has_changed<M: SyncModel>(&self) -> bool
    where
        D: HasTable<M>,
    {
        self.current.has_changed::<M>()
    }

    /// The plan that was carried out.
    #[must_use]
    pub fn plan(&self) -> &'a Plan<D> {
        self.current.plan()
    }

    /// The outcome of each operation.
    #[must_use]
    pub fn outcomes(&self) -> &'a Outcomes {
        self.outcomes
    }

    /// The number of operations by outcome.
    #[must_use]
    pub fn counts(&self) -> OutcomeCounts {
        self.outcomes().counts(self.plan().diff())
    }
}

impl<D> std::fmt::Debug for CompleteContext<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompleteContext").finish_non_exhaustive()
    }
}
