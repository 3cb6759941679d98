//! The program end to end: real processes on real files and a real database.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod check;
mod completions;
mod countries;
mod device_tags;
mod events;
mod guards;
mod history;
mod ipam;
mod key;
mod kills;
mod network;
mod output;
mod plans;
mod profiles;
mod program;
mod programs;
mod report;
mod schemas;
mod serve;
mod signals;
mod undo;
