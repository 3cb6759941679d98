//! The web pages of [diffsync](https://docs.rs/diffsync): its jobs, its runs while they are in progress, and its history.
//!
//! A [`Pages`] is built from a [history](diffsync_history::History), the program's [jobs](JobPage), and something that [starts
//! runs](Runs). It answers requests as a [`Router`], or on a listener:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use diffsync_history::{History, HistoryUrl};
//! use diffsync_web::{JobPage, Pages, Runs};
//! use tokio_util::sync::CancellationToken;
//!
//! async fn serve(jobs: Vec<JobPage>, runs: Arc<dyn Runs>) -> Result<(), Box<dyn std::error::Error>> {
//!     let history = History::open(&HistoryUrl::in_data_dir()?).await?;
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     let end = CancellationToken::new();
//!     Pages::new(history, jobs, runs).user("anna").serve(listener, end).await?;
//!     Ok(())
//! }
//! ```
//!
//! # What a page may do
//!
//! All assets are part of the program. The [content security policy](https://developer.mozilla.org/docs/Web/HTTP/CSP) forbids
//! scripts, styles and images from anywhere else, and inline ones. Each value on a page is escaped, and a character that could
//! deceive a reader is shown by its code.
//!
//! A request is answered only if its `Host` is that of a loopback address, so that no other page can reach the server through
//! a name of its own. One that changes something has to come from a page of the server.

#![forbid(unsafe_code)]

mod assets;
mod error;
mod escape;
mod fields;
mod figures;
mod files;
mod icon;
mod pages;
mod progress;
mod router;
mod runs;
mod serve;
mod site;

pub use axum::Router;

pub use self::progress::{Progress, ProgressObserver, StepProgress};
pub use self::runs::{FieldError, JobPage, OtherJob, Pending, ProfilePage, Runs, StartError, StartRun};
pub use self::serve::{NotLoopback, listen};
pub use self::site::Pages;
