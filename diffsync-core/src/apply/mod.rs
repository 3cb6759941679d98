//! What needs both a plan and a plan's file.
//!
//! [`Loaded`] holds the two sides and compares them; [`write_plan`] saves the plan that comes of it. Inside the core, this is
//! also where a saved plan is matched with a fresh diff, and where a run is undone and rolled back.

pub(crate) mod compare;
mod exclude;
mod matching;
pub(crate) mod rollback;
pub(crate) mod save;
pub(crate) mod undo;

pub use self::compare::Loaded;
pub use self::save::write_plan;
