//! A folder holds models that say in which file they are kept.

use diffsync_adapters::file::Folder;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};

#[derive(SyncModel, Clone)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
}

fn is_adapter<A: Adapter>(_: A) {}

fn main() {
    is_adapter(Folder::<World>::at("data"));
}
