//! Keys stand in parentheses.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var]
    path: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
