//! A misspelt key is answered with the one that was meant.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(reference(Region, slug = region), flag(ignore), afer(Region), delete_first, max_delete = 1, krate = core)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(reference = Region)]
    region: String,
    #[sync(when_none)]
    a: Option<u8>,
    #[sync(createonly)]
    b: u8,
    #[sync(comparison = unordered)]
    c: u8,
    #[sync(renamed = "d")]
    e: u8,
}

fn main() {}
