//! A field's parent is written `parent = Model`.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(parent)]
    region: String,
}

#[derive(SyncModel)]
struct City {
    #[sync(id)]
    slug: String,
    #[sync(parent = "Region")]
    region: String,
}

#[derive(SyncModel)]
struct Village {
    #[sync(id)]
    slug: String,
    #[sync(parent = &Region)]
    region: String,
}

#[derive(SyncModel)]
struct Hamlet {
    #[sync(id)]
    slug: String,
    #[sync(parent(Region))]
    region: String,
}

fn main() {}
