//! A time limit is a number of seconds, minutes or hours.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, time_limit = "90", on_guard = "hold")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
