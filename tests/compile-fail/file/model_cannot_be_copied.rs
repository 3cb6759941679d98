//! A record is taken as it is, which is a copy of it.

use diffsync_adapters::file::FileModel;
use diffsync_core::SyncModel;

#[derive(SyncModel, FileModel)]
#[file(path = "regions.csv")]
struct Region {
    #[sync(id)]
    slug: String,
}

fn main() {}
