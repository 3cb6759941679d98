//! A job ignores what its data set has.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, ignore(country.name, region.nam, region."display name", region.slug))]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
