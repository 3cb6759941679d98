//! A database holds models that say in which table they are kept.

use diffsync::{Adapter, Dataset, SyncModel, Table};
use diffsync::sql::Sql;

#[derive(SyncModel, Clone)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
}

fn is_adapter<A: Adapter>() {}

fn main() {
    is_adapter::<Sql<World>>();
}
