//! What another link needs when the record is created cannot be left out then.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Device {
    #[sync(id)]
    name: String,
}

#[derive(SyncModel)]
#[sync(references(Device, name = device, deferred))]
struct Service {
    #[sync(id)]
    name: String,
    #[sync(parent = Device)]
    device: Option<String>,
}

fn main() {}
