use diffsync_adapters::RestModel;
use diffsync_core::SyncModel;

#[derive(SyncModel, RestModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
}

fn main() {}
