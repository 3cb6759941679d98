//! A job says how its adapters are made.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions;

fn main() {}
