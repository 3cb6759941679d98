//! The tags of devices, into the inventory, while the devices themselves are not synced.
//!
//! A data set need not hold the parents. What is synced is the tag, so the tag is the top-level model: the device is
//! part of its identifier, and there is no link to a model of devices.

mod file;

use std::path::PathBuf;

use diffsync::prelude::*;
use diffsync::sql::Sql;

use self::file::DevicesFile;

/// A tag on a device.
#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "device_tags")]
pub(crate) struct DeviceTag {
    /// The device's name.
    #[sync(id)]
    pub(crate) device: String,
    #[sync(id)]
    pub(crate) tag: String,
    /// Why it is tagged.
    pub(crate) note: String,
}

/// What both sides hold of devices: their tags.
#[derive(Dataset, Default)]
pub(crate) struct DeviceTags {
    pub(crate) tags: Table<DeviceTag>,
}

/// Keeps the tags of devices in the inventory in line with the network team's list, and leaves the devices alone.
#[job(source = DevicesFile, target = Sql<DeviceTags>, source_label = "Devices", target_label = "Inventory")]
struct DeviceTagsToInventory {
    /// The network team's list, a YAML file.
    #[var(default = "jobs-example/data/devices.yml")]
    file: PathBuf,
    /// Where the inventory is; it is created by the first write.
    #[var(default = "sqlite://inventory.db", env = "INVENTORY_URL")]
    inventory: Url,
}

impl Job for DeviceTagsToInventory {
    async fn source_adapter(&self, _: &JobContext) -> Result<DevicesFile, JobError> {
        Ok(DevicesFile { path: self.file.clone() })
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<DeviceTags>, JobError> {
        Ok(Sql::open(&self.inventory)?.create_tables())
    }
}
