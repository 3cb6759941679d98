//! The variables of a job have names.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions(#[var(default = "regions.json")] String);

diffsync_tests::opens!(Regions: File, File);

fn main() {}
