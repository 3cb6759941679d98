//! Runs the program.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use diffsync_test_servers::{Server, block_on};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

/// A folder of its own in which the program is run.
pub(crate) struct Place(TempDir);

/// What a run of the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program, run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_diffsync-tests-program"));
        command.args(arguments).current_dir(self.0.path()).env("HOME", self.path("home")).env("USER", "ada");
        for name in
            ["DIFFSYNC_DATABASE_URL", "DIFFSYNC_PLAN_KEY", "DIFFSYNC_PROFILES", "XDG_DATA_HOME", "XDG_STATE_HOME"]
        {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }

    /// Runs the program, and expects it to end with this code.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}", said.text);
        said
    }
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Self { code: output.status.code().unwrap_or(-1), text: text.concat() }
    }
}

/// The URL of a new database on a server.
pub(crate) fn new_database(scheme: &str, server: &Server) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("program_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let Server { port, user, password, .. } = server;
    let base = format!("{scheme}://{user}:{password}@127.0.0.1:{port}");
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    block_on(async {
        if scheme == "mysql" {
            sqlx::MySqlConnection::connect(&base).await.unwrap().execute(create).await.unwrap();
        } else {
            let url = format!("{base}/postgres");
            sqlx::PgConnection::connect(&url).await.unwrap().execute(create).await.unwrap();
        }
    });
    format!("{base}/{name}")
}
