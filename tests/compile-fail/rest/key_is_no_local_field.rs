use diffsync::SyncModel;
use diffsync::rest::RestModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "sites")]
struct Site {
    #[sync(id)]
    name: String,
    #[rest(key)]
    number: Option<u64>,
    #[sync(local)]
    #[rest(field = "line")]
    line: u64,
}

fn main() {}
