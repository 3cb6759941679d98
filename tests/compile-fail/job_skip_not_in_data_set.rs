//! A job leaves out what its data set has.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
}

#[job(source = File, target = File, skip(Country))]
struct Regions;

diffsync_tests::opens!(Regions: File, File);

fn main() {}
