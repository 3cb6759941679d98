//! The records that the tests sync.

use diffsync_core::plan::Counts;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, Plan, SyncModel, Table};

/// A geographic region.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Region {
    #[sync(id)]
    pub(crate) slug: String,
    pub(crate) name: String,
    #[sync(local)]
    pub(crate) remote_id: Option<usize>,
}

/// A country, which can move to another region.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Country {
    #[sync(id)]
    pub(crate) slug: String,
    #[sync(parent = Region)]
    pub(crate) region: String,
    pub(crate) population: Option<u64>,
    pub(crate) community: Secret<String>,
    #[sync(local)]
    pub(crate) remote_id: Option<usize>,
}

/// A city, which cannot move: its country is part of what identifies it.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct City {
    #[sync(id, parent = Country)]
    pub(crate) country: String,
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) motto: Option<String>,
}

/// A place, which may be within another.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Place {
    #[sync(id)]
    pub(crate) name: String,
    #[sync(parent = Self)]
    pub(crate) within: Option<String>,
    pub(crate) kind: String,
}

/// All that one side holds. Children stand before their parents, since the order of the tables must not matter.
#[derive(Dataset, Default)]
pub(crate) struct World {
    pub(crate) cities: Table<City>,
    pub(crate) countries: Table<Country>,
    pub(crate) regions: Table<Region>,
    pub(crate) places: Table<Place>,
}

/// The records of a [`World`] as lists: what a loader reads, and what a target stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Records {
    pub(crate) regions: Vec<Region>,
    pub(crate) countries: Vec<Country>,
    pub(crate) cities: Vec<City>,
    pub(crate) places: Vec<Place>,
}

pub(crate) fn region(slug: &str) -> Region {
    Region { slug: slug.into(), name: slug.to_uppercase(), remote_id: None }
}

pub(crate) fn country(slug: &str, region: &str) -> Country {
    Country {
        slug: slug.into(),
        region: region.into(),
        population: None,
        community: Secret::default(),
        remote_id: None,
    }
}

pub(crate) fn city(country: &str, name: &str) -> City {
    City { country: country.into(), name: name.into(), motto: None }
}

pub(crate) fn place(name: &str, within: Option<&str>) -> Place {
    Place { name: name.into(), within: within.map(Into::into), kind: "area".into() }
}

/// Records from one line for each: `europe`, `europe/france`, `europe/france/paris`, and places after a colon, as in
/// `:room`, or `floor:room` where one is within another.
pub(crate) fn records(lines: &[&str]) -> Records {
    let mut records = Records::default();
    for line in lines {
        match (line.split_once(':'), line.split('/').collect::<Vec<_>>().as_slice()) {
            (Some((within, name)), _) => records.places.push(place(name, Some(within).filter(|name| !name.is_empty()))),
            (None, [slug]) => records.regions.push(region(slug)),
            (None, [above, slug]) => records.countries.push(country(slug, above)),
            (None, [_, above, name]) => records.cities.push(city(above, name)),
            _ => panic!("{line:?} is no record"),
        }
    }
    records
}

impl Records {
    /// Fills the tables; all count as loaded.
    pub(crate) fn load(&self, world: &mut World) {
        world.regions.extend(self.regions.iter().cloned());
        world.countries.extend(self.countries.iter().cloned());
        world.cities.extend(self.cities.iter().cloned());
        world.places.extend(self.places.iter().cloned());
    }

    pub(crate) fn world(&self) -> World {
        let mut world = World::default();
        self.load(&mut world);
        world
    }
}

/// A loaded world with these [`records`].
pub(crate) fn world(lines: &[&str]) -> World {
    records(lines).world()
}

/// The diff between two worlds as people see it.
pub(crate) fn tree(source: World, target: World) -> String {
    Plan::new(source, target).tree().to_string()
}

/// How many records the diff counts as what, zeros left out.
pub(crate) fn counted(counts: Counts) -> String {
    let counts = [
        (counts.create, "create"),
        (counts.update, "update"),
        (counts.delete, "delete"),
        (counts.cascade, "cascade"),
        (counts.no_change, "same"),
        (counts.held, "held"),
        (counts.unsupported, "unsupported"),
        (counts.rejected, "rejected"),
        (counts.left_out, "left out"),
    ];
    let texts: Vec<_> = counts.iter().filter(|(count, _)| *count > 0).map(|(n, what)| format!("{n} {what}")).collect();
    texts.join(", ")
}
