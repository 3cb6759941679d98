//! Comparing the two sides, and saving and applying plans.
//!
//! [`LoadedSides`] compares the two sides; [`write_plan`] saves the resulting plan. Inside the core, this module also matches
//! a saved plan with a fresh diff, creates the undo plan of a run, and applies one.

mod exclude;
pub(crate) mod loaded_sides;
mod matching;
pub(crate) mod rollback;
pub(crate) mod save;
pub(crate) mod undo;

pub use self::loaded_sides::LoadedSides;
pub use self::save::write_plan;
