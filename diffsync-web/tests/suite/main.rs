//! The pages, asked as a browser does, over real histories of real runs.

#![allow(clippy::panic, clippy::unwrap_used, reason = "clippy takes only test functions for tests, not what they call")]

mod diff;
mod downloads;
mod forms;
mod hostile;
mod lists;
mod live;
mod overview;
mod security;
mod sync;
mod world;
