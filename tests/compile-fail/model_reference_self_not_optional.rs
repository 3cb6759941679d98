//! Where records refer to others of their model, some refer to none.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Device {
    #[sync(id)]
    name: String,
    #[sync(references = Self)]
    backup: String,
}

#[derive(SyncModel)]
#[sync(references(Interface, device = device, name = lag))]
struct Interface {
    #[sync(id)]
    device: String,
    #[sync(id)]
    name: String,
    lag: String,
}

fn main() {}
