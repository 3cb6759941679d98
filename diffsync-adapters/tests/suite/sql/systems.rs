//! The databases that tests run on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use diffsync_adapters::sql::{ModelEntries, Sql};
use diffsync_core::adapter::{AdapterError, LoadContext, WrittenBy};
use diffsync_core::data::{HasTable, LoadState, Side, VisitedBy};
use diffsync_core::job::{
    JobContext, JobError, JobInfo, JobKind, JobSpec, VariableErrors, VariableSpec, VariableValues,
};
use diffsync_core::model::{Limit, Operation};
use diffsync_core::report::{Event, Observer, RunReport, Step};
use diffsync_core::run::RunOptions;
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, Job, Run, SyncModel};
pub(crate) use diffsync_test_servers::block_on;
use diffsync_test_servers::{mariadb, postgres, test_on};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, SqliteConnection};
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

/// A new, empty database.
#[derive(Clone)]
pub(crate) struct System {
    pub(crate) kind: Kind,
    pub(crate) url: Url,
    _folder: Option<Arc<TempDir>>,
}

/// The kinds that are installed here.
pub(crate) fn kinds() -> Vec<Kind> {
    let servers = [(Kind::Postgres, postgres().is_some()), (Kind::MariaDb, mariadb().is_some())];
    let there = servers.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind);
    [Kind::Sqlite].into_iter().chain(there).collect()
}

/// Runs a test on each kind of database.
pub(crate) fn on_each<F: Future<Output = ()>>(test: impl Fn(System) -> F) {
    for kind in kinds() {
        test_on(kind, async {
            // Tests take of it what they use, and it is to be there until they end.
            let system = System::new(kind).await;
            test(system.clone()).await;
        });
    }
}

impl System {
    pub(crate) async fn new(kind: Kind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        match kind {
            Kind::Sqlite => {
                // In memory by default, since syncing to a disk takes time.
                let in_memory = std::path::Path::new("/dev/shm");
                let elsewhere = std::env::var_os("TMPDIR").is_some() || !in_memory.is_dir();
                let folder = if elsewhere { TempDir::new() } else { TempDir::new_in(in_memory) }.unwrap();
                let url = Url::parse(&format!("sqlite://{}/test.db", folder.path().display())).unwrap();
                Self { kind, url, _folder: Some(folder.into()) }
            }
            Kind::Postgres => {
                let server = postgres().unwrap();
                let base = format!("postgres://{}:{}@127.0.0.1:{}/postgres", server.user, server.password, server.port);
                run_on(kind, &Url::parse(&base).unwrap(), &format!("CREATE SCHEMA {name}")).await;
                let url =
                    Url::parse(&format!("{base}?application_name={name}&options=-csearch_path%3D{name}")).unwrap();
                Self { kind, url, _folder: None }
            }
            Kind::MariaDb => {
                let server = mariadb().unwrap();
                let base = format!("mysql://{}:{}@127.0.0.1:{}", server.user, server.password, server.port);
                run_on(kind, &Url::parse(&base).unwrap(), &format!("CREATE DATABASE {name}")).await;
                let url = Url::parse(&format!("{base}/{name}")).unwrap();
                Self { kind, url, _folder: None }
            }
        }
    }

    /// The adapter, which makes its tables.
    pub(crate) fn sql<D: VisitedBy<ModelEntries<D>>>(&self) -> Sql<D> {
        Sql::open(&self.url).unwrap().create_tables()
    }

    /// Carries out statements as anybody could.
    pub(crate) async fn run(&self, sql: &str) {
        let url = match self.kind {
            Kind::Sqlite => Url::parse(&format!("{}?mode=rwc", self.url)).unwrap(),
            _ => self.url.clone(),
        };
        run_on(self.kind, &url, sql).await;
    }

    /// What a query gives, a text for each row.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let (url, sql) = (self.url.as_str(), AssertSqlSafe(sql));
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
            Kind::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// A statement in the words of this kind of database: names in `[…]` are quoted as it does it, and the type of a text
    /// that can be part of a key is `KEYTEXT`, that of a number that the database gives `SERIAL`.
    pub(crate) fn words(&self, sql: &str) -> String {
        let (quote, text, serial) = match self.kind {
            Kind::Sqlite => ("\"", "TEXT", "INTEGER PRIMARY KEY"),
            Kind::Postgres => ("\"", "TEXT", "BIGSERIAL PRIMARY KEY"),
            Kind::MariaDb => ("`", "VARCHAR(100)", "BIGINT AUTO_INCREMENT PRIMARY KEY"),
        };
        sql.replace(['[', ']'], quote).replace("KEYTEXT", text).replace("SERIAL", serial)
    }
}

pub(crate) async fn run_on(kind: Kind, url: &Url, sql: &str) {
    let (url, sql) = (url.as_str(), AssertSqlSafe(sql));
    match kind {
        Kind::Sqlite => {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.map(drop).unwrap();
            connection.close().await.unwrap();
        }
        Kind::Postgres => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.map(drop).unwrap();
        }
        Kind::MariaDb => {
            let mut connection = MySqlConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.map(drop).unwrap();
        }
    }
}

