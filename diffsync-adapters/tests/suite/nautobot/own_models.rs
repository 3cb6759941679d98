//! Models of one's own.

use std::sync::Arc;
use std::time::Duration;

use diffsync_adapters::RestModel;
use diffsync_adapters::nautobot::Nautobot;
use diffsync_core::adapter::{AdapterError, HealthCheck, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::job::{JobContext, JobError, JobSpec};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::testkit::Laws;
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, Job, Run, SyncModel, Table, job};
use serde_json::json;

use super::fake::{Fake, State, TOKEN};
use super::{Handed, adapter, failures, inventory, run};

/// A VLAN, whose group and status are no models of the data set.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "ipam/vlans")]
struct Vlan {
    #[sync(id)]
    vid: u16,
    #[sync(id)]
    #[rest(lookup = "vlan_group -> ipam/vlan-groups(name)")]
    group: Option<String>,
    name: String,
    #[rest(lookup = "status -> extras/statuses(name)")]
    status: String,
    #[rest(field = "custom_fields.cost_centre")]
    cost_centre: Option<u32>,
    #[sync(local)]
    #[rest(key)]
    id: Option<String>,
}

#[derive(Dataset, Default)]
struct Vlans {
    vlans: Table<Vlan>,
}

fn vlans(seed: u64) -> Vlans {
    let numbers = (1..30).filter(|number| (number * 7 + seed * 3) % 5 > 1);
    let vlan = |number: u64| Vlan {
        vid: u16::try_from(number).unwrap(),
        group: (!number.is_multiple_of(3)).then(|| ["red", "blue"][usize::try_from(number).unwrap() % 2].into()),
        // A name is unique within a group.
        name: format!("v{number}-{}", seed / number),
        status: ["Active", "Reserved"][usize::try_from(seed + number).unwrap() % 2].into(),
        cost_centre: (number + seed).is_multiple_of(2).then_some(7),
        id: None,
    };
    Vlans { vlans: numbers.map(vlan).collect() }
}

#[tokio::test]
async fn models_of_ones_own_keep_the_laws() {
    let fakes = std::sync::Mutex::new(Vec::new());
    let system = || async {
        let mut state = State::new();
        state.insert("ipam/vlan-groups", json!({"name": "red"}));
        state.insert("ipam/vlan-groups", json!({"name": "blue"}));
        let cost_centre =
            json!({"key": "cost_centre", "label": "Cost centre", "type": "integer", "content_types": ["ipam.vlan"]});
        state.insert("extras/custom-fields", cost_centre);
        let fake = Fake::with(state, true).await;
        let token = diffsync_core::value::Secret::new(TOKEN.to_owned());
        let nautobot: Nautobot<Vlans> = Nautobot::open(&fake.url(), &token).unwrap();
        fakes.lock().unwrap().push(fake);
        Ok(nautobot)
    };
    Box::pin(Laws::new(system, vlans).seeds(2).failing_calls(3).check()).await.unwrap();
}

/// A group of VLANs, of which it is not known what goes along with it.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "ipam/vlan-groups")]
struct Group {
    #[sync(id)]
    name: String,
    #[sync(local)]
    #[rest(key)]
    id: Option<String>,
}

#[derive(Dataset, Default)]
struct Groups {
    groups: Table<Group>,
}

/// Writes groups to a Nautobot.
#[job(source = Nautobot<Groups>, target = Nautobot<Groups>, max_deletes = "100%")]
struct GroupsToNautobot {
    source: Url,
    target: Url,
    may_go: bool,
}

