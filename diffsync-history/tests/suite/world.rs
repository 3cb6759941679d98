//! A job between two lists of records in memory, and its runs.

use std::sync::{Arc, Mutex};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{
    JobContext, JobError, JobInfo, JobKind, JobSpec, VariableErrors, VariableSpec, VariableValues,
};
use diffsync_core::model::OnGuard;
use diffsync_core::report::{Observer, RunReport};
use diffsync_core::run::RunOptions;
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Adapter, Dataset, Job, Run, SyncModel, Table, Target};
use diffsync_history::{History, HistoryPolicy, NewSync, Recorder, RecorderOptions, SavedSync};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

#[derive(SyncModel, Clone)]
pub(crate) struct Site {
    #[sync(id)]
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) password: Secret<String>,
}

#[derive(SyncModel, Clone)]
pub(crate) struct Device {
    #[sync(id)]
    pub(crate) name: String,
    #[sync(parent = Site)]
    pub(crate) site: String,
    pub(crate) role: Option<Role>,
}

/// A role. The code of one that is called `faulty` has a mistake, which shows when it is recorded.
#[derive(Clone, PartialEq, Deserialize)]
pub(crate) struct Role(String);

impl From<&str> for Role {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_recorded = std::thread::current().name() == Some("history");
        assert!(self.0 != "faulty" || !is_recorded, "a mistake in the job");
        self.0.serialize(serializer)
    }
}

#[derive(Dataset, Default)]
pub(crate) struct World {
    pub(crate) sites: Table<Site>,
    pub(crate) devices: Table<Device>,
}

/// The records of one side.
#[derive(Clone, Default)]
pub(crate) struct Records {
    pub(crate) sites: Vec<Site>,
    pub(crate) devices: Vec<Device>,
}

impl Records {
    /// As many sites, with as many devices each.
    pub(crate) fn new(sites: usize, devices: usize) -> Self {
        let site = |site| format!("site-{site:04}");
        let device = |(at, number)| Device { name: format!("{}-{number:05}", site(at)), site: site(at), role: None };
        Self {
            sites: (0..sites)
                .map(|at| Site { slug: site(at), name: format!("Site {at}"), password: Secret::default() })
                .collect(),
            devices: (0..sites).flat_map(|at| (0..devices).map(move |number| (at, number))).map(device).collect(),
        }
    }

    fn load(&self, world: &mut World) {
        world.sites.extend(self.sites.iter().cloned());
        world.devices.extend(self.devices.iter().cloned());
    }
}

/// Called with each record before the target stores it.
type OnWrite = dyn Fn(&str) -> Result<(), TargetError> + Send + Sync;

/// A job that makes one list match the other.
pub(crate) struct SyncSites {
    source: Records,
    target: Mutex<Records>,
    on_write: Arc<OnWrite>,
    has_pages: bool,
}

/// A list of records.
pub(crate) struct Listed {
    records: Records,
    on_write: Arc<OnWrite>,
    /// Whether each record has a page.
    has_pages: bool,
}

impl Adapter for Listed {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.records.load(world);
        Ok(())
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        Url::parse(&format!("https://inventory.example.com/{model}/{id}")).ok().filter(|_| self.has_pages)
    }
}

macro_rules! target {
    ($model:ident, $id:ident) => {
        impl Target<$model> for Listed {
            async fn create(&self, new: &$model, _: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                (self.on_write)(&new.$id)?;
                Ok(new.clone())
            }

            async fn update(
                &self,
                old: &$model,
                patch: &<$model as SyncModel>::Patch,
                _: &WriteContext<'_, World>,
            ) -> Result<$model, TargetError> {
                use diffsync_core::ModelExt as _;
                (self.on_write)(&old.$id)?;
                Ok(old.clone().patched(patch))
            }

            async fn delete(&self, old: &$model, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
                (self.on_write)(&old.$id)
            }
        }
    };
}

target!(Site, slug);
target!(Device, name);

impl JobSpec for SyncSites {
    type Data = World;
    type Source = Listed;
    type Target = Listed;

    const INFO: JobInfo = JobInfo {
        name: "Sync sites",
        kind: JobKind::DataTarget,
        source_label: "List",
        target_label: "Inventory",
        dryrun_default: false,
        on_guard: OnGuard::Hold,
        ..JobInfo::new("sync-sites")
    };
    const VARIABLES: &'static [VariableSpec] = &[];

    fn from_variables(_: &VariableValues) -> Result<Self, VariableErrors> {
        unreachable!()
    }

    fn variable_values(&self) -> Vec<(&'static VariableSpec, Value)> {
        Vec::new()
    }
}

impl Job for SyncSites {
    async fn source_adapter(&self, _: &JobContext) -> Result<Listed, JobError> {
        Ok(self.listed(self.source.clone()))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Listed, JobError> {
        Ok(self.listed(self.target.lock().unwrap().clone()))
    }
}

pub(crate) fn job(source: Records, target: Records) -> SyncSites {
    SyncSites { source, target: Mutex::new(target), on_write: Arc::new(|_| Ok(())), has_pages: true }
}

impl SyncSites {
    fn listed(&self, records: Records) -> Listed {
        Listed { records, on_write: Arc::clone(&self.on_write), has_pages: self.has_pages }
    }

    /// Its records have no pages.
    pub(crate) fn without_pages(mut self) -> Self {
        self.has_pages = false;
        self
    }

    pub(crate) fn on_write(
        mut self,
        on_write: impl Fn(&str) -> Result<(), TargetError> + Send + Sync + 'static,
    ) -> Self {
        self.on_write = Arc::new(on_write);
        self
    }

    /// Runs it with these observers.
    pub(crate) async fn run(self, options: RunOptions, observers: Vec<Arc<dyn Observer>>) -> RunReport {
        Run::execute(Arc::new(self), options, observers).await
    }

    /// Runs it and records that, and returns what was recorded.
    pub(crate) async fn recorded(self, history: &History, options: RunOptions) -> (RunReport, SavedSync) {
        let sync = NewSync { dry_run: options.dry_run, ..new_sync() };
        let recorder = Recorder::start(history, &sync, recording(&options, HistoryPolicy::BestEffort));
        let recorder = Arc::new(recorder.await.unwrap());
        let report = self.run(options, vec![recorder.clone()]).await;
        recorder.finish().await.unwrap();
        (report, history.sync(&recorder.sync().to_string()).await.unwrap())
    }
}

/// How a run with these options is recorded.
pub(crate) fn recording(options: &RunOptions, policy: HistoryPolicy) -> RecorderOptions {
    RecorderOptions {
        policy,
        cancellation: options.cancellation.clone(),
        abort_reason: options.abort_reason.clone(),
        time_limit: options.time_limit,
        ..RecorderOptions::default()
    }
}

pub(crate) fn options() -> RunOptions {
    RunOptions::new(&SyncSites::INFO)
}

pub(crate) fn new_sync() -> NewSync {
    NewSync {
        job: "sync-sites".into(),
        profile: Some("emea".into()),
        source: "List".into(),
        target: "Inventory".into(),
        kind: "data_target".into(),
        dry_run: false,
        variables: vec![("sites".into(), vec!["a".into(), "b".into()])],
        plan: None,
        started_by: "anna".into(),
        host: "host-1".into(),
        program: "1.2.3".into(),
    }
}
