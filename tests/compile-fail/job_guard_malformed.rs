//! A guard stops or holds, and a time limit has a unit.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, on_guard = ask, time_limit = 90)]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