/// All that a database holds.
pub(crate) async fn loaded<D: Dataset + VisitedBy<ModelEntries<D>>>(
    sql: &Sql<D>,
    side: Side,
) -> Result<D, AdapterError> {
    let mut data = D::default();
    sql.load(&mut data, &LoadContext::standalone(side)).await?;
    Ok(data)
}

/// The records of a model, and whether they were loaded.
pub(crate) fn records<D: HasTable<M>, M: SyncModel>(data: &D) -> Vec<&M> {
    assert_eq!(*data.table().state(), LoadState::Loaded);
    data.table().iter().collect()
}

/// Records that are there once.
pub(crate) struct Given<D>(Mutex<Option<D>>);

impl<D: Dataset> Adapter for Given<D> {
    type Data = D;

    async fn load(&self, data: &mut D, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = self.0.lock().unwrap().take().unwrap();
        Ok(())
    }
}

/// A run that brings a database in line with records.
struct Push<D> {
    source: Mutex<Option<Given<D>>>,
    target: Mutex<Option<Sql<D>>>,
}

impl<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>> JobSpec for Push<D> {
    type Data = D;
    type Source = Given<D>;
    type Target = Sql<D>;

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

impl<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>> Job for Push<D> {
    async fn source_adapter(&self, _: &JobContext) -> Result<Given<D>, JobError> {
        Ok(self.source.lock().unwrap().take().unwrap())
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<D>, JobError> {
        Ok(self.target.lock().unwrap().take().unwrap())
    }
}

/// Brings a database in line with these records.
pub(crate) async fn pushed<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>>(
    source: D,
    target: Sql<D>,
) -> RunReport {
    pushed_with(source, target, |_| {}).await
}

pub(crate) async fn pushed_with<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>>(
    source: D,
    target: Sql<D>,
    set: impl FnOnce(&mut RunOptions),
) -> RunReport {
    let mut options = options::<D>();
    set(&mut options);
    Run::execute(job(source, target).into(), options, Vec::new()).await
}

pub(crate) async fn pushed_observed<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>>(
    source: D,
    target: Sql<D>,
    observers: Vec<Arc<dyn Observer>>,
) -> RunReport {
    Run::execute(job(source, target).into(), options::<D>(), observers).await
}

/// A run during which another changes the database, after it was loaded.
pub(crate) async fn pushed_behind<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>>(
    system: &System,
    source: D,
    target: Sql<D>,
    sql: &str,
) -> RunReport {
    pushed_until(system, source, target, sql, |event| matches!(event, Event::StepStarted(Step::ExecuteSync))).await
}

/// A run during which another changes the database, at the first event of this kind.
pub(crate) async fn pushed_until<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>>(
    system: &System,
    source: D,
    target: Sql<D>,
    sql: &str,
    when: fn(&Event<'_>) -> bool,
) -> RunReport {
    type Channels = (Sender<()>, Receiver<()>);

    /// Waits until the other is done.
    struct Pause(Mutex<Option<Channels>>, fn(&Event<'_>) -> bool);
    impl Observer for Pause {
        fn observe(&self, event: &Event<'_>) {
            if (self.1)(event)
                && let Some((loaded, done)) = self.0.lock().unwrap().take()
            {
                loaded.send(()).unwrap();
                done.recv().unwrap();
            }
        }
    }

    let ((loaded, is_loaded), (done, is_done)) = (channel(), channel());
    let (kind, url, sql) = (system.kind, system.url.clone(), system.words(sql));
    let other = std::thread::spawn(move || {
        is_loaded.recv().unwrap();
        block_on(run_on(kind, &url, &sql));
        done.send(()).unwrap();
    });
    let pause = Pause(Mutex::new(Some((loaded, is_done))), when);
    let report = pushed_observed(source, target, vec![Arc::new(pause)]).await;
    other.join().unwrap();
    report
}

/// Nothing is held back.
fn options<D: Dataset + VisitedBy<ModelEntries<D>> + WrittenBy<Sql<D>>>() -> RunOptions {
    let options = RunOptions::new(&Push::<D>::INFO);
    D::SCHEMAS
        .iter()
        .fold(options, |options, schema| options.allow(schema.name, Operation::Delete, Limit::Count(usize::MAX)))
}

fn job<D>(source: D, target: Sql<D>) -> Push<D> {
    Push { source: Mutex::new(Some(Given(Mutex::new(Some(source))))), target: Mutex::new(Some(target)) }
}

/// Asserts that a run did all that was to be done.
pub(crate) fn assert_done(report: &RunReport) {
    let failures: Vec<_> = report.failures().take(3).collect();
    assert_eq!(
        report.status.to_string(),
        "completed",
        "{:?} {failures:?} {:?}",
        report.error_text(),
        report.problems()
    );
}

/// What was not written of a run, and why.
pub(crate) fn reasons(report: &RunReport) -> Vec<(String, String)> {
    report.failures().map(|failed| (failed.record, failed.reason)).collect()
}
