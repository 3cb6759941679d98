//! A program without jobs of its own: it runs those of the programs in its jobs folder (`--jobs-root`).

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    diffsync::app::App::new().version(env!("CARGO_PKG_VERSION")).main()
}
