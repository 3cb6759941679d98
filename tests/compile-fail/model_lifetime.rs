//! A model owns its values.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country<'a> {
    #[sync(id)]
    slug: &'a str,
}

fn main() {}
