//! Plan B: networks and prefix lengths apart, VLANs by number. It is written back as a whole when the run completes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use diffsync::adapter::{CompleteContext, HealthCheck};
use diffsync::prelude::*;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{AddressPlan, Prefix, PrefixPatch};
use crate::look;
use crate::yaml;

/// The file.
pub(crate) struct IpamB {
    pub(crate) path: PathBuf,
}

/// A row of the file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    network: String,
    prefix_length: u8,
    tenant: Option<String>,
    vlan_id: Option<u16>,
    vrf: Option<String>,
    /// Other keys are kept as they are.
    #[serde(flatten)]
    other: BTreeMap<String, serde_json::Value>,
}

impl Row {
    fn into_prefix(self) -> Result<Prefix, AdapterError> {
        let address: IpAddr = self
            .network
            .parse()
            .map_err(|error| AdapterError::context(format!("`network` is {:?}", self.network), error))?;
        let network = IpNet::new(address, self.prefix_length)
            .map_err(|error| AdapterError::context(format!("network {address}/{}", self.prefix_length), error))?;
        Ok(Prefix {
            network,
            vrf: self.vrf.clone(),
            vlan_id: self.vlan_id,
            tenant: self.tenant.clone(),
            row: Some(self),
        })
    }

    fn of(record: &Prefix) -> Self {
        let (vrf, vlan_id, tenant) = (record.vrf.clone(), record.vlan_id, record.tenant.clone());
        match record.row.clone() {
            Some(row) => Self { tenant, vlan_id, vrf, ..row },
            None => Self {
                network: record.network.addr().to_string(),
                prefix_length: record.network.prefix_len(),
                tenant,
                vlan_id,
                vrf,
                other: BTreeMap::new(),
            },
        }
    }
}

impl Adapter for IpamB {
    type Data = AddressPlan;

    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut AddressPlan, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.prefixes.mark_loaded();
        for row in yaml::read::<Vec<Row>>(&self.path)? {
            data.prefixes.insert(row.into_prefix()?);
        }
        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, AddressPlan>) -> Result<(), AdapterError> {
        let rows: Vec<Row> = synced.records::<Prefix>().map(Row::of).collect();
        yaml::replace(&self.path, &rows)
    }

    async fn check(&self, health: &mut HealthCheck) {
        look::at_file(&self.path, health);
    }
}

impl Target<Prefix> for IpamB {
    async fn create(&self, new: &Prefix, _: &WriteContext<'_, AddressPlan>) -> Result<Prefix, TargetError> {
        Ok(new.clone())
    }

    async fn update(
        &self,
        old: &Prefix,
        patch: &PrefixPatch,
        _: &WriteContext<'_, AddressPlan>,
    ) -> Result<Prefix, TargetError> {
        Ok(old.patched(patch))
    }

    async fn delete(&self, _: &Prefix, _: &WriteContext<'_, AddressPlan>) -> Result<(), TargetError> {
        Ok(())
    }
}
