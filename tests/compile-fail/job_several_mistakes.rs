//! All mistakes of a job are reported in one build.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File, id = "Regions!", kind = both, concurency = 4)]
struct Regions {
    #[var(help = "The path.", defualt = "x")]
    path: String,
    #[var(default = [1, 2])]
    numbers: Vec<u32>,
    #[sync(local)]
    patience: std::time::Duration,
    output: String,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
