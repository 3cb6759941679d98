//! An unknown key is answered with the one that was probably meant.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(sorce = File, target = File, lable = "Regions")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
