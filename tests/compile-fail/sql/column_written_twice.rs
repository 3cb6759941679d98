//! No column is written from two fields.

use diffsync::SyncModel;
use diffsync::sql::SqlModel;

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "sites", owner(column = "owner", value = "diffsync"))]
struct Site {
    #[sync(id)]
    name: String,
    #[sql(column = "name")]
    label: String,
    owner: String,
}

fn main() {}
