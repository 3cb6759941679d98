//! At least one record is written at a time.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, concurrency = 0)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
