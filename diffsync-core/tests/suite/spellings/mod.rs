//! Identifiers that differ in case or space: links compare as the identifiers that they name, new records are written as
//! the target spells what they name, and what may be one record is not deleted.

mod held;
mod links;
mod random;
mod store;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::data::HasTable;
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::model::Operation;
use diffsync_core::plan::OutcomeKind;
use diffsync_core::plan_file::{DriftPolicy, Filter};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, Plan, SyncModel, Table, Target, job};
use proptest::prelude::*;

use self::store::{SyncDns, SyncPlants, lab, name_server};
use crate::fake_target::{locked, run_job, unguarded};
use crate::plan_file::{apply_plan, drift, inverse, key, saved};

/// A site, whatever the case of its name.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
struct Site {
    #[sync(id, compare = ignore_case)]
    slug: String,
    label: Option<String>,
}

/// A user of sites, whose name is written in one way only.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
struct Tenant {
    #[sync(id)]
    name: String,
}

/// A rack, whose identifier names its site.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
struct Rack {
    #[sync(id, parent = Site)]
    site: String,
    #[sync(id)]
    number: u16,
}

/// A place in a rack, whose identifier is that of the rack and more.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
#[sync(parent(Rack, site = place, number = rack))]
struct Slot {
    #[sync(id)]
    place: String,
    #[sync(id)]
    rack: u16,
    #[sync(id)]
    height: u8,
}

/// A device, which names others in every way.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq)]
#[sync(
    references(Slot, place = slot_place, rack = slot_rack, height = slot),
    references(Rack, site = site, number = reaches)
)]
struct Dev {
    #[sync(id, compare = ignore_case)]
    name: String,
    #[sync(parent = Site)]
    site: String,
    #[sync(references = Site, compare = unordered)]
    mirrors: Option<Vec<String>>,
    #[sync(references = Site, compare = contains)]
    seen_from: Vec<String>,
    #[sync(references = Site)]
    near: HashSet<String>,
    #[sync(references = Site)]
    route: Vec<SiteId>,
    #[sync(references = Site, compare = blank_is_none)]
    backup: Option<String>,
    /// The site of one name and the tenant of the same.
    #[sync(references = Site, references = Tenant)]
    owner: Option<String>,
    slot_place: Option<String>,
    slot_rack: Option<u16>,
    slot: Option<u8>,
    reaches: BTreeSet<u16>,
    #[sync(references = Self)]
    stands_on: Option<String>,
    #[sync(references(Self, deferred))]
    peers: Vec<String>,
    #[sync(references(Rack, deferred))]
    home: Option<RackId>,
}

/// A note on a rack, named by the rack's identifier.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq)]
struct Note {
    #[sync(id, parent = Rack)]
    on: RackId,
    text: String,
}

#[derive(Dataset, Default)]
struct Plant {
    notes: Table<Note>,
    devs: Table<Dev>,
    slots: Table<Slot>,
    racks: Table<Rack>,
    sites: Table<Site>,
    tenants: Table<Tenant>,
}

impl Plant {
    fn new() -> Self {
        let mut plant = Self::default();
        plant.notes.mark_loaded();
        plant.devs.mark_loaded();
        plant.slots.mark_loaded();
        plant.racks.mark_loaded();
        plant.sites.mark_loaded();
        plant.tenants.mark_loaded();
        plant
    }

    fn site(mut self, slug: &str) -> Self {
        self.sites.insert(site(slug));
        self
    }

    fn with<M: SyncModel>(mut self, record: M) -> Self
    where
        Self: HasTable<M>,
    {
        self.table_mut().insert(record);
        self
    }

    fn copy(&self) -> Self {
        let mut copy = Self::new();
        copy.notes.extend(self.notes.iter().cloned());
        copy.devs.extend(self.devs.iter().cloned());
        copy.slots.extend(self.slots.iter().cloned());
        copy.racks.extend(self.racks.iter().cloned());
        copy.sites.extend(self.sites.iter().cloned());
        copy.tenants.extend(self.tenants.iter().cloned());
        copy
    }
}

