//! A kind is a word, and not a text.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, kind = "data_source")]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
