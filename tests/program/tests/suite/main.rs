//! Several processes of one program, on every kind of target.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod api;
mod program;
mod races;
mod secrets;
