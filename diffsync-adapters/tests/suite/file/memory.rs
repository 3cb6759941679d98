//! What memory a million records take on their way from a file to a database:
//! `cargo test --release -p diffsync-adapters --all-features -- --ignored --nocapture a_million_records_from_a_file`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use diffsync_adapters::SqlModel;
use diffsync_adapters::file::{FileModel, Folder};
use diffsync_adapters::sql::Sql;
use diffsync_core::job::JobSpec;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::value::Url;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};
use tempfile::TempDir;

use super::block_on;

#[derive(SyncModel, FileModel, SqlModel, Clone)]
#[file(path = "devices.csv")]
#[sql(table = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    site: String,
    serial: Option<String>,
    height: u16,
    weight: f64,
    is_active: bool,
}

#[derive(Dataset, Default)]
struct Devices {
    devices: Table<Device>,
}

#[job(source = Folder<Devices>, target = Sql<Devices>)]
struct ToDatabase {
    source: PathBuf,
    target: Url,
}

opens!(
    ToDatabase: Folder<Devices> = |job| Folder::new(&job.source),
    Sql<Devices> = |job| Sql::open(&job.target)?.create_tables()
);

#[test]
#[ignore = "takes a minute"]
fn a_million_records_from_a_file_to_a_database() {
    let rows = std::env::var("ROWS").map_or(1_000_000, |rows| rows.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let mut text = String::from("name,site,serial,height,weight,is_active\n");
    for number in 0..rows {
        let serial = if number % 3 > 0 { format!("FX{number}") } else { String::new() };
        let (site, height, weight) = (number % 1000, number % 42, f64::from(number) / 8.0);
        writeln!(text, "device-{number:07},site-{site},{serial},{height},{weight},{}", number % 7 > 0).unwrap();
    }
    fs::write(folder.path().join("devices.csv"), text).unwrap();
    let target = format!("sqlite:{}", folder.path().join("devices.db").display());
    let job = ToDatabase { source: folder.path().to_owned(), target: Url::parse(&target).unwrap() };
    let mut options = RunOptions::new(&ToDatabase::INFO).apply();
    options.memory_profiling = true;
    let report = block_on(Run::execute(Arc::new(job), options, Vec::new()));
    assert_eq!(report.status, Status::Completed, "{:?}", report.error_text());
    for step in &report.steps {
        let memory = step.memory.unwrap();
        let mb = |of: Option<diffsync_core::memory::MemoryUse>| {
            of.map(|of| (of.in_use / 1_000_000, of.peak / 1_000_000)).unwrap_or_default()
        };
        let (heap, resident) = (mb(memory.heap), mb(memory.resident));
        println!(
            "{:<15} {:>6.2} s   heap {heap:?} MB   resident {resident:?} MB",
            step.step.to_string(),
            step.duration.as_secs_f64()
        );
    }
}
