//! Plan A: networks as CIDR, VLANs by name.

use std::path::PathBuf;

use diffsync::adapter::HealthCheck;
use diffsync::prelude::*;
use ipnet::IpNet;
use serde::Deserialize;

use super::{AddressPlan, Prefix, PrefixId};
use crate::look;
use crate::yaml;

/// The file.
pub(crate) struct IpamA {
    pub(crate) path: PathBuf,
}

#[derive(Deserialize)]
struct Row {
    cidr: IpNet,
    vrf: Option<String>,
    vlan: Option<String>,
    customer_id: Option<String>,
}

impl Adapter for IpamA {
    type Data = AddressPlan;

    async fn load(&self, data: &mut AddressPlan, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        for Row { cidr, vrf, vlan, customer_id } in yaml::read::<Vec<Row>>(&self.path)? {
            let vlan_id = vlan.as_deref().map(vlan_id).transpose();
            match vlan_id {
                Ok(vlan_id) => {
                    data.prefixes.insert(Prefix { network: cidr, vrf, vlan_id, tenant: customer_id, row: None });
                }
                Err(reason) => data.prefixes.reject(PrefixId::new(cidr), reason),
            }
        }
        Ok(())
    }

    async fn check(&self, health: &mut HealthCheck) {
        look::at_file(&self.path, health);
    }
}

/// `VLAN10` is number 10.
fn vlan_id(name: &str) -> Result<u16, String> {
    let number = name.strip_prefix("VLAN").and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("`vlan` is {name:?}, which is not `VLAN` and a number"))
}
