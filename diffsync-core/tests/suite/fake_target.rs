//! A job on an in-memory source and target that do as the test tells them, and note what they were asked.

use std::collections::HashMap;
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use diffsync_core::adapter::{AdapterError, CompleteContext, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::model::{Limit, Operation};
use diffsync_core::report::{Event, FailedRecord, Observer, RunReport};
use diffsync_core::run::RunOptions;
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, Job, ModelExt, Run, SyncModel, Target};

use crate::world::{City, Country, Place, Records, Region, World};

/// Both sides of a sync, and what is to happen to them.
#[derive(Default)]
pub(crate) struct Rig {
    pub(crate) source: Records,
    pub(crate) source_script: Script,
    pub(crate) target: Mutex<Records>,
    pub(crate) target_script: Script,
    /// What the target answers to a call such as `create region europe`, instead of doing it.
    pub(crate) answers: Mutex<HashMap<String, Answer>>,
    /// What the target was asked, in order.
    calls: Mutex<Vec<String>>,
    /// The deletes that were done.
    deleted: Mutex<Vec<String>>,
    /// What a target should never be asked, and what a test found while it was asked.
    violations: Mutex<Vec<String>>,
    /// What the hooks of a job and `sync_complete` noted.
    pub(crate) notes: Mutex<Vec<String>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// What a loader does after it has loaded its records.
#[derive(Default)]
pub(crate) struct Script(Option<Box<Loading>>);

type Loading = dyn Fn(&mut World) + Send + Sync;

/// How a target answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    /// It refuses the record.
    Fail,
    /// It asks to be left alone for a while.
    Busy,
    /// It is gone.
    Fatal,
    /// It stores it under another identifier.
    Rename,
    /// It has a bug.
    Panic,
    /// It never answers.
    Hang,
}

impl Rig {
    pub(crate) fn new(source: Records, target: Records) -> Self {
        Self { source, target: Mutex::new(target), ..Self::default() }
    }

    /// The source's loader goes on with this.
    pub(crate) fn source_then(mut self, script: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        self.source_script = Script(Some(Box::new(script)));
        self
    }

    /// The target's loader goes on with this.
    pub(crate) fn target_then(mut self, script: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        self.target_script = Script(Some(Box::new(script)));
        self
    }

    /// The target answers a call such as `create region europe` like this.
    pub(crate) fn answering(self, call: impl Into<String>, answer: Answer) -> Self {
        locked(&self.answers).insert(call.into(), answer);
        self
    }

    pub(crate) fn into_shared(self) -> Shared {
        Shared(Arc::new(self))
    }

    /// Runs the job [`SyncWorlds`], and expects that the target was asked nothing that it should not be and that the
    /// outcomes add up.
    pub(crate) fn run(self, options: RunOptions) -> (RunReport, Shared) {
        let rig = self.into_shared();
        (rig.run(options), rig)
    }
}

/// The rig as both adapters and the test hold it. As a variable of a job it is set by the test itself.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Rig>);

impl std::ops::Deref for Shared {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.0
    }
}

impl Variable for Shared {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "a rig".into()
    }
}

impl Shared {
    pub(crate) fn run(&self, options: RunOptions) -> RunReport {
        self.run_observed(options, Vec::new())
    }

    pub(crate) fn run_observed(&self, options: RunOptions, observers: Vec<Arc<dyn Observer>>) -> RunReport {
        let report = run_job(SyncWorlds { rig: self.clone() }, options, observers);
        assert_eq!(*locked(&self.violations), [""; 0]);
        if let Some(summary) = report.summary() {
            assert_eq!(report.counts.records(), summary.total.records(), "{report:?}");
        }
        report
    }

