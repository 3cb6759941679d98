//! The events as they are written and read.

use std::fmt;

use diffsync_core::data::Side;
use diffsync_core::memory::StepMemory;
use diffsync_core::model::{Limit, Operation};
use diffsync_core::plan::{Breach, OutcomeCounts, OutcomeKind};
use diffsync_core::report::{Status, Step};
use diffsync_history::{LogLevel, LogLine, PlannedCounts, SyncId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// The version of the stream. It grows with a change that a reader must know of; new events and new keys do not count, since a
/// reader ignores those that it does not know.
pub const STREAM: u32 = 1;

/// One line of the stream.
///
/// A run begins with [`RunStarted`](Self::RunStarted) and ends with [`RunFinished`](Self::RunFinished). All records of the diff
/// come before [`DiffReady`](Self::DiffReady), each after the record that it is shown under. Secrets are redacted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamEvent {
    /// The run began.
    RunStarted {
        /// The version of the stream: [`STREAM`].
        stream: u32,
        /// The job's id.
        job: String,
        /// Whether it writes nothing.
        dry_run: bool,
        /// When.
        #[serde(serialize_with = "micros")]
        at: Timestamp,
        /// The job's profile, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
        /// The sync as which the run is recorded, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sync: Option<SyncId>,
    },
    /// A step began.
    StepStarted {
        /// The step.
        step: Step,
    },
    /// A step made progress: at most ten times a second, and once more before the step ends.
    Progress {
        /// The step.
        step: Step,
        /// Records read or written so far.
        done: u64,
        /// The total, if it is known.
        total: Option<u64>,
    },
    /// A call to one of the systems failed and is retried after a pause.
    Retry {
        /// The step.
        step: Step,
        /// The number of the attempt that failed, from 1.
        attempt: u64,
        /// How long the run waits before the next one.
        pause_seconds: f64,
        /// Why it failed.
        error: String,
    },
    /// A step ended.
    StepFinished {
        /// The step.
        step: Step,
        /// Wall time.
        seconds: f64,
        /// Its memory, if the run had memory profiling on.
        memory: Option<StepMemory>,
    },
    /// A run that may write is about to load its target, and waits until no other run writes to it. Only a host is asked.
    LockTarget {
        /// What names the target among all systems; nothing if it does not name itself.
        resource: Option<String>,
    },
    /// Something is wrong with a record that was loaded, or was stored otherwise than it was given.
    Problem {
        /// The side that the record is on.
        side: Side,
        /// The model's name.
        model: String,
        /// The record's identifier.
        record: String,
        /// What is wrong, as the report says it.
        text: String,
        /// Whether the record is left out, with all that depends on it.
        rejects: bool,
    },
    /// One record of the diff.
    Change {
        /// Its position in the diff, from 0.
        seq: u64,
        /// The position of the record that it is shown under.
        parent: Option<u64>,
        /// How many records it is shown under.
        depth: u32,
        /// The model's name.
        model: String,
        /// The record's identifier as text.
        record: String,
        /// The record's identifier as a value.
        #[serde(default)]
        identifiers: Value,
        /// What is to be done with it; nothing where it is only the parent of others.
        action: Option<Operation>,
        /// The attributes after the sync under `+`, and before it under `-`.
        changes: Option<Value>,
        /// Why the operation is not asked of the target, if it is not: `held`, `unsupported` or `cascaded`.
        held: Option<String>,
    },
    /// The diff was calculated, and all of its records were written to the stream.
    DiffReady {
        /// The planned operations of each model, and in total.
        counts: PlannedCounts,
        /// The limits that the run would exceed, or for which operations are held.
        #[serde(default)]
        breaches: Vec<StreamBreach>,
        /// What names the target among all systems, so that no other run writes to it; known only if this run may write.
        resource: Option<String>,
    },
    /// An operation has its outcome.
    RecordDone {
        /// When.
        #[serde(serialize_with = "micros")]
        at: Timestamp,
        /// The position of the record in the diff.
        #[serde(default)]
        seq: Option<u64>,
        /// The model's name.
        model: String,
        /// The record's identifier.
        record: String,
        /// The planned operation.
        operation: Operation,
        /// Its outcome.
        outcome: OutcomeKind,
        /// Why it was not written, if it was not.
        reason: Option<String>,
        /// The URL of the record's page.
        url: Option<String>,
        /// The record as text, if that says more than its identifier.
        object: Option<String>,
    },
    /// A record is the same on both sides. Only if the run logs unchanged records.
    RecordUnchanged {
        /// When.
        #[serde(serialize_with = "micros")]
        at: Timestamp,
        /// The model's name.
        model: String,
        /// The record's identifier.
        record: String,
    },
    /// The program logged a line.
    Log {
        /// When.
        #[serde(serialize_with = "micros")]
        at: Timestamp,
        /// Its level.
        level: LogLevel,
        /// The module that logged it.
        target: String,
        /// The step during which it was logged.
        step: Option<Step>,
        /// The message.
        message: String,
        /// The other fields, as an object.
        fields: Option<Value>,
    },
    /// The run ended.
    RunFinished {
        /// How it ended.
        status: Status,
        /// Why it did not reach its end.
        error: Option<String>,
        /// The numbers of records by outcome.
        #[serde(default)]
        counts: OutcomeCounts,
        /// How many calls were retried.
        #[serde(default)]
        retries: u64,
    },
    /// An event that this version does not know, which a reader ignores.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// A limit that a run would exceed, as the stream holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamBreach {
    /// The model's name.
    pub model: String,
    /// The operation that the limit is for.
    pub operation: Operation,
    /// The number of operations.
    pub count: u64,
    /// The number of the target's records of the model.
    pub records: u64,
    /// The limit, or nothing if the source holds no record of the model.
    pub limit: Option<Limit>,
}

