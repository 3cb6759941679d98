//! A model without an identifier is one error, whatever uses it.

use diffsync::model::SyncModel as _;
use diffsync::prelude::*;

#[derive(SyncModel)]
struct Country {
    slug: String,
    name: String,
}

// What uses the model adds no errors.
include!("../support/country_uses.rs");
