//! What stands alone takes no value.

use diffsync::SyncModel;

#[derive(SyncModel)]
#[sync(deletes_first = true)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(when_some = true)]
    a: Option<String>,
    #[sync(create_only(yes))]
    b: String,
}

fn main() {}
