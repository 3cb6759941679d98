//! Runs the program, and its commands that run no job.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own in which the program is run.
pub(crate) struct Place(TempDir);

/// What a run of the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Copies a file of the examples' data here.
    pub(crate) fn with_data(self, name: &str) -> Self {
        fs::copy(data(name), self.path(name)).unwrap();
        self
    }

    /// Changes a file here as text; the change must be one.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_jobs-example"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("INVENTORY_URL")
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {} {}", said.out, said.err))
    }
}

/// A file of the examples' data.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

#[test]
fn list_names_every_job_in_order() {
    let said = Place::new().run(&["list"]);
    assert_eq!(said.code, 0);
    let ids: Vec<_> = said.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, ["countries-to-inventory", "device-tags-to-inventory", "ipam-a-to-ipam-b"]);
    let jobs = Place::new().json(&["list"]);
    assert_eq!(jobs[0]["source_label"], "Published list of countries");
}

#[test]
fn show_tells_what_is_compared_and_what_can_be_set() {
    let said = Place::new().run(&["show", "countries-to-inventory"]);
    assert!(said.out.contains("country: identified by slug, under region"), "{}", said.out);
    assert!(said.out.contains("--file [default: jobs-example/data/countries.json]"), "{}", said.out);
    let job = Place::new().json(&["show", "countries-to-inventory"]);
    assert_eq!(job["data_mappings"][1]["parent"], "region");
    assert_eq!(job["variables"][1]["env"], "INVENTORY_URL");
}

#[test]
fn help_is_no_mistake() {
    for arguments in [&["--help"][..], &["run", "--help"], &["run", "ipam-a-to-ipam-b", "--help"]] {
        let said = Place::new().run(arguments);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{arguments:?}");
        assert!(said.out.contains("Usage:"), "{}", said.out);
    }
}
