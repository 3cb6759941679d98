//! A data set has tables.

use diffsync_core::Dataset;

#[derive(Dataset, Default)]
struct World {}

#[derive(Dataset, Default)]
struct Nothing;

fn main() {}
