//! Stores the history of [diffsync](https://docs.rs/diffsync) runs: who ran what and when, the diff, the outcome of each record,
//! and the durations and memory of each step.
//!
//! A [`History`] is an `SQLite` file, or a database on a `PostgreSQL` server. It is created on first use, and several programs
//! on several hosts can share one. A [`Recorder`] observes a run and writes as it proceeds, so that a reader sees its log entries
//! appear, and a run that is killed leaves all but its last quarter of a second.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use diffsync_core::Job;
//! use diffsync_core::report::Status;
//! use diffsync_core::run::{Run, RunOptions};
//! use diffsync_history::{
//!     History, HistoryUrl, LeaseName, NewSync, PageRequest, Recorder, RecorderOptions, SyncFilter,
//! };
//!
//! async fn run_and_record<J: Job>(job: J, options: RunOptions) -> Result<(), Box<dyn std::error::Error>> {
//!     let history = History::open(&HistoryUrl::in_data_dir()?).await?;
//!     history.mark_interrupted().await?;
//!
//!     let sync = NewSync { job: J::INFO.id.into(), started_by: "anna".into(), ..NewSync::default() };
//!     let recording = RecorderOptions {
//!         // No other run of this job may take place at the same time.
//!         leases: vec![LeaseName::job(J::INFO.id, J::INFO.id)],
//!         cancellation: options.cancellation.clone(),
//!         abort_reason: options.abort_reason.clone(),
//!         time_limit: options.time_limit,
//!         ..RecorderOptions::default()
//!     };
//!     let recorder = Arc::new(Recorder::start(&history, &sync, recording).await?);
//!
//!     Run::execute(Arc::new(job), options, vec![recorder.clone()]).await;
//!     recorder.finish().await?;
//!
//!     for sync in history.syncs(&SyncFilter::default(), PageRequest::first(10)).await?.items {
//!         println!("{} {} {} {}", sync.id, sync.job, sync.status, sync.started_at);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A run of another program, of which only rows are known, is recorded with the [recorder's](Recorder) own methods: `planned_change`,
//! `planned`, `entry` and `end`.
//!
//! # What is kept
//!
//! | what | read with | kept |
//! | --- | --- | --- |
//! | a [sync](SavedSync) for each run, with its steps and counts | [`History::syncs`], [`History::sync`] | indefinitely |
//! | its diff, a [change](Change) for each record | [`History::changes`], [`History::change`], [`History::below`] | until it is pruned |
//! | a [log entry](LogEntry) for each record that was to be written or could not be used | [`History::entries`], [`History::all_entries`] | until it is pruned |
//! | the [lines](LogLine) that the program logged | [`History::lines`] | until it is pruned |
//!
//! All lists are read by [page](Page), and the last page is as fast as the first. [`History::prune`] removes the details of old
//! syncs, by default of those that are neither among the last 100 of their job nor from the last 90 days, and
//! [`History::prune_if_due`] does so once a day.
//!
//! Secrets are redacted as in every other report, and never reach the history.
//!
//! # One run at a time
//!
//! A [lease](Lease) keeps two runs from doing the same work at the same time, in any program and on any host. It is
//! renewed every 10 seconds, and ends by itself 30 seconds after its process was killed. [`History::mark_interrupted`] then
//! marks its run as interrupted.
//!
//! # When the history cannot be written
//!
//! [`HistoryPolicy`] decides: a run that requires a history fails, and writes to its target only once its diff is recorded;
//! any other run continues, and its sync says how many rows are missing. A connection that broke, or a file that is locked, is
//! retried for a while first. Every [error](HistoryError) says what could not be done, where, and what to do about it.

#![forbid(unsafe_code)]

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("a history needs a database: enable the feature `sqlite` or `postgres` of `diffsync-history`");

mod change;
mod database;
mod entry;
mod error;
mod lease;
mod line;
mod page;
mod process;
mod prune;
mod recorder;
mod schema;
mod step;
mod store;
mod sync;
mod time;
mod url;

pub use self::change::{ActionCounts, Change, ChangeFilter, NewChange, TreeScope};
pub use self::entry::{LogEntry, LogEntryFilter, NewEntry, SyncEntry};
pub use self::error::HistoryError;
pub use self::lease::{Lease, LeaseError, LeaseName};
pub use self::line::{LogLevel, LogLine, LogLineFilter};
pub use self::page::{Cursor, Page, PageRequest};
pub use self::prune::{Pruned, Retention};
pub use self::recorder::{HistoryPolicy, Recorder, RecorderOptions, SyncEnd};
pub use self::store::History;
pub use self::sync::{NewSync, PlannedCounts, PlannedModel, SavedSync, SyncFilter, SyncId, SyncStatus};
pub use self::url::{HistoryUrl, HistoryUrlError};
