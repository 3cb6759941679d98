//! Runs that are killed at a random moment: their history can be read, loses nothing that a reader has seen, and the next run
//! does the rest.
//!
//! `DIFFSYNC_STRESS=1` kills 200 runs on each kind of database.

#![allow(clippy::print_stdout, reason = "a person reads when the runs were killed")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use diffsync_test_servers::{Server, block_on, postgres};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::program::Place;

const SITES: usize = 40;
const RACKS: usize = 10;
const DEVICES: usize = 15;

/// All records of the folder.
const ALL: usize = SITES + SITES * RACKS + SITES * RACKS * DEVICES;

/// The records that the target already holds.
const BEFORE: usize = 1 + RACKS + RACKS * DEVICES;

const RUN: [&str; 4] = ["run", "csv-to-postgres", "--folder", "network"];

fn kills() -> u64 {
    if std::env::var_os("DIFFSYNC_STRESS").is_some() { 200 } else { 10 }
}

/// A folder of as many sites.
fn write_folder(place: &Place, sites: usize) {
    let [mut site_rows, mut rack_rows, mut device_rows] =
        ["name,city,country,power_kw", "site,name,units", "name,site,rack,unit,role,model,serial,in_service,notes"]
            .map(|head| format!("{head}\n"));
    for site in 0..sites {
        writeln!(site_rows, "S{site:02},City,NL,100").unwrap();
        for rack in 0..RACKS {
            writeln!(rack_rows, "S{site:02},R{rack:02},42").unwrap();
            for device in 0..DEVICES {
                let name = format!("s{site:02}-r{rack:02}-{device:02}");
                writeln!(device_rows, "{name},S{site:02},R{rack:02},{device},leaf,M1,SN-{name},2024-01-31,").unwrap();
            }
        }
    }
    fs::create_dir_all(place.path("network")).unwrap();
    for (name, rows) in [("sites", site_rows), ("racks", rack_rows), ("devices", device_rows)] {
        fs::write(place.path(&format!("network/{name}.csv")), rows).unwrap();
    }
}

/// The URL of a new database on a server.
fn new_database(server: &Server, name: &str) -> String {
    let base = format!("postgres://{}:{}@127.0.0.1:{}", server.user, server.password, server.port);
    block_on(async {
        let url = format!("{base}/postgres");
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::PgConnection::connect(&url).await.unwrap().execute(create).await.unwrap();
    });
    format!("{base}/{name}")
}

/// A sync with its log entries, as the history has it.
struct Kept {
    sync: Value,
    entries: Vec<Value>,
}

impl Kept {
    fn read(place: &Place, id: &str, url: [&str; 2]) -> Self {
        let export = place.expect(0, &[&["history", "export", id], &url[..]].concat()).out;
        let rows: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |kind: &str| rows.iter().filter(|row| row["row"] == kind).cloned().collect::<Vec<_>>();
        Self { sync: of("sync").swap_remove(0), entries: of("entry") }
    }

    fn count(&self, name: &str) -> usize {
        usize::try_from(self.sync[name].as_u64().unwrap()).unwrap()
    }

    fn records(&self) -> HashSet<String> {
        self.entries.iter().map(name).collect()
    }
}

fn name(entry: &Value) -> String {
    format!("{} {}", entry["model"].as_str().unwrap(), entry["record"].as_str().unwrap())
}

/// The number of log entries of the newest sync that a reader sees, if it still runs.
fn seen(place: &Place, url: [&str; 2]) -> usize {
    let said = place.run(&[&["history", "show", "last", "--output", "json"], &url[..]].concat());
    // Early on, there is no history yet.
    let Ok(shown) = serde_json::from_str::<Value>(&said.out) else { return 0 };
    usize::try_from(shown["sync"]["entries"].as_u64().unwrap()).unwrap()
}

/// What was killed while it did what.
#[derive(Debug, Default)]
struct Moments {
    before_it_began: u64,
    without_entries: u64,
    between_entries: u64,
    after_it_ended: u64,
}

