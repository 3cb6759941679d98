//! Comparing the two sides, and saving and applying plans.
//!
//! [`Loaded`] holds the two sides and compares them; [`write_plan`] saves the resulting plan. Inside the core, this module
//! also matches a saved plan with a fresh diff, creates the undo plan of a run, and applies one.

pub(crate) mod compare;
mod exclude;
mod matching;
pub(crate) mod rollback;
pub(crate) mod save;
pub(crate) mod undo;

pub use self::compare::Loaded;
pub use self::save::write_plan;
