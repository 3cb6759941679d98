//! An attribute can be copied.

use diffsync::SyncModel;
use serde::{Deserialize, Serialize};

#[derive(PartialEq, Serialize, Deserialize)]
struct Flag(String);

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    flag: Flag,
}

fn main() {}