    /// What the target was asked so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        locked(&self.calls).clone()
    }

    pub(crate) fn note(&self, note: impl Into<String>) {
        locked(&self.notes).push(note.into());
    }

    /// What was noted so far, in order.
    pub(crate) fn notes(&self) -> Vec<String> {
        locked(&self.notes).clone()
    }

    /// How many records the target was asked for at the same time at most.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.most_in_flight.load(Ordering::SeqCst)
    }

    /// What the target holds, without what it made up itself.
    pub(crate) fn target_records(&self) -> Records {
        let mut records = locked(&self.target).clone();
        records.regions.iter_mut().for_each(|region| region.remote_id = None);
        records.countries.iter_mut().for_each(|country| country.remote_id = None);
        records
    }

    fn violation(&self, violation: impl Display) {
        locked(&self.violations).push(violation.to_string());
    }

    /// Takes note of a call; an error is what was asked for.
    async fn asked<M: Stored>(&self, operation: Operation, record: &M) -> Result<Option<Answer>, TargetError> {
        let call = format!("{operation} {} {}", M::NAME, record.id());
        let answer = locked(&self.answers).get(&call).copied();
        locked(&self.calls).push(call);
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        match answer {
            Some(Answer::Fail) => Err(TargetError::new("it does not want to")),
            Some(Answer::Busy) => Err(TargetError::transient("it is busy")),
            Some(Answer::Panic) => panic!("index out of bounds"),
            Some(Answer::Hang) => std::future::pending().await,
            Some(Answer::Fatal) => Err(TargetError::fatal("it is gone")),
            other => Ok(other),
        }
    }

    async fn create<M: Stored>(&self, new: &M, cx: &WriteContext<'_, World>) -> Result<M, TargetError> {
        let answer = self.asked(Operation::Create, new).await?;
        if new.remote_id().is_some() {
            self.violation(format!("create {} {} with what is local to the source", M::NAME, new.id()));
        }
        if let Err(violation) = new.may_be_written(cx, &locked(&self.target)) {
            self.violation(format!("create {} {}: {violation}", M::NAME, new.id()));
        }
        let mut records = locked(&self.target);
        let mut stored = new.clone().stored_as(records.next_remote_id());
        let rows = M::rows(&mut records);
        if answer == Some(Answer::Rename) {
            stored = stored.renamed();
            rows.retain(|row| row.id() != stored.id());
        }
        rows.push(stored.clone());
        Ok(stored)
    }

    async fn update<M: Stored>(
        &self,
        old: &M,
        patch: &M::Patch,
        cx: &WriteContext<'_, World>,
    ) -> Result<M, TargetError> {
        let answer = self.asked(Operation::Update, old).await?;
        let mut new = old.patched(patch);
        if let Err(violation) = new.may_be_written(cx, &locked(&self.target)) {
            self.violation(format!("update {} {}: {violation}", M::NAME, new.id()));
        }
        if answer == Some(Answer::Rename) {
            new = new.renamed();
        }
        let mut records = locked(&self.target);
        match M::rows(&mut records).iter_mut().find(|row| row.id() == old.id()) {
            Some(row) => *row = new.clone(),
            None => self.violation(format!("update {} {}, which is not there", M::NAME, old.id())),
        }
        Ok(new)
    }

    async fn delete<M: Stored>(&self, old: &M, cx: &WriteContext<'_, World>) -> Result<(), TargetError> {
        self.asked(Operation::Delete, old).await?;
        let mut records = locked(&self.target);
        let mut deleted = locked(&self.deleted);
        if let Err(violation) = old.may_be_deleted(cx, &records, &deleted) {
            self.violation(format!("delete {} {}: {violation}", M::NAME, old.id()));
        }
        M::rows(&mut records).retain(|row| row.id() != old.id());
        deleted.push(format!("delete {} {}", M::NAME, old.id()));
        Ok(())
    }
}

/// A mutex that stays usable after a test has failed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Records {
    fn next_remote_id(&self) -> usize {
        1 + self.regions.len() + self.countries.len()
    }
}

/// The records of a model in the in-memory target.
pub(crate) trait Row: SyncModel + Clone {
    fn rows(records: &mut Records) -> &mut Vec<Self>;

    /// The record with the local field that the target gives it.
    fn stored_as(self, _: usize) -> Self {
        self
    }

    /// The local field.
    fn remote_id(&self) -> Option<usize> {
        None
    }

    /// The record under another identifier.
    fn renamed(self) -> Self;
}

macro_rules! rows {
    ($($model:ident in $table:ident, named by $name:ident $(, numbered by $local:ident)?;)*) => {$(
        impl Row for $model {
            fn rows(records: &mut Records) -> &mut Vec<Self> {
                &mut records.$table
            }

            fn renamed(self) -> Self {
                Self { $name: format!("new-{}", self.$name), ..self }
            }

            $(
                fn stored_as(self, id: usize) -> Self {
                    Self { $local: Some(id), ..self }
                }

                fn remote_id(&self) -> Option<usize> {
                    self.$local
                }
            )?
        }
    )*};
}

rows! {
    Region in regions, named by slug, numbered by remote_id;
    Country in countries, named by slug, numbered by remote_id;
    City in cities, named by name;
    Place in places, named by name;
}

/// A model as the in-memory target stores it. It is as strict as a database with foreign keys.
pub(crate) trait Stored: Row {
    /// Whether what the record lives under is there.
    fn may_be_written(&self, cx: &WriteContext<'_, World>, records: &Records) -> Result<(), String>;

    /// Whether nothing lives under the record any more.
    fn may_be_deleted(&self, cx: &WriteContext<'_, World>, records: &Records, deleted: &[String])
    -> Result<(), String>;
}

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| otherwise.to_owned())
}

