//! The help of a variable is its documentation comment.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(help = "Where the regions are read from.")]
    path: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
