//! The rules of the core, as its users see them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "clippy takes only test functions for tests, not what they call")]

mod check;
mod complete;
mod diff;
mod execute;
mod job;
mod join;
mod laws;
mod memory;
mod properties;
mod rig;
mod run;
mod saved;
mod saved_carried_out;
mod saved_file;
mod saved_moved;
mod saved_undo;
mod table;
mod world;

diffsync_core::count_allocations!();
