//! How long it takes to record a million changes, to read them page by page and to remove them, and how much longer runs take
//! that are recorded.
//!
//! `cargo bench -p diffsync-history --all-features [-- RECORDS [ROUNDS] [overhead] [sqlite]]`
//!
//! With `overhead`, only how much longer runs take; with `sqlite`, only a history in an `SQLite` file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::large_futures,
    dead_code,
    missing_docs
)]

#[path = "../tests/suite/databases.rs"]
mod databases;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext, WrittenBy};
use diffsync_core::job::{
    JobContext, JobError, JobInfo, JobKind, JobSpec, VariableErrors, VariableSpec, VariableValues,
};
use diffsync_core::report::{Observer, RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, Job, Run, SyncModel, Table, Target};
use diffsync_history::{
    ChangeFilter, Cursor, History, HistoryPolicy, LogEntryFilter, NewSync, PageRequest, Recorder, RecorderOptions,
    Retention, SyncFilter, SyncId, TreeScope,
};
use serde_json::Value;
use tempfile::TempDir;

use self::databases::{Database, Kind, block_on};

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "sites")]
struct Site {
    #[sync(id)]
    name: String,
    status: String,
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    #[sync(parent = Site)]
    site: String,
    serial: String,
    vlan: i64,
    active: bool,
}

#[derive(Dataset, Default)]
struct World {
    sites: Table<Site>,
    devices: Table<Device>,
}

/// As many devices in sites of 1,000.
fn world(devices: usize) -> World {
    let site = |number: usize| format!("site-{:04}", number / 1_000);
    let sites = (0..devices).step_by(1_000).map(|number| Site { name: site(number), status: "active".into() });
    let devices = (0..devices).map(|number| Device {
        name: format!("device-{number:07}"),
        site: site(number),
        serial: format!("SN{number:010}"),
        vlan: i64::try_from(number % 4_000).unwrap(),
        active: number.is_multiple_of(3),
    });
    World { sites: sites.collect(), devices: devices.collect() }
}

/// Records that are there once.
struct Given(Mutex<Option<World>>);

impl Adapter for Given {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *world = self.0.lock().unwrap().take().unwrap();
        Ok(())
    }
}

