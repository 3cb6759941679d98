//! The peer: a Python process that answers one question a line.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use diffsync_core::model::Operation;
use diffsync_core::schema::{FieldSchema, ModelSchema};
use serde_json::{Value, json};

use super::asked::{Asked, Mark, Marks};
use super::records::{Records, Row};

/// Where this crate keeps the oracle and the script that installs it.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance");

/// One process for all tests, started by the first that asks.
static PEER: LazyLock<Result<Peer, String>> = LazyLock::new(|| {
    let peer = Peer::start();
    if let Err(reason) = &peer {
        // Straight to the terminal: what a test that passes prints is not shown.
        let notice = format!(
            "\n*** SKIPPED: nothing was compared with the Python peer. {reason}\n\
             *** Set DIFFSYNC_REQUIRE_PEER=1 to make this a failure.\n\n"
        );
        io::stderr().write_all(notice.as_bytes()).ok();
    }
    peer
});

/// The peer, or nothing where it cannot be had: then the test that asked is skipped, unless that is forbidden.
pub(super) fn peer() -> Option<&'static Peer> {
    let required = std::env::var("DIFFSYNC_REQUIRE_PEER").is_ok_and(|value| value == "1");
    match &*PEER {
        Ok(peer) => Some(peer),
        Err(reason) => {
            assert!(!required, "DIFFSYNC_REQUIRE_PEER=1, but there is no peer: {reason}");
            None
        }
    }
}

pub(super) struct Peer(Mutex<Process>);

struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Result<Self, String> {
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let environment = tmp.join("peer");
        let lock = || -> io::Result<File> {
            fs::create_dir_all(tmp)?;
            let lock = File::create(tmp.join("peer.lock"))?;
            // Tests of another process may be installing the same environment. The lock ends with the file.
            lock.lock()?;
            Ok(lock)
        };
        let _lock = lock().map_err(|error| format!("The lock of its environment cannot be taken: {error}"))?;
        install(&environment, None)?;
        let mut child = Command::new(environment.join("bin/python"))
            .arg(Path::new(DIRECTORY).join("peer.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("Its Python cannot be started: {error}"))?;
        let questions = child.stdin.take().ok_or("Its input is closed")?;
        let answers = BufReader::new(child.stdout.take().ok_or("Its output is closed")?);
        Ok(Self(Mutex::new(Process { child, questions, answers })))
    }

    /// What the peer makes of two sides. See `peer.py` for what can be asked and what is answered.
    pub(super) fn ask(&self, question: &Question) -> Value {
        // A test that failed while it was asking leaves nothing half done: its line was written or it was not.
        let mut process = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        process.ask(question).expect("the peer answers every question; its traceback is above")
    }
}

impl Process {
    fn ask(&mut self, question: &Question) -> io::Result<Value> {
        self.questions.write_all(question.line().as_bytes())?;
        self.questions.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(io::Error::other(format!("the peer ended: {status}")));
        }
        Ok(serde_json::from_str(&line)?)
    }
}

