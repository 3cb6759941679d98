//! An API keeps the laws of targets.

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::{Bulk, Rest};
use diffsync_core::testkit::Laws;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, SyncModel, Table};

use super::fake::{Fake, dialect};

/// A place in a tree of places, known by the names from the root down.
#[derive(SyncModel, RestModel, Clone, Debug)]
#[rest(path = "locations")]
pub(super) struct Location {
    #[sync(id)]
    #[rest(field = "parent*/name")]
    pub(super) path: String,
    #[sync(parent = Self)]
    #[rest(lookup = "parent -> locations(parent*/name)")]
    pub(super) parent: Option<String>,
    #[rest(blank, optional)]
    pub(super) note: Option<String>,
    #[sync(local)]
    #[rest(key)]
    pub(super) id: Option<u64>,
}

#[derive(SyncModel, RestModel, Clone, Debug)]
#[rest(
    path = "devices",
    lookup("device_type -> device-types(manufacturer -> manufacturers(name), model)", manufacturer, model)
)]
pub(super) struct Device {
    #[sync(id)]
    pub(super) name: String,
    #[sync(references = Location)]
    #[rest(lookup = "location -> locations(parent*/name)", optional)]
    pub(super) location: Option<String>,
    #[rest(optional)]
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    #[rest(choice)]
    pub(super) status: String,
    #[rest(lookup = "tags -> tags(name)", optional)]
    #[sync(compare = unordered)]
    pub(super) tags: Vec<String>,
    #[rest(field = "custom_fields.external_id", optional)]
    pub(super) external: Option<u64>,
    #[sync(references(Address, deferred))]
    #[rest(lookup = "primary -> addresses(address)", optional)]
    pub(super) primary: Option<String>,
    #[sync(local)]
    #[rest(key, field = "id")]
    pub(super) remote: Option<u64>,
}

#[derive(SyncModel, RestModel, Clone, Debug)]
#[allow(clippy::struct_field_names, reason = "it is called so in the API")]
#[rest(path = "addresses")]
pub(super) struct Address {
    #[sync(id)]
    pub(super) address: String,
    #[sync(parent = Device)]
    #[rest(lookup = "device -> devices(name)")]
    pub(super) device: String,
    #[rest(write_only)]
    #[sync(create_only)]
    pub(super) password: Option<Secret<String>>,
    #[sync(local)]
    #[rest(key)]
    pub(super) id: Option<u64>,
}

#[derive(Dataset, Default)]
pub(super) struct Inventory {
    pub(super) locations: Table<Location>,
    pub(super) devices: Table<Device>,
    pub(super) addresses: Table<Address>,
}

/// The numbers below `below` that a seed picks.
fn picked(seed: u64, below: u64) -> impl Iterator<Item = u64> {
    (0..below).filter(move |number| (number * 7 + seed * 3) % 5 > 1)
}

pub(super) fn inventory(seed: u64) -> Inventory {
    let mut all = Inventory::default();
    all.locations.mark_loaded();
    all.devices.mark_loaded();
    all.addresses.mark_loaded();
    let mut paths: Vec<String> = Vec::new();
    for number in picked(seed, 9) {
        let parent = paths.get(usize::try_from(number / 2).unwrap()).cloned();
        let name = format!("L{}", number % 3 + 3 * u64::from(parent.is_none()) * number);
        let path = parent.as_ref().map_or_else(|| name.clone(), |parent| format!("{parent} → {name}"));
        if paths.contains(&path) {
            continue;
        }
        paths.push(path.clone());
        let note = (seed + number).is_multiple_of(2).then(|| format!("note {}", seed / (number + 1)));
        all.locations.insert(Location { path, parent, note, id: None });
    }
    for number in picked(seed + 1, 12) {
        let at = usize::try_from(number + seed).unwrap();
        let typed = !(number + seed).is_multiple_of(4);
        let name = format!("d{number}");
        let primary = (number % 3 > 0).then(|| format!("10.0.0.{number}"));
        all.devices.insert(Device {
            name: name.clone(),
            location: paths.get(at % (paths.len() + 1)).cloned(),
            manufacturer: typed.then(|| ["Cisco", "Arista"][at % 2].to_owned()),
            model: typed.then(|| ["M1", "M2"][at / 2 % 2].to_owned()),
            status: ["active", "planned"][at % 2].to_owned(),
            tags: ["red", "blue"].into_iter().take(at % 3).map(str::to_owned).collect(),
            external: (number + seed).is_multiple_of(3).then_some(seed),
            primary: primary.clone(),
            remote: None,
        });
        if let Some(address) = primary {
            all.addresses.insert(Address {
                address,
                device: name,
                password: Some(Secret::new("hunter2".into())),
                id: None,
            });
        }
    }
    all
}

async fn keeps_the_laws(is_terse: bool, bulk: Bulk) {
    let fake = Fake::start().await;
    let system = || async {
        let (name, client) = fake.system();
        fake.with(&name, |system| system.is_terse = is_terse);
        let mut dialect = dialect();
        dialect.bulk = bulk;
        Ok(Rest::<Inventory>::new(client, dialect))
    };
    Laws::new(system, inventory).seeds(2).failing_calls(3).check().await.unwrap();
}

#[tokio::test]
async fn an_api_that_takes_one_record_at_a_time_keeps_the_laws() {
    keeps_the_laws(false, Bulk::default()).await;
}

#[tokio::test]
async fn an_api_that_answers_with_a_key_or_nothing_keeps_the_laws() {
    keeps_the_laws(true, Bulk { create: true, size: 3, ..Bulk::default() }).await;
}

#[tokio::test]
async fn an_api_that_takes_lists_keeps_the_laws() {
    keeps_the_laws(false, Bulk::all(4)).await;
}
