//! A job between two lists of records, its runs, and a browser that looks at their pages.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobEntry, JobError, VariableSpec, VariableValues};
use diffsync_core::report::{ConfigItem, Observer};
use diffsync_core::run::{CancellationToken, RunOptions};
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Adapter, Dataset, Job, ModelExt as _, SyncModel, Table, Target, job};
use diffsync_history::{History, HistoryUrl, LeaseName, NewSync, Recorder, RecorderOptions, SavedSync, SyncId};
use diffsync_web::{
    FieldError, JobPage, Pages, Pending, ProfilePage, Progress, ProgressObserver, Runs, StartError, StartRun,
};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// A text that would be markup, turn the direction of what follows, and ring a terminal's bell.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}evil\u{7}\u{1b}[2J";

/// A place.
#[derive(SyncModel, Clone)]
pub(crate) struct Site {
    #[sync(id)]
    pub(crate) slug: String,
    pub(crate) name: String,
}

/// A device at a place.
#[derive(SyncModel, Clone)]
pub(crate) struct Device {
    #[sync(id)]
    pub(crate) name: String,
    #[sync(parent = Site)]
    pub(crate) site: String,
    pub(crate) role: Option<String>,
}

#[derive(Dataset, Default)]
pub(crate) struct Places {
    pub(crate) sites: Table<Site>,
    pub(crate) devices: Table<Device>,
}

/// Which records there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Target,
}

/// One side of the job, with the records of a scene.
pub(crate) struct Listed {
    scene: String,
    side: Side,
}

impl Adapter for Listed {
    type Data = Places;

