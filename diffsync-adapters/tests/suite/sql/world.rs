//! The models of the tests.

use diffsync_adapters::SqlModel;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, SyncModel, Table};
use ipnet::IpNet;

/// With a key of the database's own, and an owner.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "sites", owner(column = "managed_by", value = "diffsync"))]
pub(crate) struct Site {
    #[sync(id)]
    pub(crate) name: String,
    #[sql(column = "descr")]
    pub(crate) description: Option<String>,
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

/// A record with a natural key that contains a foreign key.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "devices")]
pub(crate) struct Device {
    #[sync(id, parent = Site)]
    #[sql(lookup = "site_id -> sites(name)")]
    pub(crate) site: String,
    #[sync(id)]
    pub(crate) name: String,
    #[sql(as = json)]
    pub(crate) tags: Vec<String>,
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

/// Without a key: found by what identifies it, through a lookup in a lookup.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sync(parent(Device, site = site, name = device))]
#[sql(table = "interfaces", lookup("device_id -> devices(site_id -> sites(name), name)", site, device))]
pub(crate) struct Interface {
    #[sync(id)]
    pub(crate) site: String,
    #[sync(id)]
    pub(crate) device: String,
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) mtu: Option<u16>,
    #[sql(as = text)]
    pub(crate) address: Option<IpNet>,
    pub(crate) community: Secret<String>,
}

/// Under one of its own kind.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "locations")]
pub(crate) struct Location {
    #[sync(id)]
    pub(crate) slug: String,
    #[sync(parent = Self)]
    #[sql(lookup = "parent_id -> locations(slug)")]
    pub(crate) within: Option<String>,
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

#[derive(Dataset, Default)]
pub(crate) struct World {
    pub(crate) interfaces: Table<Interface>,
    pub(crate) devices: Table<Device>,
    pub(crate) sites: Table<Site>,
    pub(crate) locations: Table<Location>,
}

/// One table with nothing special.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "vlans")]
pub(crate) struct Vlan {
    #[sync(id)]
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) note: Option<String>,
}

#[derive(Dataset, Default)]
pub(crate) struct Vlans {
    pub(crate) vlans: Table<Vlan>,
}

pub(crate) fn vlan(number: u32) -> Vlan {
    Vlan { number, name: format!("vlan {number}"), note: number.is_multiple_of(3).then(|| format!("note of {number}")) }
}

pub(crate) fn vlans(numbers: impl IntoIterator<Item = u32>) -> Vlans {
    Vlans { vlans: numbers.into_iter().map(vlan).collect() }
}

pub(crate) fn site(name: &str) -> Site {
    Site { name: name.into(), description: None, id: None }
}

pub(crate) fn device(site: &str, name: &str) -> Device {
    Device { site: site.into(), name: name.into(), tags: vec!["a".into(), "b \"c\"".into()], id: None }
}

pub(crate) fn interface(site: &str, device: &str, name: &str) -> Interface {
    Interface {
        site: site.into(),
        device: device.into(),
        name: name.into(),
        enabled: true,
        mtu: Some(1500),
        address: "10.0.0.1/24".parse().ok(),
        community: Secret::new("hunter2".into()),
    }
}

/// The numbers below `below` that a seed picks.
fn picked(seed: u64, below: u64) -> impl Iterator<Item = u64> {
    (0..below).filter(move |number| (number * 7 + seed * 3) % 5 > 1)
}

/// A world from a seed.
pub(crate) fn world(seed: u64) -> World {
    let mut world = World::default();
    world.interfaces.mark_loaded();
    world.devices.mark_loaded();
    world.sites.mark_loaded();
    world.locations.mark_loaded();
    let sites: Vec<u64> = picked(seed, 4).collect();
    for number in &sites {
        let description = (!seed.is_multiple_of(number + 2)).then(|| format!("site no. {}", seed % (number + 3)));
        world.sites.insert(Site { description, ..site(&format!("s{number}")) });
    }
    for number in picked(seed + 1, 6) {
        let site = format!("s{}", sites[usize::try_from(number).unwrap() % sites.len()]);
        let name = format!("d{number}");
        let tags = (0..seed % 3).map(|tag| format!("t{tag}")).collect();
        world.devices.insert(Device { tags, ..device(&site, &name) });
        for port in picked(seed + number, 3) {
            let mtu = (port != 1).then(|| u16::try_from(1000 + seed).unwrap());
            let address = (port != 2).then(|| format!("10.{number}.{port}.{seed}/24").parse().unwrap());
            let enabled = seed.is_multiple_of(port + 2);
            let community = Secret::new(format!("secret {}", seed % 2));
            world.interfaces.insert(Interface {
                enabled,
                mtu,
                address,
                community,
                ..interface(&site, &name, &format!("eth{port}"))
            });
        }
    }
    for number in picked(seed, 8) {
        let within = if number == 0 {
            None
        } else {
            Some((number + seed) % number).filter(|up| picked(seed, 8).any(|other| other == *up))
        };
        let within = within.map(|up| format!("l{up}"));
        world.locations.insert(Location { slug: format!("l{number}"), within, id: None });
    }
    world
}
