//! The program end to end: real processes on real files and a real database.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod check;
mod countries;
mod device_tags;
mod guards;
mod history;
mod ipam;
mod key;
mod network;
mod plans;
mod profiles;
mod program;
mod report;
mod serve;
mod signals;
mod undo;
