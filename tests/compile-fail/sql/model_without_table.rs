//! A table is named, not guessed.

use diffsync_adapters::SqlModel;
use diffsync_core::SyncModel;

#[derive(SyncModel, SqlModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
}

fn main() {}
