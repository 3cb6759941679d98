//! A table is named, not guessed.

use diffsync::SyncModel;
use diffsync::sql::SqlModel;

#[derive(SyncModel, SqlModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
}

fn main() {}
