//! A limit is a number of records or a part of them.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(max_creates = -1, max_updates = "20", max_deletes = "20 percent")]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(max_creates = "120%", max_updates = 20%, max_deletes(20))]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(max_creates, max_updates = 1.5, max_deletes = 1, max_deletes = 2)]
struct City {
    #[sync(id)]
    slug: String,
}

fn main() {}
