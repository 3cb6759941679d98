use diffsync::SyncModel;
use diffsync::rest::RestModel;

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
