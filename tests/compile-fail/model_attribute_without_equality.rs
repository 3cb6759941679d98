//! An attribute can be compared.

use diffsync::SyncModel;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Flag(String);

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    flag: Flag,
}

fn main() {}
