//! Runs the program, and its commands that run no job.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

    /// The program, run here by somebody called Ada whose home is here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_jobs-example"), arguments)
    }

    /// Any program, run in the same way.
    pub(crate) fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).env("HOME", self.path("home")).env("USER", "ada");
        let unset = [
            "INVENTORY_URL",
            "DIFFSYNC_DATABASE_URL",
            "DIFFSYNC_JOBS_ROOT",
            "DIFFSYNC_PLAN_KEY",
            "DIFFSYNC_PROFILES",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
        ];
        for name in unset {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Runs the program, and expects it to end with this code.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}{}", said.out, said.err);
        said
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {} {}", said.out, said.err))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Expects standard output, or standard error, to hold this.
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.out.contains(text) || self.err.contains(text), "{text:?} in {}{}", self.out, self.err);
        self
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
    let expected = "countries-to-inventory csv-to-postgres device-tags-to-inventory inventory-to-nautobot ipam-a-to-ipam-b \
                    nautobot-to-inventory nautobot-to-nautobot postgres-to-csv";
    assert_eq!(ids, expected.split(' ').collect::<Vec<_>>());
    let jobs = Place::new().json(&["list"]);
    assert_eq!(jobs[0]["source_label"], "Published list of countries");
}

#[test]
fn show_tells_what_is_compared_and_what_can_be_set() {
    let said = Place::new().run(&["show", "countries-to-inventory"]);
    assert!(said.out.contains("country: identified by slug, under region"), "{}", said.out);
    assert!(said.out.contains("--file [default: jobs-example/data/countries.json]"), "{}", said.out);
    said.says("limits: 30% deletes (unless a model says otherwise); a run that exceeds them is refused");
    let job = Place::new().json(&["show", "countries-to-inventory"]);
    assert_eq!(job["data_mappings"][1]["parent"], "region");
    assert_eq!(job["models"][1]["references"], serde_json::json!([]));
    assert_eq!(job["on_guard"], "stop");
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
