//! A key is given once.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, source = File)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
