//! Real jobs on real systems. Copy this crate to start your own: a job is a folder here, and this file is the program.

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

// What `--memory-profiling` shows of each step's allocations is counted here.
diffsync_core::count_allocations!();

fn main() -> ExitCode {
    diffsync_app::App::new().version(env!("CARGO_PKG_VERSION")).main()
}
