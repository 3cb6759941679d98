//! An identifier can be written as a plain value and read again.

use std::fmt::{self, Display};

use diffsync::SyncModel;

#[derive(Clone, PartialEq, Eq, Hash)]
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
