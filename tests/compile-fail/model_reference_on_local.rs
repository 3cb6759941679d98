//! What a record refers to is the same on both sides.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(references(Region, slug = formerly))]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(local, references = Region)]
    region: Option<String>,
    #[sync(local)]
    formerly: Option<String>,
}

fn main() {}
