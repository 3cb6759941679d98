//! The two data sets that random trees are poured into: one whose records are identified by where they are, and one
//! whose records have names of their own and can move.
//!
//! Their fields are of all the kinds that the peer has a type for: texts, whole and floating-point numbers, booleans,
//! lists, optional values and free JSON.

use diffsync_core::{Dataset, SyncModel, Table};
use serde_json::Value;

use super::memory::{CompleteContext, synced};
use super::tree::{self, Tree};

/// A data set that a tree can be poured into.
pub(super) trait Shape: CompleteContext {
    /// Whether two devices of different sites can have the same name.
    const NAMED_BY_PLACE: bool;

    fn of(tree: &Tree) -> Self;
}

#[derive(SyncModel, Clone)]
pub(super) struct Site {
    #[sync(id)]
    name: String,
    description: String,
    asn: Option<i64>,
    latitude: f64,
}

fn sites(tree: &Tree) -> impl Iterator<Item = Site> {
    tree.sites.iter().map(|site| {
        let tree::Site { name, description, asn, latitude, .. } = site.clone();
        Site { name, description, asn, latitude }
    })
}

/// Records identified by where they are.
pub(super) mod placed {
    use super::*;

    /// Nothing but identifiers: it is there or it is not.
    #[derive(SyncModel, Clone)]
    struct Vlan {
        #[sync(id, parent = Site)]
        site: String,
        #[sync(id)]
        number: i64,
    }

    #[derive(SyncModel, Clone)]
    struct Device {
        #[sync(id, parent = Site)]
        site: String,
        #[sync(id)]
        name: String,
        serial: Option<String>,
        height: i64,
        weight: Option<f64>,
        managed: bool,
        roles: Vec<String>,
        custom: Value,
    }

    #[derive(SyncModel, Clone)]
    #[sync(parent(Device, site = site, name = device))]
    struct Interface {
        #[sync(id)]
        site: String,
        #[sync(id)]
        device: String,
        #[sync(id)]
        name: String,
        enabled: bool,
        mtu: Option<i64>,
        speed: u64,
        addresses: Vec<String>,
    }

    /// The children stand before their parents, so that this order is seen not to matter.
    #[derive(Dataset, Default)]
    pub(in crate::conformance) struct Placed {
        interfaces: Table<Interface>,
        devices: Table<Device>,
        vlans: Table<Vlan>,
        sites: Table<Site>,
    }

    synced!(pub(in crate::conformance) SyncPlaced: Placed { interfaces, devices, vlans, sites });

    impl Shape for Placed {
        const NAMED_BY_PLACE: bool = true;

        fn of(tree: &Tree) -> Self {
            let vlans = tree.vlans.iter().map(|vlan| Vlan { site: tree.site_name(vlan.site), number: vlan.number });
            let devices = tree.devices.iter().map(|device| {
                let site = tree.site_name(device.site);
                let tree::Device { name, serial, height, weight, managed, roles, custom, .. } = device.clone();
                Device { site, name, serial, height, weight, managed, roles, custom }
            });
            let interfaces = tree.interfaces.iter().map(|interface| {
                let device = tree.device(interface.device);
                let (site, device) = (tree.site_name(device.site), device.name.clone());
                let tree::Interface { name, enabled, mtu, speed, addresses, .. } = interface.clone();
                Interface { site, device, name, enabled, mtu, speed, addresses }
            });
            Self {
                interfaces: interfaces.collect(),
                devices: devices.collect(),
                vlans: vlans.collect(),
                sites: sites(tree).collect(),
            }
        }
    }
}

/// Records with names of their own, whose parent is an attribute.
pub(super) mod named {
    use super::*;

    #[derive(SyncModel, Clone)]
    struct Device {
        #[sync(id)]
        name: String,
        #[sync(parent = Site)]
        site: String,
        serial: Option<String>,
        height: i64,
        weight: Option<f64>,
        managed: bool,
        roles: Vec<String>,
        custom: Value,
    }

    #[derive(SyncModel, Clone)]
    struct Interface {
        #[sync(id)]
        name: String,
        #[sync(parent = Device)]
        device: String,
        enabled: bool,
        mtu: Option<i64>,
        speed: u64,
        addresses: Vec<String>,
    }

    #[derive(Dataset, Default)]
    pub(in crate::conformance) struct Named {
        sites: Table<Site>,
        devices: Table<Device>,
        interfaces: Table<Interface>,
    }

    synced!(pub(in crate::conformance) SyncNamed: Named { sites, devices, interfaces });

    impl Shape for Named {
        const NAMED_BY_PLACE: bool = false;

        fn of(tree: &Tree) -> Self {
            let devices = tree.devices.iter().map(|device| {
                let site = tree.site_name(device.site);
                let tree::Device { name, serial, height, weight, managed, roles, custom, .. } = device.clone();
                Device { name, site, serial, height, weight, managed, roles, custom }
            });
            let interfaces = tree.interfaces.iter().map(|interface| {
                let device = tree.device(interface.device).name.clone();
                let tree::Interface { name, enabled, mtu, speed, addresses, .. } = interface.clone();
                Interface { name, device, enabled, mtu, speed, addresses }
            });
            Self { sites: sites(tree).collect(), devices: devices.collect(), interfaces: interfaces.collect() }
        }
    }
}
