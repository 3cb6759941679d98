//! An identifier can be shown.

use diffsync::SyncModel;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Code(u16);

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    code: Code,
}

fn main() {}
