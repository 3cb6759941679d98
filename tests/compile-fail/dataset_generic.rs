//! A data set is not generic.

use diffsync::{Dataset, SyncModel, Table};

#[derive(Dataset, Default)]
struct World<M: SyncModel> {
    records: Table<M>,
}

fn main() {}
