//! What a job leaves out is a model.

use diffsync::prelude::*;
use diffsync_tests::regions::{File, World};

#[job(source = File, target = File, skip(World))]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
