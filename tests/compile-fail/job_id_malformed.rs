//! A job's id can stand in commands and in URLs.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, id = "Regions to file")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
