//! An unknown key of a variable is answered with those that there are.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(defualt = "regions.json")]
    path: String,
    #[var(required)]
    token: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