impl Stored for Region {
    fn may_be_written(&self, cx: &WriteContext<'_, World>, _: &Records) -> Result<(), String> {
        let error = |name: Option<&str>| cx.current::<Self>(&name).err().map(|error| error.to_string());
        expect(error(None).as_deref() == Some("the record names no region"), "no region is found")?;
        let missing = "the target holds no region \"atlantis\"";
        expect(error(Some("atlantis")).as_deref() == Some(missing), "a region is found that is not there")?;
        expect(cx.source().regions.contains(&self.slug), "it is not in the source")
    }

    fn may_be_deleted(
        &self,
        cx: &WriteContext<'_, World>,
        records: &Records,
        deleted: &[String],
    ) -> Result<(), String> {
        expect(records.countries.iter().all(|country| country.region != self.slug), "a country is in it")?;
        let gone = |call: &String| {
            call.strip_prefix("delete country ").is_none_or(|slug| cx.current::<Country>(slug).is_err())
        };
        expect(deleted.iter().all(gone), "a country that was deleted is still seen")
    }
}

impl Stored for Country {
    fn may_be_written(&self, cx: &WriteContext<'_, World>, records: &Records) -> Result<(), String> {
        let region = cx.current(&self.region).map_err(|error| error.to_string())?;
        let names = [self.region.clone(), format!("new-{}", self.region)];
        let stored = records.regions.iter().find(|region| names.contains(&region.slug));
        expect(stored == Some(region), "its region is not seen as it is stored")
    }

    fn may_be_deleted(&self, _: &WriteContext<'_, World>, records: &Records, _: &[String]) -> Result<(), String> {
        expect(records.cities.iter().all(|city| city.country != self.slug), "a city is in it")
    }
}

impl Stored for City {
    fn may_be_written(&self, cx: &WriteContext<'_, World>, records: &Records) -> Result<(), String> {
        let country = cx.current::<Country>(&self.country).map_err(|error| error.to_string())?;
        let names = [self.country.clone(), format!("new-{}", self.country)];
        let stored = records.countries.iter().find(|country| names.contains(&country.slug));
        expect(stored == Some(country), "its country is not seen as it is stored")
    }

    fn may_be_deleted(&self, _: &WriteContext<'_, World>, _: &Records, _: &[String]) -> Result<(), String> {
        Ok(())
    }
}

impl Stored for Place {
    fn may_be_written(&self, cx: &WriteContext<'_, World>, records: &Records) -> Result<(), String> {
        let Some(within) = &self.within else { return Ok(()) };
        let around = cx.current::<Self>(within).map_err(|error| error.to_string())?;
        let stored = records.places.iter().find(|place| place.name == *within);
        expect(stored == Some(around), "what it is within is not seen as it is stored")
    }

    fn may_be_deleted(&self, _: &WriteContext<'_, World>, records: &Records, _: &[String]) -> Result<(), String> {
        expect(records.places.iter().all(|place| place.within.as_ref() != Some(&self.name)), "a place is within it")
    }
}

macro_rules! targets {
    ($($model:ident: $concurrency:literal)*) => {$(
        impl Target<$model> for Memory {
            const CONCURRENCY: usize = $concurrency;

            async fn create(&self, new: &$model, cx: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                self.0.create(new, cx).await
            }

            async fn update(
                &self,
                old: &$model,
                patch: &<$model as SyncModel>::Patch,
                cx: &WriteContext<'_, World>,
            ) -> Result<$model, TargetError> {
                self.0.update(old, patch, cx).await
            }

            async fn delete(&self, old: &$model, cx: &WriteContext<'_, World>) -> Result<(), TargetError> {
                self.0.delete(old, cx).await
            }
        }
    )*};
}

targets!(Region: 1 Country: 1 City: 3 Place: 1);

/// The target's adapter.
pub(crate) struct Memory(pub(crate) Shared);

impl Adapter for Memory {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        locked(&self.0.target).load(world);
        self.0.target_script.run(world);
        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, World>) -> Result<(), AdapterError> {
        let regions: Vec<_> = synced.records::<Region>().map(|region| region.slug.as_str()).collect();
        self.0.note(format!("complete: {} written, regions {}", synced.counts().written(), regions.join(" ")));
        match locked(&self.0.answers).get("sync complete") {
            Some(_) => Err(AdapterError::new("the disk is full")),
            None => Ok(()),
        }
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        Url::parse(&format!("https://target/{model}/{id}")).ok()
    }
}

