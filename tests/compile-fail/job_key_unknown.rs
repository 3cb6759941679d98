//! An unknown key that resembles none is answered with the list of those that there are.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, schedule = "daily")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
