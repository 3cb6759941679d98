//! What is left out is left out once.

use diffsync::prelude::*;
use diffsync_tests::regions::{File, Region};

#[job(source = File, target = File, skip(Region, Region), ignore(region.name, region.name))]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
