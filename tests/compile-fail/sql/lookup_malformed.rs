//! A lookup that cannot be read, or that other fields hold, is answered with how it is written.

use diffsync::SyncModel;
use diffsync::sql::SqlModel;

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "devices", lookup("rack_id -> racks(site, name)", rakc))]
struct Device {
    #[sync(id)]
    #[sql(lookup = "site_id -> sites")]
    site: String,
    #[sql(lookup = "type_id -> types(maker, model)")]
    rack: String,
}

fn main() {}
