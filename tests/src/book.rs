//! What the examples of the book use besides what they show: all names of `diffsync`, one-line adapters and jobs, and
//! the smallest models.

pub use std::sync::{Arc, Mutex};

pub use diffsync::adapter::*;
pub use diffsync::apply::*;
pub use diffsync::data::*;
pub use diffsync::job::*;
pub use diffsync::model::*;
pub use diffsync::plan::*;
pub use diffsync::plan_file::*;
pub use diffsync::prelude::*;
pub use diffsync::report::*;
pub use diffsync::run::*;
pub use diffsync::value::*;

pub use crate::{accepts, block_on, loads, opens, run};

/// A site.
#[derive(SyncModel, Clone, Debug)]
pub struct Site {
    /// Identifies the site.
    #[sync(id)]
    pub slug: String,
}

/// A device.
#[derive(SyncModel, Clone, Debug)]
pub struct Device {
    /// Identifies the device.
    #[sync(id)]
    pub name: String,
}

/// The devices of a network.
#[derive(Dataset, Default)]
pub struct Network {
    /// The devices.
    pub devices: Table<Device>,
}
