//! Jobs of other programs: real processes in a jobs folder, and a host that has no jobs of its own.

mod folder;
mod misbehaving;
mod python;
mod serving;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Place, Said};

/// The program with the example's jobs.
const JOBS: &str = env!("CARGO_BIN_EXE_jobs-example");

impl Place {
    /// The host, with the jobs folder `jobs`.
    fn host_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_of(env!("CARGO_BIN_EXE_host"), arguments);
        command.env("DIFFSYNC_JOBS_ROOT", self.path("jobs"));
        command
    }

    /// Runs the host, and expects it to end with this code.
    fn host(&self, code: i32, arguments: &[&str]) -> Said {
        let said = Said::of(self.host_command(arguments).output().unwrap());
        assert_eq!(said.code, code, "{arguments:?}: {}{}", said.out, said.err);
        said
    }

    fn host_json(&self, arguments: &[&str]) -> Value {
        let output = self.host_command(&[arguments, &["--output", "json"]].concat()).output().unwrap();
        let said = Said::of(output);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {} {}", said.out, said.err))
    }

    fn host_begun(&self, arguments: &[&str]) -> Child {
        self.host_command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Puts the program with the example's jobs into the folder.
    fn with_jobs(self) -> Self {
        fs::create_dir_all(self.path("jobs")).unwrap();
        symlink(JOBS, self.path("jobs/jobs-example")).unwrap();
        self
    }

    /// Puts a program into the folder.
    fn with_program(self, name: &str, text: &str) -> Self {
        let path = self.path(&format!("jobs/{name}"));
        fs::create_dir_all(self.path("jobs")).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Puts a script with one job into the folder, which is called as it, and runs these lines of shell when it is asked to run.
    fn with_script(self, name: &str, run: &str) -> Self {
        self.with_described(name, &json!({}), run)
    }

    /// The same, with more keys in its description.
    fn with_described(self, name: &str, more: &Value, run: &str) -> Self {
        let mut job = json!({"id": name, "source_label": "A", "target_label": "B", "models": ["site"]});
        for (key, value) in more.as_object().unwrap() {
            job[key] = value.clone();
        }
        let description = json!({"protocol": 1, "program": {"name": name, "version": "7"}, "jobs": [job]});
        let text = format!(
            "#!/bin/sh\nif [ \"$2\" = describe ]; then\ncat <<'END'\n{description}\nEND\nexit\nfi\nread -r request\n{FUNCTIONS}\n{run}\n"
        );
        self.with_program(name, &text)
    }
}

/// What a run tells when nothing goes wrong: `begin JOB`, `create SEQ RECORD`, `ready N`, `done_ SEQ RECORD`, `deleted SEQ RECORD` and `finish STATUS`.
const FUNCTIONS: &str = r#"
case $request in *'"dry_run":true'*) dry=true;; *) dry=false;; esac
at=2026-01-01T00:00:00Z
begin() { echo '{"event":"run_started","stream":1,"job":"'$1'","dry_run":'$dry',"at":"'$at'"}'; }
create() { echo '{"event":"change","seq":'$1',"parent":null,"depth":0,"model":"site","record":"'$2'","action":"create","changes":{"+":{"a":1}},"held":null}'; }
delete() { echo '{"event":"change","seq":'$1',"parent":null,"depth":0,"model":"site","record":"'$2'","action":"delete","changes":{"-":{"a":1}},"held":null}'; }
ready() { echo '{"event":"diff_ready","counts":{"total":{"'$1'":'$2',"no_change":'${3:-0}'},"models":[{"model":"site","'$1'":'$2',"no_change":'${3:-0}'}]}}'; }
done_() { echo '{"event":"record_done","at":"'$at'","seq":'$1',"model":"site","record":"'$2'","operation":"create","outcome":"created","reason":null}'; }
deleted() { done_ $1 $2 | sed 's/"create"/"delete"/; s/"created"/"deleted"/'; }
finish() { echo '{"event":"run_finished","status":"'$1'","counts":{"created":'${2:-0}'}}'; }
"#;
