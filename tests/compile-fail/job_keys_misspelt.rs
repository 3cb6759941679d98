//! Misspelt keys are answered with those that were meant.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, skips(Region), ignores(region.name), max_delete = 3, onguard = stop, timelimit = "1h")]
struct Regions {
    #[var(choice = sites)]
    site: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
