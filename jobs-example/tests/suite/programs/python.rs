//! The book's job program in Python: a pair of adapters of the package `diffsync`, run by a host.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Place, Said};

/// The Python with the package, or nothing where it cannot be had: then a test is skipped, unless that is forbidden.
fn python() -> Option<PathBuf> {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let environment = tmp.join("peer");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/install");
    let installed = || -> io::Result<bool> {
        fs::create_dir_all(tmp)?;
        let lock = File::create(tmp.join("peer.lock"))?;
        // Other tests install the same environment. The lock ends with the file.
        lock.lock()?;
        Ok(Command::new(script).arg(&environment).output()?.status.success())
    };
    if installed().is_ok_and(|installed| installed) {
        return Some(environment.join("bin/python"));
    }
    let required = std::env::var("DIFFSYNC_REQUIRE_PEER").is_ok_and(|value| value == "1");
    assert!(!required, "DIFFSYNC_REQUIRE_PEER=1, but the Python package cannot be installed");
    io::stderr().write_all(b"\n*** SKIPPED: the job program in Python was not run\n\n").ok();
    None
}

/// A place whose jobs folder holds the program.
fn place() -> Option<Place> {
    let python = python()?;
    let place = Place::new();
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/job-programs");
    fs::create_dir_all(place.path("jobs/lib")).unwrap();
    fs::copy(book.join("site_adapters.py"), place.path("jobs/lib/site_adapters.py")).unwrap();
    let text = fs::read_to_string(book.join("python_job.py")).unwrap();
    let text = text.replacen("#!/usr/bin/env python3", &format!("#!{}", python.display()), 1);
    fs::write(place.path("jobs/python_job.py"), text).unwrap();
    fs::set_permissions(place.path("jobs/python_job.py"), fs::Permissions::from_mode(0o755)).unwrap();
    Some(place)
}

fn host(place: &Place, code: i32, arguments: &[&str]) -> Said {
    let mut command = place.host_command(arguments);
    let said = Said::of(
        command.env("PYTHONPATH", place.path("jobs/lib")).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap(),
    );
    assert_eq!(said.code, code, "{arguments:?}: {}{}", said.out, said.err);
    said
}

fn sites(place: &Place, file: &str, sites: &Value) {
    fs::write(place.path(file), sites.to_string()).unwrap();
}

const RUN: [&str; 6] = ["run", "python-sites", "--source", "source.json", "--target", "target.json"];

#[test]
fn an_adapter_pair_in_python_has_the_history_and_the_limits_of_any_job() {
    let Some(place) = place() else { return };
    host(&place, 0, &["list"]).says("python-sites  Sites file -> Inventory file");
    host(&place, 1, &["run", "python-sites", "--source", "x"]).says("variable `target`: no value is given");
    let device = |number: usize| (format!("sw{number:02}"), json!("leaf"));
    let devices: serde_json::Map<_, _> = (0..10).map(device).collect();
    sites(&place, "source.json", &json!({"ams": {"city": "Amsterdam", "devices": devices}}));

    let said = host(&place, 0, &RUN);
    said.says("+ site ams").says("+ device sw09").says("run it again with --apply");
    assert!(!place.path("target.json").exists());
    let said = host(&place, 0, &[&RUN[..], &["--apply"]].concat());
    said.says("outcomes: created 11");
    let written: Value = serde_json::from_str(&place.read("target.json")).unwrap();
    assert_eq!(written["ams"]["devices"]["sw03"], "leaf");

    // Its history is as that of any job.
    host(&place, 0, &["history", "diff", "last"]).says("+ site ams\n  + device sw00");
    host(&place, 0, &["history", "logs", "last", "--text", "sw03"]).says("created        device sw03");
    host(&place, 0, &["history", "logs", "last", "--lines", "--limit", "1000"]).says("Sync complete");
    let sync = host(&place, 0, &["history", "show", "last", "--output", "json"]);
    let sync: Value = serde_json::from_str(&sync.out).unwrap();
    assert_eq!((&sync["sync"]["entries"], sync["sync"]["steps"].as_array().map(Vec::len)), (&json!(11), Some(4)));

    // One update, and nothing else.
    place.edit("source.json", "Amsterdam", "Rotterdam");
    host(&place, 0, &[&RUN[..], &["--apply"]].concat()).says("city: \"Amsterdam\" -> \"Rotterdam\"").says("updated 1");

    // More deletes than it may do.
    let few: serde_json::Map<_, _> = (0..5).map(device).collect();
    sites(&place, "source.json", &json!({"ams": {"city": "Rotterdam", "devices": few}}));
    let said = host(&place, 4, &[&RUN[..], &["--apply"]].concat());
    said.says("device: it would delete 5 records where the target holds 10, and 40% are allowed");
    assert!(place.read("target.json").contains("sw09"));
    host(&place, 0, &[&RUN[..], &["--apply", "--allow-deletes", "device=5"]].concat()).says("deleted 5");
    assert!(!place.read("target.json").contains("sw09"));
}

