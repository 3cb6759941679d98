//! Identifiers are shown, so a secret is none.

use diffsync_core::{Secret, SyncModel};

#[derive(SyncModel)]
struct Account {
    #[sync(id)]
    token: Secret<String>,
    #[sync(id)]
    realm: Option<Secret<String>>,
}

fn main() {}
