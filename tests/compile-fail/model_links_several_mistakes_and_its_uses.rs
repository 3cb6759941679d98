//! A model with several wrong keys is as many errors, whatever uses it.

use diffsync::{Dataset, ModelExt as _, Plan, SyncModel, Table};

#[derive(SyncModel, Clone)]
#[sync(flags(ignored), after(Self), max_deletes = "many", references(Self, slug = twin))]
struct Country {
    #[sync(id, when_some)]
    slug: String,
    #[sync(references(Self, deferred))]
    neighbour: String,
    twin: String,
    #[sync(compare = sorted, rename = "slug")]
    name: String,
}

// What uses the model adds no errors.
#[derive(Dataset, Default)]
struct World {
    countries: Table<Country>,
}

fn renamed(to: &str) -> CountryPatch {
    CountryPatch { name: Some(to.to_owned()), ..CountryPatch::default() }
}

fn plan(country: Country) -> Plan<World> {
    let mut world = World::default();
    world.countries.modify("france", |country| diffsync::model::SyncModel::apply(country, &renamed("France")));
    world.countries.insert(country.patched(&renamed("Frankreich")));
    Plan::new(world, World::default())
}

fn main() {}
