//! An identifier equals another or not, and has a hash.

use std::fmt::{self, Display};

use diffsync::SyncModel;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Code(u16);

impl Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    code: Code,
}

fn main() {}
