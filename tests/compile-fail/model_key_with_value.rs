//! `id` and `local` take no value.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id = true)]
    slug: String,
    #[sync(local())]
    remote_id: u64,
}

fn main() {}
