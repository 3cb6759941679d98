//! Two address plans of different shape, reconciled in place: a flat list.

mod plan_a;
mod plan_b;

use std::path::PathBuf;

use diffsync::prelude::*;
use ipnet::IpNet;

use self::plan_a::IpamA;
pub(crate) use self::plan_b::IpamB;

/// A network and who uses it.
#[derive(SyncModel, Clone)]
pub(crate) struct Prefix {
    #[sync(id)]
    pub(crate) network: IpNet,
    pub(crate) vrf: Option<String>,
    pub(crate) vlan_id: Option<u16>,
    pub(crate) tenant: Option<String>,
    /// How plan B spells it, so that what is not synced is written back as it was.
    #[sync(local)]
    pub(crate) row: Option<plan_b::Row>,
}

/// What both plans hold.
#[derive(Dataset, Default)]
pub(crate) struct AddressPlan {
    pub(crate) prefixes: Table<Prefix>,
}

/// Brings address plan B in line with plan A. Both are YAML files, of different shape.
#[job(source = IpamA, target = IpamB, name = "IPAM A to IPAM B", source_label = "IPAM A", target_label = "IPAM B")]
struct IpamAToIpamB {
    /// Plan A: a list with `cidr`, `vrf`, `vlan` and `customer_id`.
    #[var(default = "jobs-example/data/ipam_a.yml")]
    source: PathBuf,
    /// Plan B: a list with `network`, `prefix_length`, `vrf`, `vlan_id` and `tenant`. It is written back in place.
    #[var(default = "jobs-example/data/ipam_b.yml")]
    target: PathBuf,
}

impl Job for IpamAToIpamB {
    async fn source_adapter(&self, _: &JobContext) -> Result<IpamA, JobError> {
        Ok(IpamA { path: self.source.clone() })
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<IpamB, JobError> {
        Ok(IpamB { path: self.target.clone() })
    }
}