/// Kills runs that write to such a database, and are recorded in such a history.
fn kill_runs(kind: &str, new_url: impl Fn(&str) -> [String; 2]) {
    let mut seed = 11_u64;
    let mut moments = Moments::default();
    let mut taken = Duration::from_secs(1);
    for round in 0..kills() {
        let place = Place::new();
        let [database, history] = new_url(&format!("{kind}_{round}"));
        let url = ["--database-url", &history];
        let apply = [&RUN[..], &["--apply", "--database", &database]].concat();
        write_folder(&place, 1);
        place.expect(0, &[&apply[..], &["--history", "off"]].concat());
        write_folder(&place, SITES);

        // The last quarter is when a run has ended, or is about to.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = taken.mul_f64(f64::from(u32::try_from(seed >> 33 & 0x3ff).unwrap()) / 900.0);
        let mut command = place.command(&[&apply[..], &url].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(moment);
        let acknowledged = seen(&place, url);
        child.kill().unwrap();
        child.wait().unwrap();

        // The next run on this host does not wait for the lease of a process that is gone.
        let begun = Instant::now();
        let next = place.expect(0, &[&apply[..], &url, &["--output", "json"]].concat());
        taken = begun.elapsed();
        let outcomes: Value = serde_json::from_str::<Value>(&next.out).unwrap()["outcomes"].clone();
        let count = |name: &str| usize::try_from(outcomes[name].as_u64().unwrap_or_default()).unwrap();
        assert_eq!(count("created") + count("unchanged"), ALL, "{outcomes}");
        let dry_run = ["--database", &database, "--history", "off", "--dry-run", "--detailed-exitcode"];
        place.expect(0, &[&RUN[..], &dry_run].concat());

        let listed = place.expect(0, &[&["history", "list", "--output", "json"], &url[..]].concat()).out;
        let syncs = serde_json::from_str::<Value>(&listed).unwrap()["items"].clone();
        let syncs = syncs.as_array().unwrap();
        let next = Kept::read(&place, syncs[0]["id"].as_str().unwrap(), url);
        assert_eq!((&next.sync["status"], next.count("entries")), (&Value::from("completed"), count("created")));
        assert_eq!((next.entries.len(), next.count("dropped")), (count("created"), 0));

        let Some(killed) = syncs.get(1) else {
            assert_eq!(acknowledged, 0, "what a reader saw is gone");
            moments.before_it_began += 1;
            continue;
        };
        assert_eq!(syncs.len(), 2);
        let killed = Kept::read(&place, killed["id"].as_str().unwrap(), url);
        let records = killed.records();
        assert_eq!(killed.entries.len(), killed.count("entries"));
        assert_eq!(killed.entries.len(), records.len(), "a record is counted twice");
        assert!(killed.entries.len() >= acknowledged, "{} of {acknowledged} are left", killed.entries.len());
        assert!(records.is_disjoint(&next.records()), "a record that was created is created again");
        assert!(count("unchanged") >= BEFORE + records.len());

        if killed.sync["status"] == "completed" {
            assert_eq!(killed.entries.len(), ALL - BEFORE);
            moments.after_it_ended += 1;
            continue;
        }
        assert_eq!(killed.sync["status"], "interrupted");
        let last = killed.entries.last().map_or(Value::Null, |entry| name(entry).into());
        assert_eq!(killed.sync["last_record"], last);
        *(if records.is_empty() { &mut moments.without_entries } else { &mut moments.between_entries }) += 1;
    }
    println!("{kind}: {moments:?}");
    let Moments { without_entries, between_entries, .. } = moments;
    assert!(without_entries + between_entries > kills() / 4, "few runs were killed while they ran: {moments:?}");
}

#[test]
fn a_killed_run_that_is_recorded_in_sqlite_loses_nothing_that_was_seen() {
    kill_runs("sqlite", |_| ["sqlite://network.db".to_owned(), "history.db".to_owned()]);
}

#[test]
fn a_killed_run_that_is_recorded_in_postgresql_loses_nothing_that_was_seen() {
    let Some(server) = postgres() else { return };
    kill_runs("postgres", |name| ["network", "history"].map(|what| new_database(server, &format!("{what}_{name}"))));
}