#[test]
fn a_record_that_fails_in_python_is_reported_with_its_reason() {
    let Some(place) = place() else { return };
    sites(&place, "source.json", &json!({"ams": {"city": "Amsterdam", "devices": {"sw2": "leaf"}}}));
    sites(&place, "target.json", &json!({"ams": {"city": "Ams", "devices": {"sw1": "core", "sw2": "leaf"}}}));
    let said = host(&place, 3, &[&RUN[..], &["--apply"]].concat());
    said.says("delete device \"sw1\": failed: sw1 is a core device").says("updated 1, failed 1");
    host(&place, 0, &["history", "logs", "last", "--status", "failed"]).says("sw1 is a core device");

    sites(&place, "source.json", &json!({"ams": {"town": "Amsterdam"}}));
    let said = host(&place, 1, &RUN);
    said.says("error: KeyError: 'city'");
    host(&place, 0, &["history", "logs", "last", "--lines"]).says("Traceback");
}

#[test]
fn a_record_in_python_is_created_once_the_file_is_written() {
    let Some(place) = place() else { return };
    sites(&place, "source.json", &json!({"ams": {"city": "Amsterdam", "devices": {"sw1": "leaf"}}}));
    // Its folder is missing, so it cannot be written, and loads as empty.
    let run = ["run", "python-sites", "--source", "source.json", "--target", "missing/target.json", "--apply"];
    let said = host(&place, 1, &run);
    said.says("error: FileNotFoundError: ").says("unknown 2");
    assert!(!said.out.contains("created"), "{}", said.out);
    host(&place, 0, &["history", "logs", "last", "--status", "unknown"]).says("before its target was complete");
}

/// What the program says to a request that no host of today sends.
fn asked(place: &Place, request: &Value) -> String {
    let mut program = place.command_of(place.path("jobs/python_job.py").to_str().unwrap(), &["protocol", "run"]);
    program.env("PYTHONPATH", place.path("jobs/lib")).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{request}").unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn the_program_in_python_refuses_what_it_does_not_know_and_names_its_target_by_its_real_path() {
    let Some(place) = place() else { return };
    sites(&place, "source.json", &json!({}));
    let request = |protocol: u32, options: &Value| {
        let variables = json!({"source": "source.json", "target": "link.json"});
        json!({
            "command": "run", "protocol": protocol, "job": "python-sites", "variables": variables,
            "dry_run": false, "options": options
        })
    };
    let said = asked(&place, &request(1, &json!({"filter": {"records": ["site=a*"]}})));
    assert!(
        said.contains("options that this program does not know: filter") && !said.contains("step_started"),
        "{said}"
    );
    let said = asked(&place, &request(2, &json!({})));
    assert!(said.contains("speaks version 2 of the protocol") && !said.contains("step_started"), "{said}");

    std::os::unix::fs::symlink("target.json", place.path("link.json")).unwrap();
    let said = asked(&place, &request(1, &json!({})));
    let target = fs::canonicalize(place.path(".")).unwrap().join("target.json");
    assert!(said.contains(&format!("\"file://{}\"", target.display())), "{said}");
}

#[test]
fn a_run_in_python_is_cancelled() {
    let Some(place) = place() else { return };
    assert!(Command::new("mkfifo").arg(place.path("source.json")).status().unwrap().success());
    let mut host = place.host_command(&[&RUN[..], &["--apply", "--time-limit", "1s"]].concat());
    let host = host.env("PYTHONPATH", place.path("jobs/lib")).spawn().unwrap();
    // Its loader waits for the pipe, and is told to end meanwhile.
    std::thread::sleep(std::time::Duration::from_secs(6));
    fs::write(place.path("source.json"), "{}").unwrap();
    let output = host.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path("target.json").exists());
}
