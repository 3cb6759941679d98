//! The database's own key is a local field.

use diffsync::SyncModel;
use diffsync::sql::SqlModel;

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "sites")]
struct Site {
    #[sync(id)]
    name: String,
    #[sql(key)]
    number: i64,
}

fn main() {}
