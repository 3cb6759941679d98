//! A secret has no default: it would stand in the program.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(default = "hunter2")]
    token: diffsync::value::Secret<String>,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
