//! A data set of regions and an adapter for it: what most compile-fail cases of `#[job]` need around the mistake.

use diffsync::prelude::*;

/// A region of the world.
#[derive(SyncModel, Clone, Debug)]
pub struct Region {
    /// Identifies the region.
    #[sync(id)]
    pub slug: String,
    /// Is compared.
    pub name: String,
}

/// All regions.
#[derive(Dataset, Default)]
pub struct World {
    /// The regions.
    pub regions: Table<Region>,
}

/// A file of regions, which can be read and written.
#[derive(Clone, Copy, Debug)]
pub struct File;

crate::loads!(File: World);
crate::accepts!(File: World);
