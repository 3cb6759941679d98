//! The network team's list of devices: a YAML file.

use std::path::PathBuf;

use diffsync::adapter::HealthCheck;
use diffsync::prelude::*;
use serde::Deserialize;

use super::{DeviceTag, DeviceTags};
use crate::look;
use crate::yaml;

/// The file.
pub(crate) struct DevicesFile {
    pub(crate) path: PathBuf,
}

/// A device in the file.
#[derive(Deserialize)]
struct Device {
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    note: String,
}

impl Adapter for DevicesFile {
    type Data = DeviceTags;

    async fn load(&self, data: &mut DeviceTags, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        let devices: Vec<Device> = yaml::read(&self.path)?;
        for Device { name, tags } in devices {
            data.tags.extend(tags.into_iter().map(|tag| DeviceTag {
                device: name.clone(),
                tag: tag.name,
                note: tag.note,
            }));
        }
        Ok(())
    }

    async fn check(&self, health: &mut HealthCheck) {
        look::at_file(&self.path, health);
    }
}
