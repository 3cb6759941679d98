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

    /// Whether what the target is asked to write is written only by [`sync_complete`](Self::sync_complete), as in a
    /// file. If that fails, every record that seemed written has failed; what became of them is unknown if it fails with
    /// [`AdapterError::unknown`].
    const WRITES_AT_COMPLETE: bool = false;

    /// Reads all records into the tables. A table that stays untouched says that its model was not looked at; one that
    /// is complete but empty is [marked as loaded](crate::Table::mark_loaded).
    fn load(
        &self,
        data: &mut Self::Data,
        cx: &LoadContext<'_>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send;

    /// Called on the target after every real run that wrote, also a partial one.
    fn sync_complete(
        &self,
        synced: &CompleteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send {
        let _ = synced;
        async { Ok(()) }
    }

    /// Whether it does so, as a value, where that differs from adapter to adapter.
    fn writes_at_complete(&self) -> bool {
        Self::WRITES_AT_COMPLETE
    }

    /// Whether it is then written anew from its records, so that what could not be loaded would be lost: such a run is
    /// refused. One that edits what is there says that it does not.
    fn rewrites(&self) -> bool {
        self.writes_at_complete()
    }

    /// Whether a dry run tries its plan on the target: it then asks for every record to be created, updated or deleted as a
    /// real run does, and calls [`rehearse`](Self::rehearse) instead of [`sync_complete`](Self::sync_complete). So this is
    /// only for targets that write nothing before they complete a run.
    fn rehearses(&self) -> bool {
        false
    }

    /// Finds what [`sync_complete`](Self::sync_complete) would fail of, and writes nothing.
    fn rehearse(
        &self,
        synced: &CompleteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<(), AdapterError>> + Send {
        let _ = synced;
        async { Ok(()) }
    }

    /// Tests whether the system can be used, before anything is loaded from it: the connection, the login, the rights, the
    /// version. What it finds is told to the [`HealthCheck`], which also says which side the system is to be.
    fn check(&self, checkup: &mut HealthCheck) -> impl Future<Output = ()> + Send {
        let _ = checkup;
        async {}
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
/// that `?` turns into a [`TargetError`] is one of this record; [`TargetError::transient`] is tried again,
/// [`TargetError::unknown`] is not, since the record may have been written, and
/// [`TargetError::fatal`] ends the run.
#[diagnostic::on_unimplemented(
    message = "the target `{Self}` cannot write `{M}`",
    label = "`Target<{M}>` is missing",
    note = "a target writes every model of its data set: add `impl Target<{M}> for {Self}` with `create`, `update` and `delete`"
)]
pub trait Target<M: SyncModel>: Adapter {
    /// What the system is able to do with records of this model. What is outside is shown as unsupported and never
    /// attempted, so the functions for it are not called.
    const CAN: Operations = Operations::all();

    /// How many calls for records of this model are made at the same time, unless a job or a run says otherwise.
    const CONCURRENCY: usize = 1;

    /// How many calls the system stands at the same time, whatever a job or a run says; any number unless it is said.
    const CONCURRENCY_LIMIT: Option<usize> = None;

    /// How many records are written with one call: with more than one, [`create_many`](Self::create_many) and its
    /// siblings are called instead of [`create`](Self::create) and its.
    const BATCH: usize = 1;

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

    /// Creates several records, at most [`BATCH`](Self::BATCH), and returns what became of each, in their order.
    ///
    /// An error instead says that none of them was created: they are tried again in halves until the bad ones are found.
    /// The answer for one record may be a transient error too: that record is asked for again, the others are not. If it
    /// panics, nobody knows what was created.
    ///
    /// By itself it creates one after the other, in as many batches at a time as [`CONCURRENCY`](Self::CONCURRENCY) says.
    fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, Self::Data>,
    ) -> impl Future<Output = Result<Vec<Result<M, TargetError>>, TargetError>> + Send {
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

    /// The constants as values, where they differ from target to target.
    fn terms(&self) -> Capabilities {
        Capabilities {
            can: Self::CAN,
            concurrency: Self::CONCURRENCY,
            concurrency_limit: Self::CONCURRENCY_LIMIT,
            batch: Self::BATCH,
        }
    }
}

/// A panic as an error of the record that caused it, which may have been written before: the others of its batch have answers
/// of their own.
async fn caught<R>(answer: impl Future<Output = Result<R, TargetError>>) -> Result<R, TargetError> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|panic| Err(TargetError::unknown(panicked("target", &*panic))))
}

/// How a target writes records of a model: the constants of [`Target`] as values.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// What the system is able to do with them.
    pub can: Operations,
    /// How many calls are made at the same time, unless a job or a run says otherwise.
    pub concurrency: usize,
    /// How many may be made at the same time, whatever a job or a run says.
    pub concurrency_limit: Option<usize>,
    /// How many records are written with one call.
    pub batch: usize,
}

/// A data set all of whose models the target `T` can write. Implemented by `#[derive(Dataset)]` for every such `T`.
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

/// What an adapter gets while it loads.
pub struct LoadContext<'a> {
    side: Side,
    is_dry_run: bool,
    observers: &'a Observers,
}

impl<'a> LoadContext<'a> {
    pub(crate) fn new(side: Side, is_dry_run: bool, observers: &'a Observers) -> Self {
        Self { side, is_dry_run, observers }
    }

