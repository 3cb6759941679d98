//! A model that is an enum is one error, whatever uses it.

use diffsync::model::SyncModel as _;
use diffsync::prelude::*;

#[derive(SyncModel)]
enum Country {
    France,
    Niue,
}

// What uses the model adds no errors.
include!("../support/country_uses.rs");
