//! A crate that depends on diffsync by the name `sync`, and says so at each macro with `crate = sync`.
//!
//! `::diffsync` leads nowhere here, so generated code that still names it does not compile.

#![forbid(unsafe_code)]

use sync::file::Folder;
use sync::prelude::*;

/// A place with devices.
#[derive(SyncModel, FileModel, Debug, Clone)]
#[sync(crate = sync)]
#[file(crate = sync, path = "sites.csv")]
pub struct Site {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// What it is for.
    pub purpose: Option<String>,
}

/// A device.
#[derive(SyncModel, FileModel, Debug, Clone)]
#[sync(crate = sync, parent(Site, name = site))]
#[file(crate = sync, path = "devices.csv")]
pub struct Device {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Where it stands.
    pub site: String,
    /// Its network card.
    #[sync(compare = ignore_case)]
    pub mac: Option<String>,
}

/// Sites and devices.
#[derive(Dataset, Debug, Default)]
#[dataset(crate = sync)]
pub struct Network {
    /// The sites.
    pub sites: Table<Site>,
    /// The devices.
    pub devices: Table<Device>,
}

/// How much is copied.
#[derive(Choice, Debug, Clone, Copy)]
#[choice(crate = sync)]
pub enum Extent {
    /// Everything.
    Full,
    /// Sites only.
    Sites,
}

/// From one folder to another.
#[job(source = Folder<Network>, target = Folder<Network>, crate = sync)]
#[derive(Debug)]
pub struct FolderToFolder {
    /// How much is copied.
    #[var(default = "full")]
    pub extent: Extent,
}

impl Job for FolderToFolder {
    async fn source_adapter(&self, _: &JobContext) -> Result<Folder<Network>, JobError> {
        Ok(Folder::new("from"))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Folder<Network>, JobError> {
        Ok(Folder::new("to"))
    }
}
