//! There are two kinds of jobs.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, kind = bidirectional)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
