use diffsync::SyncModel;
use diffsync::value::Secret;
use diffsync::rest::RestModel;

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