    /// A context outside a run, observed by nobody: for a test of a loader.
    #[must_use]
    pub fn standalone(side: Side) -> LoadContext<'static> {
        static NOBODY: LazyLock<Observers> = LazyLock::new(Observers::default);
        LoadContext { side, is_dry_run: true, observers: &NOBODY }
    }

    /// Which side is being loaded.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Whether nothing will be written: a target that others may be writing to need not be locked.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.is_dry_run
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

/// The planned deletes that will not be done, as far as that is known.
#[derive(Debug, Clone)]
pub(crate) struct Staying {
    /// For each model the places of deletes that failed, were blocked or are held.
    places: Vec<FixedBitSet>,
    /// The models of which nothing more is deleted.
    models: FixedBitSet,
}

impl Staying {
    pub(crate) fn of(models: usize) -> Self {
        Self { places: vec![FixedBitSet::new(); models], models: FixedBitSet::with_capacity(models) }
    }

    /// The delete at this place will not be done.
    pub(crate) fn keep(&mut self, model: usize, place: usize) {
        self.places[model].grow_and_insert(place);
    }

    /// No more deletes of this model will be done.
    pub(crate) fn keep_all(&mut self, model: usize) {
        self.models.insert(model);
    }
}

/// What a target gets while it writes a record.
pub struct WriteContext<'a, D: 'static> {
    current: &'a TargetState<'a, D>,
    staying: Arc<Staying>,
}

impl<'a, D: Dataset> WriteContext<'a, D> {
    pub(crate) fn new(current: &'a TargetState<'a, D>, staying: Arc<Staying>) -> Self {
        Self { current, staying }
    }

    /// The record that `name` names, as the target now holds it: whether it was there before the run or was created
    /// seconds ago, with the local fields that the target gave it.
    ///
    /// Parents are written before what lives under them, so a record's parent is found if its model was loaded.
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

    /// What the source holds.
    #[must_use]
    pub fn source(&self) -> &'a D {
        self.current.plan().source()
    }

    /// The records of a model that the plan deletes, as they were loaded: those included that are deleted already, and those
    /// that go with their parent. Left out are deletes that the target is not able to do, that are held, or that failed or
    /// were blocked before. What is left out may grow while the run goes on, so ask again for each record.
    ///
    /// A target whose deletes take other records along tells by it which of these are deleted anyway.
    pub fn planned_deletes<M: SyncModel>(&self) -> impl Iterator<Item = &'a M>
    where
        D: HasTable<M>,
    {
        let plan = self.current.plan();
        let table: &'a Table<M> = plan.target().table();
        let model = position::<D, M>();
        let diff = &plan.diff().tables()[model];
        let (current, staying) = (self.current, Arc::clone(&self.staying));
        let is_asked_for = move |place: &usize| {
            let is_gone = || current.is_deleted(model, diff.deletes[*place] as usize);
            matches!(diff.withheld(Operation::Delete, *place), None | Some(Withheld::Cascaded))
                && !staying.places[model].contains(*place)
                && (!staying.models.contains(model) || is_gone())
        };
        let places = (0..diff.deletes.len()).filter(is_asked_for);
        places.filter_map(move |place| table.rows().get(diff.deletes[place] as usize))
    }
}

impl<D> std::fmt::Debug for WriteContext<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteContext").finish_non_exhaustive()
    }
}

/// What became of the records of one model when a target that [writes at complete](Adapter::WRITES_AT_COMPLETE) wrote them.
#[derive(Debug)]
#[non_exhaustive]
pub enum Completion {
    /// They were written.
    Written,
    /// They were not written because of another model, and are not to blame.
    NotAttempted,
    /// They could not be written; with [`AdapterError::unknown`], nobody knows whether they were.
    Failed(AdapterError),
}

/// What a target says of single models while it completes a run: the position of the model, and what became of it.
pub(crate) type Completions = Mutex<Vec<(usize, Completion)>>;

/// A run after everything was written: what `sync_complete` works with.
pub struct CompleteContext<'a, D: 'static> {
    current: &'a TargetState<'a, D>,
    outcomes: &'a Outcomes,
    completions: &'a Completions,
}

impl<'a, D: Dataset> CompleteContext<'a, D> {
    pub(crate) fn new(current: &'a TargetState<'a, D>, outcomes: &'a Outcomes, completions: &'a Completions) -> Self {
        Self { current, outcomes, completions }
    }

    /// Says what became of the records of a model, where it is not what became of all: in a folder, one file can fail
    /// alone. Heard of targets that [write at complete](Adapter::WRITES_AT_COMPLETE). Of a model that nothing is said of,
    /// the records have failed if `sync_complete` fails, and else are written.
    pub fn settle<M: SyncModel>(&self, completion: Completion)
    where
        D: HasTable<M>,
    {
        let model = position::<D, M>();
        self.completions.lock().unwrap_or_else(PoisonError::into_inner).push((model, completion));
    }

    /// All records of a model as the target now holds them, in the order they were loaded, new ones last: what a file
    /// is written from.
    pub fn records<M: SyncModel>(&self) -> impl Iterator<Item = &'a M>
    where
        D: HasTable<M>,
    {
        self.current.records()
    }

    /// The record that `name` names, as the target now holds it; none if it was deleted or never there.
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

    /// Whether any record of a model was created, updated or deleted: if not, there is nothing to write.
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

    /// What became of each record.
    #[must_use]
    pub fn outcomes(&self) -> &'a Outcomes {
        self.outcomes
    }

    /// How many records ended as what.
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
