//! What needs both a plan and a plan's file: comparing with a saved plan, saving the plan of a run, and undoing a run.

pub(crate) mod compare;
mod exclude;
mod matching;
pub(crate) mod rollback;
pub(crate) mod save;
pub(crate) mod undo;

pub use self::compare::Loaded;
pub use self::save::write_plan;
