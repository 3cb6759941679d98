//! The rules of the core, as its users see them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "clippy takes only test functions for tests, not what they call")]
#![allow(clippy::format_collect, reason = "the texts are short, and it reads best so")]

mod abilities;
mod batches;
mod blocking;
mod cascades;
mod check;
mod circle;
mod complete;
mod completion;
mod conflicts;
mod diff;
mod draw;
mod execute;
mod faults;
mod filters;
mod flags;
mod guards;
mod held;
mod job;
mod join;
mod lab;
mod laws;
mod laws_limited;
mod laws_unique;
mod limits;
mod memory;
mod net;
mod net_properties;
mod outcomes;
mod panics;
mod properties;
mod references;
mod renamed;
mod retries;
mod rig;
mod run;
mod saved;
mod saved_carried_out;
mod saved_file;
mod saved_hook;
mod saved_log;
mod saved_models;
mod saved_moved;
mod saved_nets;
mod saved_random;
mod saved_undo;
mod saved_undo_left_out;
mod saved_undo_lost;
mod saved_values;
mod spellings;
mod table;
mod traps;
mod values;
mod world;

diffsync_core::count_allocations!();
