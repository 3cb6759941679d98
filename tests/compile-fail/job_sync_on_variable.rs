//! A job's fields are no fields of a model.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[sync(id)]
    path: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