    async fn load(&self, places: &mut Places, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        let site = |slug: &str, name: &str| Site { slug: slug.into(), name: name.into() };
        let device = |name: &str, site: &str, role: Option<&str>| Device {
            name: name.into(),
            site: site.into(),
            role: role.map(Into::into),
        };
        let is_source = self.side == Side::Source;
        match &*self.scene {
            "broken" => return Err(AdapterError::new("the list cannot be read\nask its owner")),
            "waits" if is_source => {
                // A run that is cancelled drops this.
                loop {
                    cx.progress(1, Some(4));
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
            "hostile" if is_source => {
                places.sites.extend([site(HOSTILE, HOSTILE), site("long", &"x".repeat(1 << 20))]);
                places.devices.extend([device("bad", "long", Some(HOSTILE))]);
            }
            "many" if is_source => {
                for at in 0..30 {
                    let slug = format!("site-{at:02}");
                    places.devices.extend((0..100).map(|number| device(&format!("{slug}-{number:03}"), &slug, None)));
                    places.sites.extend([site(&slug, "Many")]);
                }
            }
            "hostile" | "many" => {}
            "empties" if !is_source => places.sites.extend((0..20).map(|at| site(&format!("site-{at}"), "Full"))),
            "empties" => places.sites.extend((0..2).map(|at| site(&format!("site-{at}"), "Full"))),
            _ if is_source => {
                places.sites.extend([site("ams", "Amsterdam"), site("fra", "Frankfurt"), site("lon", "London")]);
                places.devices.extend([
                    device("edge-1", "ams", Some("spine")),
                    device("edge-2", "ams", None),
                    device("bad", "lon", None),
                ]);
            }
            _ => {
                places.sites.extend([site("ams", "Amsterdam"), site("fra", "Frankfurt"), site("old", "Old Town")]);
                places.devices.extend([device("edge-1", "ams", Some("leaf")), device("edge-9", "old", None)]);
            }
        }
        places.sites.mark_loaded();
        places.devices.mark_loaded();
        Ok(())
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        let mut url = Url::parse("https://inventory.example.com/").ok()?;
        url.path_segments_mut().ok()?.push(model).push(id);
        Some(url)
    }
}

macro_rules! target {
    ($model:ident, $id:ident) => {
        impl Target<$model> for Listed {
            async fn create(&self, new: &$model, _: &WriteContext<'_, Places>) -> Result<$model, TargetError> {
                match &*new.$id {
                    "bad" if self.scene == "hostile" => Err(TargetError::new(HOSTILE)),
                    "bad" => Err(TargetError::new("400: no such role")),
                    _ => Ok(new.clone()),
                }
            }

            async fn update(
                &self,
                old: &$model,
                patch: &<$model as SyncModel>::Patch,
                _: &WriteContext<'_, Places>,
            ) -> Result<$model, TargetError> {
                Ok(old.clone().patched(patch))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, Places>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    };
}

target!(Site, slug);
target!(Device, name);

/// Copies a list of places.
#[job(source = Listed, target = Listed, name = "List to inventory", source_label = "Published list", target_label = "Inventory")]
pub(crate) struct ListToInventory {
    /// What the list holds.
    #[var(default = "plain")]
    scene: String,
    /// The place to look at.
    #[var(choices = sites)]
    site: Option<String>,
    /// How many.
    floor: u8,
    /// The token of the inventory.
    token: Option<Secret<String>>,
    /// A file of the server.
    file: Option<PathBuf>,
    /// Where the inventory is.
    inventory: Option<Url>,
    /// Whether to look twice.
    twice: Option<bool>,
    /// The levels.
    levels: Vec<u8>,
}

#[allow(clippy::unused_async, reason = "what asks a system is asynchronous")]
async fn sites(_: &VariableValues) -> Result<Vec<String>, JobError> {
    Ok(vec!["ams".into(), "fra".into()])
}

impl Job for ListToInventory {
    async fn source_adapter(&self, _: &JobContext) -> Result<Listed, JobError> {
        Ok(Listed { scene: self.scene.clone(), side: Side::Source })
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Listed, JobError> {
        Ok(Listed { scene: self.scene.clone(), side: Side::Target })
    }
}

pub(crate) const JOB: &str = "list-to-inventory";

/// What cancels a run, and how far it is.
type Running = (CancellationToken, watch::Receiver<Progress>);

/// Runs jobs in this process.
pub(crate) struct TestRuns {
    history: History,
    running: Arc<Mutex<HashMap<SyncId, Running>>>,
    /// The runs that were asked for.
    pub(crate) asked: Mutex<Vec<StartRun>>,
}

impl Runs for TestRuns {
    fn start(&self, run: StartRun) -> Pending<'_, Result<SyncId, StartError>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(run.clone());
            let job = JobEntry::new::<ListToInventory>();
            let prepared = job.prepare(&run.values).map_err(|errors| {
                let field = |error: &diffsync_core::job::VariableError| FieldError {
                    variable: error.variable().name.to_owned(),
                    message: error.to_string(),
                };
                StartError::Fields(errors.iter().map(field).collect())
            })?;

            let mut options = RunOptions::new(job.info());
            options.dry_run = run.dry_run;
            options.memory_profiling = run.memory_profiling;
            options.limit_overrides = run.limit_overrides;
            let new = NewSync {
                job: JOB.into(),
                profile: run.profile,
                source: job.info().source_label.into(),
                target: job.info().target_label.into(),
                kind: "data_source".into(),
                dry_run: run.dry_run,
                variables: run.values.to_save(job.variables()),
                plan: None,
                started_by: run.started_by,
                host: "host-1".into(),
                program: "1.2.3".into(),
            };
            let leases = (!run.dry_run).then(|| LeaseName::job(JOB, JOB)).into_iter().collect();
            let recording =
                RecorderOptions { leases, cancellation: options.cancellation.clone(), ..Default::default() };
            let recorder = Recorder::start(&self.history, &new, recording).await;
            let recorder = Arc::new(recorder.map_err(|error| StartError::Busy(error.to_string()))?);

            let sync = recorder.sync();
            let (observer, progress) = ProgressObserver::new();
            self.running.lock().unwrap().insert(sync, (options.cancellation.clone(), progress));
            let running = Arc::clone(&self.running);
            tokio::spawn(async move {
                let observer = Arc::new(observer);
                let observers: Vec<Arc<dyn Observer>> = vec![Arc::clone(&recorder) as _, Arc::clone(&observer) as _];
                prepared.run(options, observers).await;
                recorder.finish().await.unwrap();
                running.lock().unwrap().remove(&sync);
                drop(observer);
            });
            Ok(sync)
        })
    }

    fn cancel(&self, sync: SyncId) -> bool {
        self.running.lock().unwrap().get(&sync).map(|(token, _)| token.cancel()).is_some()
    }

    fn progress(&self, sync: SyncId) -> Option<watch::Receiver<Progress>> {
        self.running.lock().unwrap().get(&sync).map(|(_, progress)| progress.clone())
    }

    fn choices<'a>(
        &'a self,
        job: &'a JobEntry,
        _: Option<&'a str>,
        variable: &'a VariableSpec,
    ) -> Pending<'a, Option<Result<Vec<String>, String>>> {
        Box::pin(async move {
            let values = VariableValues::new();
            let asked = job.choices(variable.name, &values)?;
            Some(asked.await.map_err(|error| error.to_string()))
        })
    }

