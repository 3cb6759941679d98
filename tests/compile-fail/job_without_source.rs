//! A job names its source and its target.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(name = "Regions")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