macro_rules! stores {
    ($model:ident) => {
        impl Target<$model> for Given {
            async fn create(&self, new: &$model, _: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                Ok(new.clone())
            }

            async fn update(
                &self,
                _: &$model,
                _: &<$model as SyncModel>::Patch,
                _: &WriteContext<'_, World>,
            ) -> Result<$model, TargetError> {
                Err(TargetError::new("not here"))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    };
}

stores!(Site);
stores!(Device);

struct Push<T>(Mutex<Option<(Given, T)>>, Mutex<Option<T>>);

fn push<T>(source: World, target: T) -> Push<T> {
    Push(Mutex::new(Some((Given(Mutex::new(Some(source))), target))), Mutex::new(None))
}

fn given(world: World) -> Given {
    Given(Mutex::new(Some(world)))
}

impl<T: Adapter<Data = World> + Send + Sync + 'static> JobSpec for Push<T>
where
    World: WrittenBy<T>,
{
    type Data = World;
    type Source = Given;
    type Target = T;

    const INFO: JobInfo = JobInfo {
        name: "Push",
        kind: JobKind::DataTarget,
        source_label: "Records",
        target_label: "Database",
        dryrun_default: false,
        ..JobInfo::new("push")
    };
    const VARIABLES: &'static [VariableSpec] = &[];

    fn from_variables(_: &VariableValues) -> Result<Self, VariableErrors> {
        unreachable!()
    }

    fn variable_values(&self) -> Vec<(&'static VariableSpec, Value)> {
        Vec::new()
    }
}

impl<T: Adapter<Data = World> + Send + Sync + 'static> Job for Push<T>
where
    World: WrittenBy<T>,
{
    async fn source_adapter(&self, _: &JobContext) -> Result<Given, JobError> {
        let (source, target) = self.0.lock().unwrap().take().unwrap();
        *self.1.lock().unwrap() = Some(target);
        Ok(source)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<T, JobError> {
        Ok(self.1.lock().unwrap().take().unwrap())
    }
}

/// Runs a job, recorded if there is a history; how long it took until everything was recorded.
async fn run<T: Adapter<Data = World> + Send + Sync + 'static>(
    job: Push<T>,
    history: Option<&History>,
    dry_run: bool,
) -> (Duration, Option<SyncId>)
where
    World: WrittenBy<T>,
{
    let mut options = RunOptions::new(&Push::<T>::INFO);
    options.dry_run = dry_run;
    let begun = Instant::now();
    let mut observers: Vec<Arc<dyn Observer>> = Vec::new();
    let mut recorder = None;
    if let Some(history) = history {
        let sync = NewSync { job: "push".into(), dry_run, ..NewSync::default() };
        let recording = RecorderOptions { policy: HistoryPolicy::BestEffort, ..RecorderOptions::default() };
        let started = Arc::new(Recorder::start(history, &sync, recording).await.unwrap());
        observers.push(started.clone());
        recorder = Some(started);
    }
    let report: RunReport = Run::execute(Arc::new(job), options, observers).await;
    assert_eq!(report.status, Status::Completed, "{:?}", report.error_text());
    let Some(recorder) = recorder else { return (begun.elapsed(), None) };
    recorder.finish().await.unwrap();
    (begun.elapsed(), Some(recorder.sync()))
}

/// Prints how long something takes at best.
async fn timed<R, F: Future<Output = R>>(what: &str, rounds: usize, mut work: impl FnMut() -> F) -> R {
    let mut best = Duration::MAX;
    let mut result = None;
    for _ in 0..rounds {
        let begun = Instant::now();
        result = Some(work().await);
        best = best.min(begun.elapsed());
    }
    println!("  {what:<44} {:>10.1} ms", best.as_secs_f64() * 1_000.0);
    result.unwrap()
}

async fn read(history: &History, id: SyncId, records: usize) {
    let first = PageRequest::default();
    let all = ChangeFilter::default;
    let late = PageRequest::after((records - 1_000).to_string().parse::<Cursor>().unwrap(), 100);
    timed("first page of the changes", 5, async || history.changes(id, &all(), first).await.unwrap()).await;
    timed("last page of the changes", 5, async || history.changes(id, &all(), late).await.unwrap()).await;
    let roots = ChangeFilter { under: TreeScope::Root, ..all() };
    let page = timed("first page of the roots", 5, async || history.changes(id, &roots, first).await.unwrap()).await;
    let children = ChangeFilter { under: TreeScope::Record(page.items[0].position), ..all() };
    timed("first page under a site", 5, async || history.changes(id, &children, first).await.unwrap()).await;
    let model = ChangeFilter { model: Some("site".into()), ..all() };
    timed("filter by model (rare, all pages read)", 3, async || {
        history.changes(id, &model, PageRequest::first(5_000)).await.unwrap()
    })
    .await;
    let text = ChangeFilter { text: Some(format!("{:07}", records - 1)), ..all() };
    timed("filter by text (one match, at the end)", 3, async || history.changes(id, &text, first).await.unwrap()).await;
    let attribute = ChangeFilter { attribute: Some("absent".into()), ..all() };
    timed("filter by attribute (no match)", 3, async || history.changes(id, &attribute, first).await.unwrap()).await;
}

/// Removes everything, and prints how long another program waits for a write meanwhile.
async fn prune(history: &History, other: &History) {
    let pruning = tokio::spawn({
        let history = history.clone();
        async move {
            let begun = Instant::now();
            let pruned = history.prune(&Retention::new(0, Duration::ZERO)).await.unwrap();
            (pruned.rows, begun.elapsed())
        }
    });
    let mut longest = Duration::ZERO;
    while !pruning.is_finished() {
        let begun = Instant::now();
        let lease =
            other.take_leases(SyncId::new(), "host", &[diffsync_history::LeaseName::target("x")]).await.unwrap();
        other.release(&lease).await.unwrap();
        longest = longest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (rows, taken) = pruning.await.unwrap();
    println!(
        "  removed {rows} rows in {:.1} s; two writes of another program took at most {:.0} ms",
        taken.as_secs_f64(),
        longest.as_secs_f64() * 1_000.0
    );
}

/// What a run took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// The processor time of all threads.
    cpu: Duration,
}

/// The processor time of this process so far, to a hundredth of a second; zero where the system does not say.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may contain spaces.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

async fn cost(run: impl Future) -> Cost {
    let (begun, before) = (Instant::now(), cpu());
    run.await;
    Cost { wall: begun.elapsed(), cpu: cpu().saturating_sub(before) }
}

/// Prints the medians, and the shortest.
fn compare(what: &str, plain: &[Cost], recorded: &[Cost]) {
    let of = |costs: &[Cost], part: fn(&Cost) -> Duration, share: usize| {
        let mut all: Vec<_> = costs.iter().map(|cost| part(cost).as_secs_f64()).collect();
        all.sort_by(f64::total_cmp);
        all[(all.len() - 1) * share / 2]
    };
    for (name, part, share) in [
        ("best", (|cost| cost.wall) as fn(&Cost) -> Duration, 0),
        ("median", |cost| cost.wall, 1),
        ("processor time, median", |cost| cost.cpu, 1),
    ] {
        let (plain, recorded) = (of(plain, part, share), of(recorded, part, share));
        let more = (recorded / plain - 1.0) * 100.0;
        println!("  {what}, {name}: {plain:.3} s, recorded {recorded:.3} s ({more:+.1} %)");
    }
}

/// How much longer runs into an `SQLite` file take, in turns with and without a history.
async fn overhead(history: &History, records: usize, rounds: usize) {
    let folder = TempDir::new().unwrap();
    let sqlite = |name: String| -> Sql<World> {
        let file = format!("sqlite://{}/{name}.db", folder.path().display());
        Sql::open(&Url::parse(&file).unwrap()).unwrap().create_tables()
    };
    run(push(world(records), sqlite("same".into())), None, false).await;

    for (what, records) in [("unchanged records in SQLite", records), ("creates into SQLite", records / 10)] {
        let (mut plain, mut recorded) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let mut turns = [(None, &mut plain), (Some(history), &mut recorded)];
            // What comes second may find the machine in another state.
            if round % 2 == 1 {
                turns.reverse();
            }
            for (history, costs) in turns {
                let name = format!("{round}-{}", history.is_some());
                let target = sqlite(if what.starts_with("unchanged") { "same".into() } else { name });
                let job = push(world(records), target);
                costs.push(cost(run(job, history, false)).await);
            }
        }
        compare(&format!("{records} {what}"), &plain, &recorded);
    }
}

fn best(taken: &[Duration]) -> f64 {
    taken.iter().min().unwrap().as_secs_f64()
}

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let records = arguments.first().copied().unwrap_or(1_000_000);
    let rounds = arguments.get(1).copied().unwrap_or(3);
    let is_given = |word: &str| std::env::args().any(|argument| argument == word);
    let server = if is_given("sqlite") { None } else { diffsync_test_servers::postgres() };
    let kinds = [Kind::Sqlite].into_iter().chain(server.map(|_| Kind::Postgres));

    for kind in kinds {
        println!("{kind:?}, {records} records");
        block_on(async {
            let database = Database::new(kind).await;
            let history = database.open().await;
            if is_given("overhead") {
                return overhead(&history, records, rounds).await;
            }

            let mut plain = Vec::new();
            let mut recorded = Vec::new();
            let mut id = None;
            for _ in 0..rounds {
                plain.push(run(push(world(records), given(World::default().loaded())), None, true).await.0);
                let (taken, sync) =
                    run(push(world(records), given(World::default().loaded())), Some(&history), true).await;
                recorded.push(taken);
                id = sync;
            }
            println!("  a dry run of {records} creates: {:.2} s, recorded {:.2} s", best(&plain), best(&recorded));
            read(&history, id.unwrap(), records).await;

            let (taken, sync) =
                run(push(world(records), given(World::default().loaded())), Some(&history), false).await;
            let sync = sync.unwrap();
            let without = run(push(world(records), given(World::default().loaded())), None, false).await.0;
            println!(
                "  a run of {records} creates in memory: {:.2} s, recorded {:.2} s",
                without.as_secs_f64(),
                taken.as_secs_f64()
            );
            let all = LogEntryFilter::default;
            timed("first page of the log entries", 5, async || {
                history.entries(sync, &all(), PageRequest::default()).await.unwrap()
            })
            .await;
            let failed = LogEntryFilter { status: vec!["failed".into()], ..all() };
            timed("failed log entries (none)", 5, async || {
                history.entries(sync, &failed, PageRequest::default()).await.unwrap()
            })
            .await;
            timed("first page of the syncs", 5, async || {
                history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap()
            })
            .await;
            let other = database.open().await;
            prune(&history, &other).await;

            overhead(&history, records, rounds).await;
        });
    }
}

impl World {
    /// Counts as loaded, even if it is empty.
    fn loaded(mut self) -> Self {
        self.sites.mark_loaded();
        self.devices.mark_loaded();
        self
    }
}