impl From<&Breach> for StreamBreach {
    fn from(breach: &Breach) -> Self {
        let Breach { model, operation, count, records, limit } = breach;
        Self {
            model: (*model).to_owned(),
            operation: *operation,
            count: *count as u64,
            records: *records as u64,
            limit: *limit,
        }
    }
}

/// Why a line is not an event of this version.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// It is not an event. The text says where and why.
    Malformed(String),
    /// The stream is of a newer version.
    Newer(u32),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(reason) => write!(f, "this is not an event: {reason}"),
            Self::Newer(version) => write!(
                f,
                "the event stream has version {version}, and this program reads up to version {STREAM}; update it"
            ),
        }
    }
}

impl std::error::Error for StreamError {}

impl From<LogLine> for StreamEvent {
    fn from(line: LogLine) -> Self {
        let LogLine { at, level, target, step, message, fields } = line;
        Self::Log { at, level, target, step, message, fields }
    }
}

impl StreamEvent {
    /// Reads a line. One of a kind that this version does not know is [`Unknown`](Self::Unknown).
    ///
    /// # Errors
    ///
    /// If it is not an event, or begins a stream of a newer version.
    pub fn read(line: &str) -> Result<Self, StreamError> {
        #[derive(Deserialize)]
        struct Version {
            stream: Option<u32>,
        }

        match serde_json::from_str(line) {
            Ok(Self::RunStarted { stream, .. }) if stream > STREAM => Err(StreamError::Newer(stream)),
            Ok(event) => Ok(event),
            // A newer version may have changed the event itself.
            Err(error) => match serde_json::from_str(line) {
                Ok(Version { stream: Some(version) }) if version > STREAM => Err(StreamError::Newer(version)),
                _ => Err(StreamError::Malformed(error.to_string())),
            },
        }
    }
}

/// A time in UTC with six digits after the second, so that texts sort as times do.
fn micros<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the line is once it was read and written again.
    fn again(line: &str) -> String {
        serde_json::to_string(&StreamEvent::read(line).unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for line in [
            r#"{"event":"run_started","stream":1,"job":"x","dry_run":true,"at":"2026-01-01T00:00:00.000000Z"}"#,
            r#"{"event":"run_started","stream":1,"job":"x","dry_run":false,"at":"2026-01-01T00:00:00.120000Z","profile":"emea","sync":"0199e4d2-0000-7000-8000-000000000000"}"#,
            r#"{"event":"step_started","step":"load_source"}"#,
            r#"{"event":"progress","step":"load_source","done":1000,"total":null}"#,
            r#"{"event":"retry","step":"execute_sync","attempt":1,"pause_seconds":0.5,"error":"busy"}"#,
            r#"{"event":"step_finished","step":"load_source","seconds":0.1,"memory":{"heap":{"in_use":1,"peak":2},"resident":null}}"#,
            r#"{"event":"lock_target","resource":"file:///a.json"}"#,
            r#"{"event":"problem","side":"source","model":"site","record":"ams","text":"t","rejects":true}"#,
            r#"{"event":"change","seq":1,"parent":0,"depth":1,"model":"site","record":"ams","identifiers":"ams","action":"update","changes":{"+":{"a":1},"-":{"a":2}},"held":null}"#,
            r#"{"event":"record_done","at":"2026-01-01T00:00:00.000000Z","seq":1,"model":"site","record":"ams","operation":"create","outcome":"not_attempted","reason":null,"url":null,"object":null}"#,
            r#"{"event":"record_unchanged","at":"2026-01-01T00:00:00.000000Z","model":"site","record":"ams"}"#,
            r#"{"event":"log","at":"2026-01-01T00:00:00.000000Z","level":"info","target":"t","step":null,"message":"m","fields":{"a":1}}"#,
        ] {
            assert_eq!(again(line), line);
        }
    }

    #[test]
    fn an_event_or_a_key_that_is_not_known_is_ignored() {
        assert_eq!(StreamEvent::read(r#"{"event":"tea_made","cups":2}"#).unwrap(), StreamEvent::Unknown);
        let more = r#"{"event":"step_started","step":"load_source","more":[1]}"#;
        assert_eq!(again(more), r#"{"event":"step_started","step":"load_source"}"#);
    }

    #[test]
    fn what_may_be_left_out_is_nothing() {
        let least = r#"{"event":"run_finished","status":"completed"}"#;
        let read = StreamEvent::read(least).unwrap();
        assert!(matches!(read, StreamEvent::RunFinished { error: None, retries: 0, .. }), "{read:?}");
    }

    #[test]
    fn a_newer_stream_is_refused_even_if_its_event_changed() {
        for line in [
            r#"{"event":"run_started","stream":2,"job":"x","dry_run":true,"at":"2026-01-01T00:00:00Z"}"#,
            r#"{"event":"run_started","stream":2,"jobs":["x"]}"#,
        ] {
            let error = StreamEvent::read(line).unwrap_err().to_string();
            assert_eq!(error, "the event stream has version 2, and this program reads up to version 1; update it");
        }
    }

    #[test]
    fn a_line_that_is_not_an_event_is_refused_with_the_reason() {
        for (line, reason) in [
            ("Traceback (most recent call last):", "expected value at line 1 column 1"),
            (r#"{"step":"load_source"}"#, "missing field `event`"),
            (r#"{"event":"step_started","step":"lunch"}"#, "unknown variant `lunch`"),
            (r#"{"event":"progress","step":"load_source","done":-1,"total":null}"#, "invalid value"),
        ] {
            let error = StreamEvent::read(line).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
