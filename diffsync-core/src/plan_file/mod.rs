//! Plan files: a diff as a file, to be reviewed by a person and applied later, exactly.
//!
//! A plan file is a text file with one JSON document per line: a header, one line for each operation with the values before
//! and after it, an end with a digest of all these lines, and a line for each approval. No record is built from its text:
//! applying it loads and compares both sides again, and executes the operations that still match. Only an undo plan
//! ([`PlanKind::Undo`]) provides values, those of deleted records.

mod approve;
pub(crate) mod filter;
mod format;
pub(crate) mod header;
pub(crate) mod key;
pub(crate) mod log;
mod model;
pub(crate) mod operation;
mod read;
mod request;
mod saved_plan;
pub(crate) mod selection;
mod signature;
mod undo;
mod unrestorable;
pub(crate) mod write;

pub use self::approve::approve;
pub use self::filter::{Filter, RecordFilter};
pub use self::header::{PlanHeader, PlanKind, PlanOptions};
pub use self::key::{KeyTooShort, PlanKey};
pub use self::log::{UndoLog, UndoSink};
pub use self::model::{SavedField, SavedModel};
pub use self::read::PlanFileError;
pub use self::request::{ApplyRequest, DriftPolicy};
pub use self::saved_plan::SavedPlan;
pub use self::signature::Signature;
pub use self::undo::UndoPlan;
pub use self::unrestorable::Unrestorable;
