//! Identifiers are shown, so a secret is none.

use diffsync::SyncModel;
use diffsync::value::Secret;

#[derive(SyncModel)]
struct Account {
    #[sync(id)]
    token: Secret<String>,
    #[sync(id)]
    realm: Option<Secret<String>>,
}

fn main() {}
