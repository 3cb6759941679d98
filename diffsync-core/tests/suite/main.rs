//! The rules of the core, as its users see them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "clippy takes only test functions for tests, not what they call")]
#![allow(clippy::format_collect, reason = "the texts are short, and it reads best so")]

#[macro_use]
#[path = "../../../tests/support/opens.rs"]
mod opens;

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
mod fake_network;
mod fake_target;
mod faults;
mod filters;
mod flags;
mod guards;
mod held;
mod job;
mod join;
mod laws;
mod laws_limited;
mod laws_unique;
mod limits;
mod memory;
mod net;
mod net_properties;
mod outcomes;
mod panics;
mod plan_file;
mod properties;
mod references;
mod renamed;
mod retries;
mod run;
mod spellings;
mod table;
mod traps;
mod values;
mod world;

diffsync_core::count_allocations!();
