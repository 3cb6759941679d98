//! A variable's type can be read from text.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    /// How long to wait.
    patience: std::time::Duration,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
