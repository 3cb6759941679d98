//! What says how an attribute is compared is for attributes.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, when_some)]
    slug: Option<String>,
    #[sync(id, create_only)]
    code: String,
    #[sync(local, when_some, create_only)]
    remote_id: Option<u64>,
    #[sync(local, compare = ignore_case)]
    remote_name: String,
}

fn main() {}
