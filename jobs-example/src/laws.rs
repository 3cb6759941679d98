//! Every target here keeps the laws, on real databases and files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cell::Cell;
use std::future::Future;
use std::path::PathBuf;

use diffsync::prelude::*;
use diffsync::sql::Sql;
use diffsync::testkit::Laws;
use tempfile::TempDir;

use crate::countries::{Country, Region, World};
use crate::device_tags::{DeviceTag, DeviceTags};
use crate::ipam::{AddressPlan, IpamB, Prefix};

/// A folder of new files.
struct Folder {
    folder: TempDir,
    files: Cell<u32>,
}

impl Folder {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), files: Cell::new(0) }
    }

    fn file(&self) -> PathBuf {
        self.files.set(self.files.get() + 1);
        self.folder.path().join(self.files.get().to_string())
    }

    fn inventory(&self) -> Url {
        Url::parse(&format!("sqlite://{}", self.file().display())).unwrap()
    }
}

fn block_on<R>(work: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The numbers below `below` that a seed picks.
fn picked(seed: u64, below: u64) -> impl Iterator<Item = u64> {
    (0..below).filter(move |number| (number * 7 + seed * 3) % 5 > 1)
}

fn world(seed: u64) -> World {
    let mut world = World { regions: Table::default(), countries: Table::default() };
    let regions: Vec<u64> = picked(seed, 5).collect();
    for region in &regions {
        let (slug, name) = (format!("r{region}"), format!("Region {}", seed / (region + 1)));
        world.regions.insert(Region { slug, name, id: None });
    }
    for country in picked(seed + 1, 8) {
        world.countries.insert(Country {
            slug: format!("c{country}"),
            region: format!("r{}", regions[usize::try_from(country + seed).unwrap() % regions.len()]),
            name: format!("Country {}", seed % (country + 1)),
            subregion: String::new(),
            population: i64::try_from(seed * country).unwrap(),
            area: 1,
            id: None,
        });
    }
    world
}

fn tags(seed: u64) -> DeviceTags {
    let tag = |number| DeviceTag {
        device: format!("d{}", number % 3),
        tag: format!("t{number}"),
        note: format!("{}", seed % (number + 1)),
    };
    DeviceTags { tags: picked(seed, 9).map(tag).collect() }
}

fn prefixes(seed: u64) -> AddressPlan {
    let prefix = |number| Prefix {
        network: format!("10.{number}.0.0/16").parse().unwrap(),
        vrf: (number % 2 == 0).then(|| "blue".into()),
        vlan_id: u16::try_from(number + seed).ok().filter(|vlan| vlan % 3 > 0),
        tenant: seed.is_multiple_of(number + 1).then(|| "acme".into()),
        row: None,
    };
    AddressPlan { prefixes: picked(seed, 9).map(prefix).collect() }
}

#[test]
fn the_inventory_of_countries_keeps_them() {
    let folder = Folder::new();
    let system = || async { Ok(Sql::<World>::open(&folder.inventory())?.create_tables()) };
    block_on(Laws::new(system, world).seeds(4).failing_calls(5).check()).unwrap();
}

#[test]
fn the_inventory_of_tags_keeps_them() {
    let folder = Folder::new();
    let system = || async { Ok(Sql::<DeviceTags>::open(&folder.inventory())?.create_tables()) };
    block_on(Laws::new(system, tags).seeds(4).failing_calls(5).check()).unwrap();
}

#[test]
fn the_address_plan_keeps_them() {
    let folder = Folder::new();
    let system = || async {
        let path = folder.file();
        std::fs::write(&path, "[]")?;
        Ok(IpamB { path })
    };
    block_on(Laws::new(system, prefixes).seeds(4).failing_calls(5).check()).unwrap();
}
