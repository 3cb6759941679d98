//! The adapters on real systems.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[cfg(feature = "file")]
mod file;
#[cfg(feature = "nautobot")]
mod nautobot;
#[cfg(feature = "rest")]
mod rest;
#[cfg(feature = "sql")]
mod sql;
