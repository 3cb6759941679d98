//! The web pages: a real server, asked as a browser does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::program::{Place, Said};

/// A server that runs in a place.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn begin(place: &Place, more: &[&str]) -> Self {
        Self::begin_as(place.command(&[&SERVE, more].concat()))
    }

    fn begin_as(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { process, address }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let Self { address, .. } = self;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn page(&self, path: &str) -> String {
        let answer = self.send("GET", path, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answer
    }

    /// Starts a run from its form, and returns the path of its sync.
    fn run(&self, job: &str, form: &str) -> String {
        let answer = self.send("POST", &format!("/jobs/{job}/run"), form);
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        answer.split("location: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
    }

    /// Waits until a page holds this.
    fn until(&self, path: &str, part: &str) -> String {
        let begun = Instant::now();
        loop {
            let page = self.page(path);
            if page.contains(part) {
                return page;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "no {part:?} in {page}");
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as Ctrl-C does, and returns its exit code and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap().code(), said)
    }
}

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

const JOB: &str = "countries-to-inventory";

#[test]
fn a_job_is_run_from_its_form_and_its_pages_show_what_it_did() {
    let place = Place::new().with_data("countries.json");
    let server = Server::begin(&place, &["--files", "."]);
    assert!(server.page("/").contains("Countries to inventory"));
    assert!(server.page(&format!("/jobs/{JOB}/run")).contains("name=\"v.file\""));

    let form =
        "v.file=countries.json&v.inventory=sqlite%3A%2F%2Finventory.db&memory_profiling=on&continue_on_failure=on";
    let sync = server.run(JOB, form);
    let page = server.until(&sync, "completed");
    for part in [
        "Published list of countries → Inventory",
        "237</b>created",
        "ada",
        "load source",
        "At the end",
        "237 log entries",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    assert!(server.page(&format!("{sync}/diff")).contains("<b>europe</b>"));
    assert!(server.page(&format!("{sync}/diff?text=france")).contains("<b>france</b>"));
    assert!(server.page(&format!("{sync}/logs?status=created&model=region")).contains("europe"));
    assert!(server.page(&format!("{sync}/lines")).contains("step finished"));
    assert!(server.page(&format!("{sync}/events")).contains("event: end"));

    // The command line sees the same run.
    place.expect(0, &["history", "list"]).says("created 237");
    let again = server.run(JOB, &format!("dry_run=on&{form}"));
    server.until(&again, "completed");
    assert!(server.page(&format!("{again}/diff")).contains("Both systems hold the same"));
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_server_that_ends_cancels_its_runs_and_records_that() {
    let place = Place::new();
    let rows: Vec<_> = (0..60_000)
        .map(|number| {
            serde_json::json!({"country": format!("c{number}"), "pop2021": "1", "area": 1, "region": "r", "subregion": ""})
        })
        .collect();
    std::fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
    let server = Server::begin(&place, &["--files", "."]);
    let sync = server.run(JOB, "v.file=countries.json&v.inventory=sqlite%3A%2F%2Finventory.db&continue_on_failure=on");
    server.until(&sync, "execute sync");
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("calls in flight are finished"), "{said}");
    let status = place.json(&["history", "show", "last"])["sync"]["status"].clone();
    assert!(status == "cancelled" || status == "completed", "{status}");
}

#[test]
fn a_second_run_of_a_job_is_recorded_as_refused() {
    let place = Place::new().with_data("countries.json");
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let first = ["run", JOB, "--apply", "--file", "pipe", "--inventory", "sqlite://inventory.db"];
    let mut first = place.command(&first).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server::begin(&place, &["--files", "."]);
    server.until("/", "Running now");

    let form = "v.file=countries.json&v.inventory=sqlite%3A%2F%2Finventory.db";
    let page = server.until(&server.run(JOB, form), "refused");
    assert!(page.contains("is in use by sync"), "{page}");
    let dry_run = server.run(JOB, &format!("dry_run=on&{form}"));
    server.until(&dry_run, "completed");

    first.kill().unwrap();
    first.wait().unwrap();
    // The process is gone, so that its lease need not be waited for.
    let run = server.run(JOB, form);
    server.until(&run, "completed");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn jobs_of_other_programs_are_listed_with_the_command_that_runs_them() {
    let place = Place::new().with_data("countries.json");
    std::fs::create_dir(place.path("jobs")).unwrap();
    symlink(env!("CARGO_BIN_EXE_jobs-example"), place.path("jobs/jobs-example")).unwrap();
    std::fs::write(place.path("jobs/notes.txt"), "not a program").unwrap();
    let host = |arguments: &[&str]| {
        let mut command = place.command_of(env!("CARGO_BIN_EXE_host"), arguments);
        command.env("DIFFSYNC_JOBS_ROOT", place.path("jobs"));
        command
    };
    let run = ["run", JOB, "--apply", "--file", "countries.json", "--inventory", "sqlite://inventory.db"];
    assert!(host(&run).output().unwrap().status.success());

    let server = Server::begin_as(host(&SERVE));
    let page = server.page("/");
    assert!(page.contains(&format!("run with <code>host run {JOB}</code>")), "{page}");
    assert!(!page.contains(&format!("/jobs/{JOB}/run")), "{page}");
    // What can be shown of it is what it has done.
    let job = server.send("GET", &format!("/jobs/{JOB}"), "");
    assert!(job.contains(&format!("location: /history?job={JOB}")), "{job}");
    assert!(server.page(&format!("/history?job={JOB}")).contains("completed"));
    let form = server.send("GET", &format!("/jobs/{JOB}/run"), "");
    assert!(form.starts_with("HTTP/1.1 404") && form.contains("is in another program"), "{form}");
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("notes.txt` is not executable"), "{said}");
}

#[test]
fn only_addresses_of_this_machine_are_listened_on() {
    let place = Place::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let said: Said = place.expect(1, &["serve", "--listen", address]);
        said.says("listens only on an address that no other machine can reach");
    }
    place.expect(1, &["serve", "--listen", "127.0.0.1"]);
    place.expect(1, &["serve", "--listen", "127.0.0.1:0", "--files", "nothing"]).says("named by --files");
}
