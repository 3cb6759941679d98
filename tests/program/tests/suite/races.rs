//! Two runs at once on one target: one waits or is refused, and nothing is lost.
//!
//! `DIFFSYNC_STRESS=1` runs each of them 40 times.

#![allow(clippy::print_stdout, reason = "a person reads how many runs were refused")]

use std::fs;
use std::process::{Child, Stdio};

use diffsync_test_servers::{mariadb, postgres};

use crate::api::Api;
use crate::program::{Place, Said, new_database};

/// What two runs write to.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// A file of this name, by the job with this ending.
    File(&'static str, &'static str),
    Sqlite,
    Postgres,
    MariaDb,
    Api,
}

/// Which history the two runs are recorded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Histories {
    /// The same one, whose lease of the target keeps them apart.
    Same,
    /// One each. Then only a target that is a file keeps them apart.
    Different,
}

/// The profiles of the two runs. They have leases of their own jobs, and share only that of the target.
const RUNS: [&str; 2] = ["one", "other"];

/// Why a run may have been refused: by the lease, by the lock of a file, and by `MariaDB` where the other run has created the table
/// since this one began to load.
const REFUSALS: [&str; 4] = [
    "is in use by sync",
    "another run is writing it",
    "somebody else changed it since it was loaded",
    "Table definition has changed, please retry transaction",
];

fn rounds() -> usize {
    if std::env::var_os("DIFFSYNC_STRESS").is_some() { 40 } else { 2 }
}

fn race(target: Target) {
    let mut refused = 0;
    for round in 0..rounds() {
        for histories in [Histories::Same, Histories::Different] {
            // In every other round the target is not there yet, so that there is nothing to be locked.
            refused += Race::new(target).run(histories, round % 2 == 0);
        }
    }
    println!("{target:?}: {refused} of {} runs were refused", rounds() * 4);
}

/// One target, and the program that writes to it.
struct Race {
    target: Target,
    place: Place,
    /// The job.
    job: String,
    /// The arguments that name the target.
    arguments: [String; 2],
    _api: Option<Api>,
}

impl Race {
    fn new(target: Target) -> Self {
        let place = Place::new();
        let mut api = None;
        let (job, flag, value) = match target {
            Target::File(job, _) => {
                fs::create_dir(place.path("target")).unwrap();
                (job, "--folder", "target".to_owned())
            }
            Target::Sqlite => ("database", "--database", "sqlite://target.db".to_owned()),
            Target::Postgres => ("database", "--database", new_database("postgres", postgres().unwrap())),
            Target::MariaDb => ("database", "--database", new_database("mysql", mariadb().unwrap())),
            Target::Api => ("rest", "--api", api.insert(Api::start()).url()),
        };
        let job = format!("push-{job}");
        let profiles = RUNS.map(|profile| format!("[{job}.{profile}]\nmode = \"apply\"\n"));
        fs::write(place.path("profiles.toml"), profiles.concat()).unwrap();
        Self { target, place, job, arguments: [flag.to_owned(), value], _api: api }
    }

