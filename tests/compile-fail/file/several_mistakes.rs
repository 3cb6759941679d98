//! All mistakes are said in one build.

use diffsync::SyncModel;
use diffsync::file::FileModel;

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "../regions.txt", lsit = "regions", delimiter = ';')]
struct Region {
    #[sync(id)]
    #[file(path = "x")]
    slug: String,
    #[file(rename = "slug")]
    name: String,
    #[sync(local)]
    #[file(rename = "line")]
    row: usize,
}

fn main() {}
