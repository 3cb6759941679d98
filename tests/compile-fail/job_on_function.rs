//! A job is a struct, and not a function.

use diffsync::job;

#[job(source = File, target = File)]
async fn regions() {}

fn main() {}
