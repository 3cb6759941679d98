//! An unknown key is answered with the one that was probably meant.

use diffsync::SyncModel;
use diffsync::sql::SqlModel;

#[derive(SyncModel, SqlModel, Clone)]
#[sql(tabel = "sites", table = "sites")]
struct Site {
    #[sync(id)]
    #[sql(colunm = "n")]
    name: String,
}

fn main() {}
