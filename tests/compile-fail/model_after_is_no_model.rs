//! What a model is written after is a model.

use diffsync::SyncModel;

struct Region;

#[derive(SyncModel)]
#[sync(after(Region))]
struct Country {
    #[sync(id)]
    slug: String,
}

fn main() {}
