//! The default of a choice is one of them.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(default = "quick")]
    mode: Mode,
    #[var(default = "Careful")]
    modes: Vec<Mode>,
    #[var(default = "fast")]
    right: Mode,
}

#[derive(Choice)]
enum Mode {
    Fast,
    Careful,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
