//! What is never compared is compared in no way.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(create_only, compare = ignore_case)]
    name: String,
    #[sync(when_some, create_only)]
    area: Option<u64>,
}

fn main() {}
