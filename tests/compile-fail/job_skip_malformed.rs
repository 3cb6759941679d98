//! Models are left out by their type, each once.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, skip("region"), ignore(Region::name), skip = Region)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
