//! Real jobs on real systems. A job is a folder here, to be copied into a crate of your own, and this file is the program.

#![forbid(unsafe_code)]

mod countries;
mod device_tags;
mod ipam;
#[cfg(test)]
mod laws;
mod look;
mod nautobot;
mod network;
mod yaml;

use std::process::ExitCode;

// Counts the allocations that `--memory-profiling` reports for each step.
diffsync::count_allocations!();

fn main() -> ExitCode {
    diffsync::app::App::new().version(env!("CARGO_PKG_VERSION")).main()
}
