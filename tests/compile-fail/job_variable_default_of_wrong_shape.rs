//! A default is a literal.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(default = None)]
    path: Option<String>,
    #[var(default = 'x')]
    letter: String,
    #[var(default = -"5")]
    number: i64,
    #[var(default)]
    verbosely: bool,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}
