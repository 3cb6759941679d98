//! The rules of the history, each on every kind of database that is installed here.

#![allow(clippy::panic, clippy::unwrap_used, reason = "clippy takes only test functions for tests, not what they call")]

mod databases;
mod filters;
mod kill;
mod leases;
mod open;
mod policy;
mod prune;
mod recording;
mod reported;
mod world;
