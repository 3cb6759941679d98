use diffsync_adapters::RestModel;
use diffsync_core::{Secret, SyncModel};

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "users")]
struct User {
    #[sync(id)]
    name: String,
    #[rest(blank)]
    comment: String,
    #[rest(write_only)]
    password: Secret<String>,
}

fn main() {}