    fn configuration(&self, job: &JobEntry, _: Option<&str>) -> Option<Vec<ConfigItem>> {
        Some(job.prepare(&VariableValues::new().with("floor", "1")).ok()?.config_information())
    }
}

/// A server with its history, and a browser.
pub(crate) struct World {
    pub(crate) history: History,
    pub(crate) runs: Arc<TestRuns>,
    pub(crate) folder: TempDir,
    pages: Router,
}

/// An answer of the server.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        std::fs::write(files.join("list.json"), "[]").unwrap();

        let history = History::open(&HistoryUrl::file(folder.path().join("history.db"))).await.unwrap();
        let runs = TestRuns { history: history.clone(), running: Arc::default(), asked: Mutex::default() };
        let runs = Arc::new(runs);
        let profile = ProfilePage {
            name: "emea".into(),
            description: Some("The places of EMEA".into()),
            schedule: Some("0 2 * * *".into()),
            settings: vec![("floor".into(), "3".into()), ("token".into(), "[secret]".into())],
            ..ProfilePage::default()
        };
        let jobs = vec![JobPage { job: JobEntry::new::<ListToInventory>(), profiles: vec![profile] }];
        let pages = Pages::new(history.clone(), jobs, Arc::clone(&runs) as _).user("ada").version("9.8.7");
        Self { pages: pages.files(files).unwrap().router(), history, runs, folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (head, body) = self.pages.clone().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Reply { status: head.status, headers: head.headers, text }
    }

    /// Asks for a page, and expects it.
    pub(crate) async fn page(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.text
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).header(header::HOST, "127.0.0.1:8080").body(Body::empty()).unwrap()).await
    }

    /// Sends a form as a page of the server does.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::ORIGIN, "http://127.0.0.1:8080")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.finish())).unwrap()).await
    }

    /// Runs the job to its end from its form, and returns its sync.
    pub(crate) async fn run(&self, scene: &str, more: &[(&str, &str)]) -> SavedSync {
        let id = self.begin(scene, more).await;
        self.ended(&id).await
    }

    /// Begins a run from the form.
    pub(crate) async fn begin(&self, scene: &str, more: &[(&str, &str)]) -> String {
        let form = [&[("v.scene", scene), ("v.floor", "1"), ("continue_on_failure", "on")], more].concat();
        let reply = self.post(&format!("/jobs/{JOB}/run"), &form).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        reply.headers[header::LOCATION].to_str().unwrap().strip_prefix("/syncs/").unwrap().to_owned()
    }

    /// Waits until a sync has ended.
    pub(crate) async fn ended(&self, id: &str) -> SavedSync {
        for _ in 0..1_000 {
            let sync = self.history.sync(id).await.unwrap();
            if sync.ended_at.is_some() && self.runs.progress(sync.id).is_none() {
                return sync;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{id} does not end");
    }
}

/// Expects a page to hold all of these.
pub(crate) fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
}

/// Expects a page to hold none of these.
pub(crate) fn lacks(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(!page.contains(part), "{part:?} in {page}");
    }
}
