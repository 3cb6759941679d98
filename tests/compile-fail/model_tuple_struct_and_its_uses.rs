//! A model whose fields have no names is one error, whatever uses it.

use diffsync::model::SyncModel as _;
use diffsync::prelude::*;

#[derive(SyncModel)]
struct Country(String, String);

// What uses the model adds no errors.
include!("../support/country_uses.rs");
