//! A folder holds models that say in which file they are kept.

use diffsync::{Adapter, Dataset, SyncModel, Table};
use diffsync::file::Folder;

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
    is_adapter(Folder::<World>::new("data"));
}