impl Job for GroupsToNautobot {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nautobot<Groups>, JobError> {
        Ok(Nautobot::open(&self.source, &Fake::token())?)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Nautobot<Groups>, JobError> {
        let target = Nautobot::open(&self.target, &Fake::token())?;
        Ok(if self.may_go { target.allow_cascade("ipam/vlan-groups") } else { target })
    }
}

#[tokio::test]
async fn a_record_is_not_deleted_where_it_is_not_known_what_goes_along() {
    for may_go in [false, true] {
        let system = |names: &[&str]| {
            let mut state = State::new();
            for name in names {
                state.insert("ipam/vlan-groups", json!({"name": name}));
            }
            Fake::with(state, true)
        };
        let (empty, fake) = (system(&["kept"]).await, system(&["kept", "old"]).await);
        let job = GroupsToNautobot { source: empty.url(), target: fake.url(), may_go };
        let options = RunOptions::new(&GroupsToNautobot::INFO).apply();
        let report = Box::pin(Run::execute(Arc::new(job), options, Vec::new())).await;
        assert_eq!(report.counts.deleted, usize::from(may_go), "{:?}", report.error_text());
        assert_eq!(report.counts.failed, usize::from(!may_go), "{:?}", report.error_text());
    }
}

#[tokio::test]
async fn a_check_says_which_records_are_not_deleted() {
    let mut state = State::new();
    state.insert("ipam/vlan-groups", json!({"name": "red"}));
    let fake = Fake::with(state, true).await;
    for may_go in [false, true] {
        let target: Nautobot<Groups> = Nautobot::open(&fake.url(), &Fake::token()).unwrap();
        let target = if may_go { target.allow_cascade("ipam/vlan-groups") } else { target };

        let mut health = HealthCheck::new(Side::Target);
        target.check(&mut health).await;

        let finding = health.findings().iter().find(|finding| finding.what == "deletes");
        assert_eq!(finding.is_some(), !may_go, "{health:?}");
        assert!(finding.is_none_or(|finding| finding.passed && finding.detail.contains("`ipam/vlan-groups`")));
    }
}

/// Writes VLANs to a Nautobot.
#[job(source = GivenVlans, target = Nautobot<Vlans>, max_deletes = "100%")]
struct VlansToNautobot {
    vlans: Handed<Vlans>,
    nautobot: Url,
}

struct GivenVlans(Handed<Vlans>);

impl Adapter for GivenVlans {
    type Data = Vlans;

    async fn load(&self, data: &mut Vlans, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = self.0.take();
        Ok(())
    }
}

opens!(
    VlansToNautobot: GivenVlans = |job| GivenVlans(Handed::new(job.vlans.take())),
    Nautobot<Vlans> = |job| Nautobot::open(&job.nautobot, &Fake::token())?
);

fn vlan(vid: u16, name: &str) -> Vlan {
    let (group, status) = (Some("red".into()), "Active".into());
    Vlan { vid, group, name: name.into(), status, cost_centre: None, id: None }
}

async fn write_vlans(vlans: &[Vlan], fake: &Fake) -> RunReport {
    let vlans = Handed::new(Vlans { vlans: vlans.iter().cloned().collect() });
    let job = VlansToNautobot { vlans, nautobot: fake.url() };
    let mut options = RunOptions::new(&VlansToNautobot::INFO).apply();
    options.retry.first_pause = Duration::from_millis(2);
    Box::pin(Run::execute(Arc::new(job), options, Vec::new())).await
}

/// Adds a group with these VLANs.
fn add_vlans(fake: &Fake, vlans: &[(u16, &str)]) {
    let mut state = fake.state();
    state.insert("ipam/vlan-groups", json!({"name": "red"}));
    let cost_centre =
        json!({"key": "cost_centre", "label": "Cost centre", "type": "integer", "content_types": ["ipam.vlan"]});
    state.insert("extras/custom-fields", cost_centre);
    for (vid, name) in vlans {
        state.insert("ipam/vlans", json!({"vid": vid, "name": name, "vlan_group": "red", "status": "Active"}));
    }
}

fn vids(fake: &Fake) -> Vec<u64> {
    let mut vids: Vec<u64> = fake.state().of("ipam/vlans").iter().map(|row| row["vid"].as_u64().unwrap()).collect();
    vids.sort_unstable();
    vids
}

#[tokio::test]
async fn a_vlan_in_use_is_not_deleted() {
    let fake = Fake::new().await;
    assert_eq!(Box::pin(run(inventory(), adapter(&fake))).await.status, Status::Completed);
    add_vlans(&fake, &[(1, "kept"), (10, "access"), (20, "trunk"), (21, "trunk too"), (30, "net"), (40, "free")]);
    {
        let mut state = fake.state();
        let id = |vid: u16| state.of("ipam/vlans").iter().find(|row| row["vid"] == vid).unwrap()["id"].clone();
        let (access, trunk, net) = (id(10), json!([id(20), id(21)]), id(30));
        let port = &mut state.rows.get_mut("dcim/interfaces").unwrap()[0];
        port.insert("untagged_vlan".into(), access);
        port.insert("tagged_vlans".into(), trunk);
        state.rows.get_mut("ipam/prefixes").unwrap()[0].insert("vlan".into(), net);
    }

    let report = write_vlans(&[vlan(1, "kept")], &fake).await;
    let failed = failures(&report);
    assert_eq!((report.status, report.counts.deleted, failed.len()), (Status::Partial, 1, 4), "{failed:?}");
    for (vid, said) in [
        (10, "empty `untagged_vlan` of \"Loopback0\""),
        (20, "remove it from `tagged_vlans` of \"Loopback0\""),
        (21, "remove it from `tagged_vlans` of \"Loopback0\""),
        // The server protects it by itself.
        (30, "dependent objects were found"),
    ] {
        let of_vlan = failed.iter().find(|text| text.starts_with(&format!("vlan {vid}__red"))).unwrap();
        assert!(of_vlan.contains(said), "{of_vlan}");
    }
    assert_eq!(vids(&fake), [1, 10, 20, 21, 30]);
}

#[tokio::test]
async fn the_vlan_that_has_a_new_ones_name_is_not_deleted() {
    let fake = Fake::new().await;
    add_vlans(&fake, &[(10, "users"), (20, "voice"), (30, "spare")]);
    let report = write_vlans(&[vlan(11, "users")], &fake).await;
    let failed = failures(&report);
    let of_new = failed.iter().find(|text| text.starts_with("vlan 11__red failed")).unwrap();
    assert!(of_new.contains("must make a unique set") && of_new.contains("10__red"), "{of_new}");
    assert_eq!((report.counts.created, report.counts.deleted, vids(&fake)), (0, 2, vec![10]));
}

/// A device that is known by its serial number: its name and its tag may be those of others.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "dcim/devices")]
struct Chassis {
    #[sync(id)]
    serial: String,
    name: String,
    asset_tag: Option<String>,
    #[rest(lookup = "location -> dcim/locations(name)")]
    location: String,
    #[rest(lookup = "device_type -> dcim/device-types(model)")]
    device_type: String,
    #[rest(lookup = "role -> extras/roles(name)")]
    role: String,
    #[rest(lookup = "status -> extras/statuses(name)")]
    status: String,
    #[sync(local)]
    #[rest(key)]
    id: Option<String>,
}

#[derive(Dataset, Default)]
struct Stock {
    chassis: Table<Chassis>,
}

/// Writes devices to a Nautobot.
#[job(source = GivenStock, target = Nautobot<Stock>, max_deletes = "100%")]
struct StockToNautobot {
    stock: Handed<Stock>,
    nautobot: Url,
}

struct GivenStock(Handed<Stock>);

impl Adapter for GivenStock {
    type Data = Stock;

