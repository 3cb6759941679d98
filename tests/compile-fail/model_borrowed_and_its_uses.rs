//! A model that borrows is one error, whatever uses it.

use diffsync::model::SyncModel as _;
use diffsync::prelude::*;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    name: &'static str,
}

// What uses the model adds no errors.
include!("../support/country_uses.rs");
