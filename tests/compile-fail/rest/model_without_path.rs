use diffsync::SyncModel;
use diffsync::rest::RestModel;

#[derive(SyncModel, RestModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
}

fn main() {}
