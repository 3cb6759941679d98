//! A record is taken as it is, which is a copy of it.

use diffsync::SyncModel;
use diffsync::file::FileModel;

#[derive(SyncModel, FileModel)]
#[file(path = "regions.csv")]
struct Region {
    #[sync(id)]
    slug: String,
}

fn main() {}