    async fn load(&self, data: &mut Stock, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = self.0.take();
        Ok(())
    }
}

opens!(
    StockToNautobot: GivenStock = |job| GivenStock(Handed::new(job.stock.take())),
    Nautobot<Stock> = |job| Nautobot::open(&job.nautobot, &Fake::token())?
);

fn chassis(serial: &str, name: &str, tag: &str) -> Chassis {
    Chassis {
        serial: serial.into(),
        name: name.into(),
        asset_tag: Some(tag.into()),
        location: "AMS01".into(),
        device_type: "X1".into(),
        role: "access".into(),
        status: "Active".into(),
        id: None,
    }
}

async fn write_stock(all: &[Chassis], fake: &Fake) -> RunReport {
    let stock = Handed::new(Stock { chassis: all.iter().cloned().collect() });
    let job = StockToNautobot { stock, nautobot: fake.url() };
    let mut options = RunOptions::new(&StockToNautobot::INFO).apply();
    options.retry.first_pause = Duration::from_millis(2);
    Box::pin(Run::execute(Arc::new(job), options, Vec::new())).await
}

#[tokio::test]
async fn both_devices_that_have_values_of_a_new_one_stay_with_them() {
    let fake = Fake::new().await;
    let mut world = inventory();
    world.devices = std::iter::empty().collect();
    world.interfaces = std::iter::empty().collect();
    Box::pin(run(world, adapter(&fake))).await;
    let before = [chassis("S1", "one", "T1"), chassis("S2", "two", "T2"), chassis("S3", "three", "T3")];
    assert_eq!(write_stock(&before, &fake).await.status, Status::Completed);

    // It has the name of the first, which every server has to refuse, and the tag of the second.
    let report = write_stock(&[chassis("S9", "one", "T2")], &fake).await;
    let failed = failures(&report);
    let of_new = failed.iter().find(|text| text.starts_with("chassis S9 failed")).unwrap();
    assert!(of_new.contains("already exists"), "{of_new}");
    for serial in ["S1", "S2"] {
        assert!(failed.iter().any(|text| text.starts_with(&format!("chassis {serial} held"))), "{serial}: {failed:?}");
    }
    let mut left: Vec<_> =
        fake.state().of("dcim/devices").iter().map(|row| (row["serial"].clone(), row["asset_tag"].clone())).collect();
    left.sort_by_key(|(serial, _)| serial.to_string());
    assert_eq!(left, [(json!("S1"), json!("T1")), (json!("S2"), json!("T2"))], "{failed:?}");
}
