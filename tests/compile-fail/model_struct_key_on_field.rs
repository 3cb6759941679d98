//! A model is named on its struct.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id, name = "code")]
    slug: String,
}

fn main() {}
