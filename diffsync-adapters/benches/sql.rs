//! How many rows a second a run writes to a database, beside the database's own bulk loader on the same rows, and how many
//! it reads.
//!
//! `cargo bench -p diffsync-adapters --features sqlite,postgres,mysql --bench sql [-- ROWS [ROUNDS [BATCH]] [KIND …] [doubtful]]`
//!
//! With `doubtful` the table is one whose rows may hold other values than they are given, so that they are read again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    clippy::cast_precision_loss,
    dead_code,
    missing_docs
)]

#[path = "../tests/suite/sql/systems.rs"]
mod systems;

use std::fmt::Write;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diffsync_adapters::SqlModel;
use diffsync_core::data::Side;
use diffsync_core::report::Step;
use diffsync_core::{Dataset, SyncModel, Table};

use self::systems::{Kind, System, assert_done, block_on, kinds, loaded, pushed};

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    serial: String,
    vlan: u16,
    units: i64,
    active: bool,
    note: Option<String>,
}

#[derive(Dataset, Default)]
struct Devices {
    devices: Table<Device>,
}

fn device(number: usize, round: usize) -> Device {
    Device {
        name: format!("device-{:07}", number * 7_919 % 10_000_000),
        serial: format!("SN{number:010}"),
        vlan: u16::try_from(number % 4_000).unwrap(),
        units: i64::try_from(number + round).unwrap(),
        active: number.is_multiple_of(3),
        note: number.is_multiple_of(2).then(|| format!("in rack {}", number % 97)),
    }
}

fn devices(rows: usize, round: usize) -> Devices {
    Devices { devices: (0..rows).map(|number| device(number, round)).collect() }
}

/// The same rows as text: what the databases' own loaders read.
fn csv(rows: usize) -> String {
    let mut csv = String::new();
    for number in 0..rows {
        let Device { name, serial, vlan, units, active, note } = device(number, 0);
        let (active, note) = (u8::from(active), note.unwrap_or_default());
        writeln!(csv, "{name},{serial},{vlan},{units},{active},{note}").unwrap();
    }
    csv
}

const TABLE: &str = "CREATE TABLE devices (name TEXT NOT NULL, serial TEXT NOT NULL, vlan INTEGER NOT NULL, units BIGINT NOT NULL, \
                     active BOOLEAN NOT NULL, note TEXT, PRIMARY KEY (name))";

/// Makes a table that may hold other values than it is given: in `PostgreSQL` by a decimal column, in `SQLite` by a trigger.
async fn make_doubtful(system: &System) {
    let table = if system.kind == Kind::Postgres { TABLE.replace("BIGINT", "NUMERIC(20)") } else { TABLE.to_owned() };
    let table = if system.kind == Kind::MariaDb { table.replace("name TEXT", "name VARCHAR(100)") } else { table };
    system.run(&table).await;
    if system.kind == Kind::Sqlite {
        for event in ["INSERT", "UPDATE"] {
            let trigger = format!("CREATE TRIGGER t{event} AFTER {event} ON devices BEGIN SELECT 1; END");
            system.run(&trigger).await;
        }
    }
}

/// How long the database's own loader takes.
async fn own_loader(system: &System, csv: &str) -> Option<Duration> {
    let mut command = match system.kind {
        Kind::Sqlite => {
            system.run(TABLE).await;
            let mut command = Command::new("sqlite3");
            command.arg(system.url.path()).args([".mode csv", ".import /dev/stdin devices"]);
            command
        }
        Kind::Postgres => {
            system.run(TABLE).await;
            let mut command = Command::new("psql");
            command.arg(system.url.as_str()).args(["-qc", "\\copy devices from pstdin with (format csv)"]);
            command
        }
        Kind::MariaDb => return None,
    };
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(csv.as_bytes()).ok()?;
    assert!(child.wait().unwrap().success());
    let taken = begun.elapsed();
    assert_eq!(system.texts("SELECT CAST(count(*) AS TEXT) FROM devices").await, [csv.lines().count().to_string()]);
    Some(taken)
}

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let rows = arguments.first().copied().unwrap_or(300_000);
    let rounds = arguments.get(1).copied().unwrap_or(3);
    let batch = arguments.get(2).copied();
    let sql = |system: &System| match batch {
        Some(batch) => system.sql().batch_size(batch),
        None => system.sql(),
    };
    let csv = csv(rows);
    println!("{rows} rows of six columns and a key, the best of {rounds} rounds");
    let rate = |best: Duration| format!("{:>10.0} rows/s", rows as f64 / best.as_secs_f64());
    let words: Vec<String> = std::env::args().skip(1).map(|word| word.to_lowercase()).collect();
    let named = |kind: &Kind| words.contains(&format!("{kind:?}").to_lowercase());
    let is_doubtful = words.iter().any(|word| word == "doubtful");
    let all = kinds();
    let is_one_named = all.iter().any(named);
    for kind in all.into_iter().filter(|kind| !is_one_named || named(kind)) {
        let (mut own, mut create, mut load, mut update, mut delete) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            block_on(async {
                own.extend(own_loader(&System::new(kind).await, &csv).await);
                let system = System::new(kind).await;
                if is_doubtful {
                    make_doubtful(&system).await;
                }
                let step = |report: &diffsync_core::report::RunReport| {
                    assert_done(report);
                    report.steps.iter().find(|step| step.step == Step::ExecuteSync).unwrap().duration
                };
                create.push(step(&pushed(devices(rows, 0), sql(&system)).await));
                let begun = Instant::now();
                assert_eq!(loaded::<Devices>(&system.sql(), Side::Source).await.unwrap().devices.len(), rows);
                load.push(begun.elapsed());
                update.push(step(&pushed(devices(rows, 1), sql(&system)).await));
                delete.push(step(&pushed(devices(1, 1), sql(&system)).await));
            });
        }
        for (what, taken) in
            [("own loader", own), ("create", create), ("load", load), ("update", update), ("delete", delete)]
        {
            if let Some(best) = taken.into_iter().min() {
                println!("{:<10} {what:<10} {}", format!("{kind:?}"), rate(best));
            }
        }
    }
}
