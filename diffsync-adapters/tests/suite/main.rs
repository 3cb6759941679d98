//! The adapters on real systems.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

// Measures memory while a file is read.
diffsync_core::count_allocations!();

#[macro_use]
#[path = "../../../tests/support/opens.rs"]
mod opens;

#[cfg(feature = "file")]
mod file;
#[cfg(feature = "nautobot")]
mod nautobot;
#[cfg(feature = "rest")]
mod rest;
#[cfg(all(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