fn site(slug: &str) -> Site {
    Site { slug: slug.into(), label: None }
}

fn rack(site: &str, number: u16) -> Rack {
    Rack { site: site.into(), number }
}

fn slot(place: &str, rack: u16, height: u8) -> Slot {
    Slot { place: place.into(), rack, height }
}

fn dev(name: &str, site: &str) -> Dev {
    Dev {
        name: name.into(),
        site: site.into(),
        mirrors: None,
        seen_from: Vec::new(),
        near: HashSet::new(),
        route: Vec::new(),
        backup: None,
        owner: None,
        slot_place: None,
        slot_rack: None,
        slot: None,
        reaches: BTreeSet::new(),
        stands_on: None,
        peers: Vec::new(),
        home: None,
    }
}

/// A device that names all there is in every way.
fn full_dev(name: &str, ams: &str, ber: &str) -> Dev {
    let texts = |names: [&str; 2]| names.map(str::to_owned);
    Dev {
        mirrors: Some(texts([ams, ber]).into()),
        seen_from: texts([ams, ber]).into(),
        near: texts([ams, ber]).into(),
        route: texts([ber, ams]).map(SiteId::new).into(),
        backup: Some(ber.into()),
        slot_place: Some(ams.into()),
        slot_rack: Some(1),
        slot: Some(7),
        reaches: [1, 2].into(),
        home: Some(RackId::new(ams, 2_u16)),
        ..dev(name, ams)
    }
}

/// Everything under two sites of these names.
fn plant(ams: &str, ber: &str, edge: &str, core: &str) -> Plant {
    let edge_dev = Dev { stands_on: Some(core.into()), peers: vec![core.into()], ..full_dev(edge, ams, ber) };
    Plant::new()
        .site(ams)
        .site(ber)
        .with(rack(ams, 1))
        .with(rack(ams, 2))
        .with(slot(ams, 1, 7))
        .with(Note { on: RackId::new(ams, 1_u16), text: "left".into() })
        .with(full_dev(core, ams, ber))
        .with(edge_dev)
}

fn diff(source: Plant, target: Plant) -> String {
    let plan = Plan::new(source, target);
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [""; 0]);
    plan.tree().to_string()
}

/// A zone of a name server, and a record in it: their names are compared by their letters.
#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Zone {
    #[sync(id)]
    name: String,
    #[sync(parent = Self)]
    within: Option<String>,
}

#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Entry {
    #[sync(id, parent = Zone)]
    zone: String,
    #[sync(id)]
    name: String,
    #[sync(id)]
    number: Option<u8>,
}

#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Alias {
    #[sync(id, compare = ignore_case)]
    name: String,
    #[sync(parent = Zone)]
    zone: String,
}

#[derive(Dataset, Default)]
struct Dns {
    aliases: Table<Alias>,
    entries: Table<Entry>,
    zones: Table<Zone>,
}

fn dns(zones: &[&str], entries: &[(&str, &str)], aliases: &[(&str, &str)]) -> Dns {
    let mut dns = Dns::default();
    let zone = |name: &&str| match name.split_once('>') {
        None => Zone { name: (*name).to_owned(), within: None },
        Some((within, name)) => Zone { name: name.to_owned(), within: Some(within.to_owned()) },
    };
    dns.zones.extend(zones.iter().map(zone));
    let entry =
        |(zone, name): &(&str, &str)| Entry { zone: (*zone).to_owned(), name: (*name).to_owned(), number: Some(1) };
    dns.entries.extend(entries.iter().map(entry));
    let alias = |(name, zone): &(&str, &str)| Alias { name: (*name).to_owned(), zone: (*zone).to_owned() };
    dns.aliases.extend(aliases.iter().map(alias));
    dns
}
