//! A program with a job for each kind of target. The tests of this crate run several of its processes at once.

#![forbid(unsafe_code)]

mod database;
mod files;
mod given;
mod logins;
mod rest;

use std::process::ExitCode;

fn main() -> ExitCode {
    diffsync::app::App::new().version(env!("CARGO_PKG_VERSION")).main()
}
