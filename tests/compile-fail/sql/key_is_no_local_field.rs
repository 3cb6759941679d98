//! The database's own key is a local field.

use diffsync_adapters::SqlModel;
use diffsync_core::SyncModel;

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "sites")]
struct Site {
    #[sync(id)]
    name: String,
    #[sql(key)]
    number: i64,
}

fn main() {}