/// The source's adapter.
pub(crate) struct Listed(pub(crate) Shared);

impl Adapter for Listed {
    type Data = World;

    async fn load(&self, world: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.0.source.load(world);
        self.0.source_script.run(world);
        cx.progress(world.regions.len() as u64, None);
        Ok(())
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        Url::parse(&format!("https://source/{model}/{id}")).ok()
    }
}

impl Script {
    fn run(&self, world: &mut World) {
        if let Some(script) = &self.0 {
            script(world);
        }
    }
}

/// Declares a job that brings the target's world in line with the source's, with these hooks of its own.
macro_rules! job_with {
    ($(#[$doc:meta])* $name:ident { $($hooks:tt)* }) => {
        $(#[$doc])*
        #[diffsync_core::job(source = crate::fake_target::Listed, target = crate::fake_target::Memory, dryrun_default = false)]
        pub(crate) struct $name {
            pub(crate) rig: crate::fake_target::Shared,
        }

        impl diffsync_core::Job for $name {
            async fn source_adapter(
                &self,
                _: &diffsync_core::job::JobContext,
            ) -> Result<crate::fake_target::Listed, diffsync_core::job::JobError> {
                Ok(crate::fake_target::Listed(self.rig.clone()))
            }

            async fn target_adapter(
                &self,
                _: &diffsync_core::job::JobContext,
            ) -> Result<crate::fake_target::Memory, diffsync_core::job::JobError> {
                Ok(crate::fake_target::Memory(self.rig.clone()))
            }

            $($hooks)*
        }
    };
}
pub(crate) use job_with;

job_with!(
    /// Brings the target's world in line with the source's.
    SyncWorlds {}
);

/// Options of a run that writes, however much of these small worlds is rejected.
pub(crate) fn apply() -> RunOptions {
    let mut options = unguarded::<World>(RunOptions::new(&SyncWorlds::INFO));
    options.max_rejected = 1.0;
    // What comes of an error that goes away has tests of its own.
    options.retry.times = 0;
    options
}

/// The same, with so many records written at a time.
pub(crate) fn concurrently(records: usize) -> RunOptions {
    let mut options = apply();
    options.concurrency = NonZeroUsize::new(records);
    options
}

pub(crate) fn dry_run() -> RunOptions {
    let mut options = apply();
    options.dry_run = true;
    options
}

/// No limit on deletes.
pub(crate) fn unguarded<D: Dataset>(options: RunOptions) -> RunOptions {
    D::SCHEMAS
        .iter()
        .fold(options, |options, schema| options.allow(schema.name, Operation::Delete, Limit::Count(usize::MAX)))
}

/// Runs a job to its end.
pub(crate) fn run_job<J: Job>(job: J, options: RunOptions, observers: Vec<Arc<dyn Observer>>) -> RunReport {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(Run::execute(Arc::new(job), options, observers))
}

/// What failed and what was blocked, with the reasons.
pub(crate) fn failures(report: &RunReport) -> Vec<String> {
    let text = |f: FailedRecord| format!("{} {} {} {}: {}", f.operation, f.model, f.record, f.outcome, f.reason);
    report.failures().map(text).collect()
}

/// How many records ended as what, zeros left out.
pub(crate) fn ended(report: &RunReport) -> String {
    let document = serde_json::to_value(report.counts).unwrap();
    let kinds = [
        "created",
        "updated",
        "deleted",
        "cascaded",
        "unchanged",
        "failed",
        "blocked",
        "held",
        "unsupported",
        "rejected",
        "left_out",
        "unknown",
        "not_attempted",
    ];
    let counts = kinds.map(|kind| (document[kind].as_u64().unwrap(), kind));
    let texts: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).map(|(n, kind)| format!("{n} {kind}")).collect();
    texts.join(", ")
}

/// Notes a run's events as text.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    pub(crate) fn events(&self) -> Vec<String> {
        locked(&self.0).clone()
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        let text = match event {
            Event::RunStarted { job, dry_run } => format!("{job} started, dry run: {dry_run}"),
            Event::StepStarted(step) => format!("{step} started"),
            Event::Progress { step, done, total } => format!("{step}: {done} of {total:?}"),
            Event::StepFinished(report) => format!("{} finished", report.step),
            Event::DiffReady(plan) => format!("{} operations", plan.diff().operations()),
            Event::RecordDone { operation, outcome, .. } => format!("{operation}: {}", outcome.kind().as_str()),
            Event::RunFinished(report) => format!("{} {}", report.job, report.status),
            _ => return,
        };
        locked(&self.0).push(text);
    }
}
