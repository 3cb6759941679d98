//! A field that refers to a record is of its identifier's type.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Rack {
    #[sync(id)]
    number: u16,
}

#[derive(SyncModel)]
struct Device {
    #[sync(id)]
    name: String,
    #[sync(references = Rack)]
    rack: Option<String>,
    #[sync(references = Rack)]
    racks: Vec<u64>,
}

fn main() {}
