//! A run may take some time.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, time_limit = "0m")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
