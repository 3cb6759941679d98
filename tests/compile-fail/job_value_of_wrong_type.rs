//! A key's value has its type.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(
    source = "File",
    target = &File,
    name = regions,
    dryrun_default = "yes",
    hidden,
    concurrency = 0,
)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
