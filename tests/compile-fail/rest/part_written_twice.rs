use diffsync::SyncModel;
use diffsync::rest::RestModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "sites", owner(field = "managed_by", value = "diffsync"))]
struct Site {
    #[sync(id)]
    name: String,
    #[rest(field = "name")]
    title: String,
    managed_by: String,
}

fn main() {}
