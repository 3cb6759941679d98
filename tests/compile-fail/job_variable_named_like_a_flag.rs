//! A variable's name is none of the flags that every job has.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    /// Where to write.
    output: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
