//! A model with several mistakes is as many errors, whatever uses it.

use diffsync::model::SyncModel as _;
use diffsync::prelude::*;

#[derive(SyncModel)]
#[sync(name = "Country", label = "Countries")]
struct Country {
    #[sync(id, local)]
    slug: String,
    #[sync(parent = Self)]
    within: String,
    #[sync(local, parent = Self)]
    formerly: Option<String>,
    name: String,
}

// What uses the model adds no errors.
include!("../support/country_uses.rs");
