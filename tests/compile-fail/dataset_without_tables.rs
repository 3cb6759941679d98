//! A data set has tables.

use diffsync::Dataset;

#[derive(Dataset, Default)]
struct World {}

#[derive(Dataset, Default)]
struct Nothing;

fn main() {}
