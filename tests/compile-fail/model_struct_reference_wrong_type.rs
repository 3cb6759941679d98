//! The fields that name a record have the types of its identifiers, or are an `Option` of them.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    site: String,
    #[sync(id)]
    number: u16,
    #[sync(id)]
    row: Option<u8>,
}

#[derive(SyncModel)]
#[sync(references(Rack, site = site, number = rack, row = row))]
struct Device {
    #[sync(id)]
    name: String,
    site: char,
    rack: Option<u64>,
    // A row that there may be or not is the `Option` itself.
    row: Option<u8>,
}

fn main() {}
