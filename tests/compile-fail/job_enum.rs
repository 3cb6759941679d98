//! A job is a struct.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
enum Regions {
    All {
        #[var(default = "x")]
        path: String,
    },
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
