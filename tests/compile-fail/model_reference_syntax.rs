//! A reference is written `references = Model`, `references(Model, deferred)` or, on the struct, with its fields.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel)]
#[sync(references = Region)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(references)]
    a: String,
    #[sync(references = "Region")]
    b: String,
    #[sync(references(Region))]
    c: String,
    #[sync(references(Region, slug = d))]
    d: String,
    #[sync(references = Region, deferred)]
    e: Option<String>,
    #[sync(references(Region, defered))]
    f: Option<String>,
    #[sync(references(&Region, deferred))]
    g: Option<String>,
}

#[derive(SyncModel)]
#[sync(references(Region, deferred))]
struct City {
    #[sync(id)]
    slug: String,
    region: Option<String>,
}

#[derive(SyncModel)]
#[sync(references(Region, slug = region, self = region))]
struct Town {
    #[sync(id)]
    slug: String,
    region: Option<String>,
}

fn main() {}
