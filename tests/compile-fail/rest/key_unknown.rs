use diffsync_adapters::RestModel;
use diffsync_core::SyncModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "sites", feild = "a")]
struct Site {
    #[sync(id)]
    name: String,
    #[rest(chioce)]
    status: String,
    #[rest(path = "status")]
    state: String,
}

fn main() {}
