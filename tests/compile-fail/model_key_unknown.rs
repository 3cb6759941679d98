//! An unknown key that resembles none is answered with the list of those that there are.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(table = "countries")]
struct Country {
    #[sync(primary_key)]
    slug: String,
}

fn main() {}
