//! A job names its target.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
