//! PLACEHOLDER

#![forbid(unsafe_code)]

mod change;
mod database;
mod entry;
mod error;
mod lease;
mod line;
mod page;
mod prune;
mod recorder;
mod schema;
mod step;
mod store;
mod sync;
mod time;
mod url;

pub use self::change::{Change, ChangeFilter, Under};
pub use self::entry::{LogEntry, LogEntryFilter};
pub use self::error::HistoryError;
pub use self::lease::{Lease, LeaseError, LeaseName};
pub use self::line::{LogLevel, LogLine, LogLineFilter};
pub use self::page::{Cursor, Page, PageRequest};
pub use self::prune::{Pruned, Retention};
pub use self::recorder::{HistoryPolicy, Recorder, RecorderOptions};
pub use self::store::History;
pub use self::sync::{NewSync, PlannedCounts, PlannedModel, SavedSync, SyncFilter, SyncId, SyncStatus};
pub use self::url::HistoryUrl;