/// Runs the script that makes the peer's environment.
pub(super) fn install(directory: &Path, python: Option<&str>) -> Result<(), String> {
    let mut command = Command::new(Path::new(DIRECTORY).join("install"));
    command.arg(directory).stdin(Stdio::null());
    if let Some(python) = python {
        command.env("PYTHON", python);
    }
    let output = command.output().map_err(|error| format!("Its installer cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let mut reason = format!("It cannot be installed ({}):", output.status);
    for line in String::from_utf8_lossy(&output.stderr).lines().chain(String::from_utf8_lossy(&output.stdout).lines()) {
        let _ = write!(reason, "\n***   {line}");
    }
    Err(reason)
}

/// Two sides, and how the peer is to handle them.
pub(super) struct Question(Value);

impl Question {
    pub(super) fn of<D: Records>(source: &D, target: &D) -> Self {
        let models: Vec<_> = D::SCHEMAS.iter().copied().map(model).collect();
        Self(json!({ "models": models, "source": side(source), "target": side(target) }))
    }

    /// How often the sync is repeated at most while its diff is not empty.
    pub(super) fn syncs(self, most: usize) -> Self {
        self.with("syncs", json!(most))
    }

    /// Lets an operation fail on the record that the peer knows by `uid`.
    pub(super) fn failing(self, operation: &str, model: &str, uid: &str) -> Self {
        self.with("failing", json!([[operation, model, uid]]))
    }

    /// Two sides that are handled as it is asked.
    pub(super) fn asked<D: Records>(source: &D, target: &D, asked: &Asked) -> Self {
        let mut question = Self::of(source, target);
        for (side, data, marks) in [("source_flags", source, &asked.source), ("target_flags", target, &asked.target)] {
            if !marks.records.is_empty() || !marks.tables.is_empty() {
                question = question.with(side, flags(data, marks));
            }
        }
        if let Some(flag) = asked.run {
            question = question.flags(&[flag.peers()], &["CONTINUE_ON_FAILURE", flag.peers()]);
        }
        if !asked.failing.is_empty() {
            let name = |(operation, model, uid): &(Operation, &str, String)| json!([operation, model, uid]);
            question = question.with("failing", asked.failing.iter().map(name).collect());
        }
        question
    }

    /// The flags of the run, when the diff is calculated and when it is carried out.
    pub(super) fn flags(self, diff: &[&str], sync: &[&str]) -> Self {
        self.with("diff_flags", json!(diff)).with("sync_flags", json!(sync))
    }

    /// The flags of records of several models.
    pub(super) fn with_target_flags(self, flags: &Value) -> Self {
        self.with("target_flags", flags.clone())
    }

    /// Carries the diff out even if there is nothing in it.
    pub(super) fn insisting(self) -> Self {
        self.with("insist", json!(true))
    }

    /// Notes of which records the peer's log says that they do not change.
    pub(super) fn listening(self) -> Self {
        self.with("listen", json!(true))
    }

    /// The flags of a model's records on one side, each in its turn.
    pub(super) fn marked(self, side: &str, model: &str, flags: &[&[&str]]) -> Self {
        self.with(&format!("{side}_flags"), json!({ model: flags }))
    }

    /// Lets the loader leave a record unattached whose parent is missing, instead of ending the load.
    pub(super) fn keeping_orphans(self) -> Self {
        self.with("orphans", json!("keep"))
    }

    /// Adds a record to the source.
    pub(super) fn with_record(mut self, model: &str, record: Value) -> Self {
        if let Some(records) = self.0["source"][model].as_array_mut() {
            records.push(record);
        }
        self
    }

    /// Sets a field of both sides' first record to a text from which the peer reads what JSON cannot say.
    pub(super) fn with_field(mut self, model: &str, field: &str, value: &str) -> Self {
        for side in ["source", "target"] {
            self.0[side][model][0][field] = json!(value);
        }
        self
    }

    /// The question as the peer gets it.
    pub(super) fn line(&self) -> String {
        format!("{}\n", self.0)
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.0[key] = value;
        self
    }
}

/// The models are described to the peer by their own schemas, so that there is no second description to keep in step.
fn model(schema: &'static ModelSchema) -> Value {
    let fields = |fields: &[FieldSchema]| -> Vec<_> {
        fields.iter().map(|field| json!([field.name, field.type_name.replace(' ', "")])).collect()
    };
    let parent = schema.parent().map(|link| json!({ "model": link.model, "fields": link.fields }));
    json!({
        "name": schema.name,
        "identifiers": fields(schema.identifiers),
        "attributes": fields(schema.attributes),
        "parent": parent,
    })
}

/// The flags of each record, in the order of the records.
fn flags<D: Records>(data: &D, marks: &Marks) -> Value {
    let rows = data.rows();
    let of = |model: &str| -> Value {
        let names = |row: &Row| -> Value { marks.of(row).map(Mark::peers).collect() };
        rows.iter().filter(|row| row.model() == model).map(names).collect()
    };
    D::SCHEMAS.iter().map(|schema| (schema.name.to_owned(), of(schema.name))).collect()
}

fn side<D: Records>(data: &D) -> Value {
    let rows = data.rows();
    let of = |model: &str| -> Value { rows.iter().filter(|row| row.model() == model).map(Row::fields).collect() };
    D::SCHEMAS.iter().map(|schema| (schema.name.to_owned(), of(schema.name))).collect()
}