    /// The program with these groups of records as its source.
    fn arguments<'a>(&'a self, job: &'a str, groups: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        // A request for each record takes longer than a part of a file.
        let size = if matches!(self.target, Target::Api) { "30" } else { "200" };
        let target = self.arguments.iter().map(String::as_str);
        let own = ["run", job, "--size", size, "--groups", groups];
        own.into_iter().chain(target).chain(more.iter().copied()).collect()
    }

    fn spawn(&self, profile: &str, groups: &str, history: &str) -> Child {
        let job = format!("{}@{profile}", self.job);
        let arguments = self.arguments(&job, groups, &["--skip-unmatched-dst", "--database-url", history]);
        let mut command = self.place.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Whether the target holds these groups of records, and nothing else.
    fn holds(&self, groups: &str) -> bool {
        let more = ["--dry-run", "--history", "off", "--detailed-exitcode", "--allow-deletes", "item=100%"];
        let said = self.place.run(&self.arguments(&self.job, groups, &more));
        assert!([0, 2].contains(&said.code), "{}", said.text);
        said.code == 0
    }

    /// Runs the program twice at once; how many of the two were refused.
    fn run(self, histories: Histories, is_there: bool) -> usize {
        let mut groups: Vec<String> = Vec::new();
        if is_there {
            self.place.expect(0, &self.arguments(&self.job, "old", &["--apply", "--history", "off"]));
            groups.push("old".into());
        }

        // Without a lock, both write records of their own; where one waits for the other, also the same records.
        let are_apart = histories == Histories::Same || matches!(self.target, Target::File(..));
        let children = RUNS.map(|name| {
            let groups = if are_apart { format!("{name},shared={name}") } else { name.to_owned() };
            let history = if histories == Histories::Same { "history.db".into() } else { format!("{name}.db") };
            (name, self.spawn(name, &groups, &history))
        });

        let mut done = Vec::new();
        let mut said = Vec::new();
        for (name, child) in children {
            let Said { code, text } = Said::of(&child.wait_with_output().unwrap());
            if code == 0 {
                done.push(name);
            } else {
                let is_refusal = REFUSALS.iter().any(|refusal| text.contains(refusal));
                assert!(is_refusal, "{:?}, {histories:?}: {name} ended with {code}: {text}", self.target);
            }
            said.push(text);
        }
        assert!(!done.is_empty(), "{:?}, {histories:?}: neither is done: {said:?}", self.target);

        // What those that are done wrote is there, all of it, and nothing of the others. The shared records are from one of them.
        groups.extend(done.iter().map(|name| (*name).to_owned()));
        let expected = |shared: Option<&&str>| {
            let shared = shared.map(|name| format!("shared={name}"));
            groups.iter().cloned().chain(shared).collect::<Vec<_>>().join(",")
        };
        let is_as_expected = if are_apart {
            done.iter().any(|name| self.holds(&expected(Some(name))))
        } else {
            self.holds(&expected(None))
        };
        assert!(
            is_as_expected,
            "{:?}, {histories:?}: the target holds something else; {done:?} are done: {said:?}",
            self.target
        );

        if let Target::File(_, file) = self.target {
            let left = fs::read_dir(self.place.path("target")).unwrap();
            let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(left, [file], "nothing is left behind");
        }
        RUNS.len() - done.len()
    }
}

#[test]
fn two_runs_at_once_on_a_csv_file_lose_nothing() {
    race(Target::File("csv", "items.csv"));
}

#[test]
fn two_runs_at_once_on_a_json_file_lose_nothing() {
    race(Target::File("json", "items.json"));
}

#[test]
fn two_runs_at_once_on_a_file_of_json_lines_lose_nothing() {
    race(Target::File("jsonl", "items.jsonl"));
}

#[test]
fn two_runs_at_once_on_a_toml_file_lose_nothing() {
    race(Target::File("toml", "items.toml"));
}

#[test]
fn two_runs_at_once_on_a_yaml_file_lose_nothing() {
    race(Target::File("yaml", "items.yml"));
}

#[test]
fn two_runs_at_once_on_a_parquet_file_lose_nothing() {
    race(Target::File("parquet", "items.parquet"));
}

#[test]
fn two_runs_at_once_on_an_sqlite_database_lose_nothing() {
    race(Target::Sqlite);
}

#[test]
fn two_runs_at_once_on_a_postgresql_database_lose_nothing() {
    if postgres().is_some() {
        race(Target::Postgres);
    }
}

#[test]
fn two_runs_at_once_on_a_mariadb_database_lose_nothing() {
    if mariadb().is_some() {
        race(Target::MariaDb);
    }
}

#[test]
fn two_runs_at_once_on_an_api_lose_nothing() {
    race(Target::Api);
}
