//! A job's limits are written as a model's.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, max_creates = "all", max_updates = "101%", max_deletes = 10_percent)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
