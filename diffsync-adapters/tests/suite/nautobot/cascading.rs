//! What a Nautobot would delete or empty along with a record.

use std::sync::Arc;

use diffsync_adapters::RestModel;
use diffsync_adapters::nautobot::{CustomFields, DeviceType, Interface, Nautobot, Platform, Tenant, TenantGroup};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::job::JobSpec;
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, Run, SyncModel, Table, job};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::fake::Fake;
use super::{Handed, adapter, failures, interface, inventory, loaded, location, retries, run};

/// A subinterface.
fn subinterface(of: &Interface, number: u32) -> Interface {
    let mut new = interface(&of.device, &format!("{}.{number}", of.name));
    new.kind = "virtual".into();
    (new.parent_device, new.parent_interface) = (Some(of.device.clone()), Some(of.name.clone()));
    new
}

fn id_of(fake: &Fake, path: &str, name: &str) -> String {
    let state = fake.state();
    let row =
        state.of(path).iter().find(|row| ["name", "address"].iter().any(|field| row.get(*field) == Some(&json!(name))));
    row.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Puts the address on the interface, as people do in the target, and makes it the device's primary one.
fn assign(fake: &Fake, address: &str, to: &str) {
    let (address, interface) = (id_of(fake, "ipam/ip-addresses", address), id_of(fake, "dcim/interfaces", to));
    let mut state = fake.state();
    state.insert("ipam/ip-address-to-interface", json!({"ip_address": address, "interface": interface}));
    state.rows.get_mut("dcim/devices").unwrap()[0].insert("primary_ip4".into(), json!(address));
}

#[tokio::test]
async fn subinterfaces_lags_and_bridges_are_written_and_read_back() {
    let fake = Fake::new().await;
    let wanted = || {
        let mut wanted = inventory();
        let port = interface("core-01", "e0");
        let (mut lag, mut member, mut bridge) =
            (interface("core-01", "ae0"), interface("core-01", "e1"), interface("core-01", "br0"));
        (lag.kind, bridge.kind) = ("lag".into(), "virtual".into());
        (member.lag_device, member.lag) = (Some("core-01".into()), Some("ae0".into()));
        (lag.bridge_device, lag.bridge) = (Some("core-01".into()), Some("br0".into()));
        // Before what it names, as a source may give it.
        wanted.interfaces.extend([member, subinterface(&port, 10), lag, bridge, port]);
        wanted
    };
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.counts.created, report.counts.updated, report.counts.deleted), (0, 0, 0));
    let held = loaded(&adapter(&fake)).await.unwrap();
    let lag_of = |name: &str| held.interfaces.iter().find(|of| of.name == name).unwrap().lag.clone();
    assert_eq!((lag_of("e1").as_deref(), lag_of("e0").as_deref()), (Some("ae0"), None));
}

#[tokio::test]
async fn a_renamed_interface_keeps_its_subinterfaces() {
    let fake = Fake::new().await;
    let named = |name: &str| {
        let (mut wanted, port) = (inventory(), interface("core-01", name));
        let mut below = subinterface(&port, 10);
        below.name = "vlan10".into();
        wanted.interfaces.extend([port, below]);
        wanted
    };
    run(named("e0"), adapter(&fake)).await;
    let before = id_of(&fake, "dcim/interfaces", "vlan10");
    let report = run(named("xe-0/0/0"), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    assert_eq!((report.counts.created, report.counts.updated, report.counts.deleted), (1, 1, 1));
    assert_eq!(id_of(&fake, "dcim/interfaces", "vlan10"), before);
}

#[tokio::test]
async fn an_interface_whose_address_the_plan_keeps_is_not_deleted() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    assign(&fake, "10.0.0.1/24", "Loopback0");
    let renamed = || {
        let mut wanted = inventory();
        wanted.interfaces = [interface("core-01", "lo0")].into_iter().collect();
        wanted
    };
    let report = run(renamed(), adapter(&fake)).await;
    let failed = failures(&report);
    assert_eq!((report.status, report.counts.deleted, failed.len()), (Status::Partial, 0, 1), "{failed:?}");
    for part in ["core-01__Loopback0 failed", "Nautobot would delete", "ip-address-to-interface", "allow_cascade"] {
        assert!(failed[0].contains(part), "{failed:?}");
    }
    assert_eq!(fake.state().of("ipam/ip-address-to-interface").len(), 1);
    assert!(fake.state().of("dcim/devices")[0]["primary_ip4"].is_string());

    // Where that is wanted, it is said.
    let report = run(renamed(), adapter(&fake).allow_cascade("ipam/ip-address-to-interface")).await;
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 1));
    assert!(fake.state().of("dcim/devices")[0]["primary_ip4"].is_null());
}

#[tokio::test]
async fn what_the_plan_deletes_too_is_no_loss() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    assign(&fake, "10.0.0.1/24", "Loopback0");
    let mut wanted = inventory();
    wanted.interfaces = std::iter::empty().collect();
    wanted.devices = std::iter::empty().collect();
    wanted.ip_addresses = std::iter::empty().collect();
    let report = run(wanted, adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    assert!(fake.state().of("dcim/devices").is_empty() && fake.state().of("ipam/ip-addresses").is_empty());
}

#[tokio::test]
async fn a_record_is_not_deleted_where_what_hangs_on_it_cannot_be_seen() {
    const LINKS: &str = "ipam/ip-address-to-interface";
    for said in [json!({"interface": ["Unknown filter field"]}), json!({"detail": "the query is malformed"})] {
        let fake = Fake::new().await;
        run(inventory(), adapter(&fake)).await;
        let without = || {
            let mut wanted = inventory();
            wanted.interfaces = std::iter::empty().collect();
            wanted
        };
        fake.answers("GET", LINKS, 100, ResponseTemplate::new(400).set_body_json(&said));
        let report = run(without(), adapter(&fake)).await;
        let failed = failures(&report);
        assert_eq!((report.counts.deleted, failed.is_empty()), (0, false), "{failed:?}");
        assert!(failed.iter().all(|text| text.contains("cannot be seen") && text.contains(LINKS)), "{failed:?}");

        // Where that is allowed, it need not be seen.
        let report = run(without(), adapter(&fake).allow_cascade(LINKS)).await;
        assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    }
}

/// A data set without a part of what the server cascades to.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "dcim/interfaces")]
struct Port {
    #[sync(id)]
    #[rest(lookup = "device -> dcim/devices(name)")]
    device: String,
    #[sync(id)]
    name: String,
    #[rest(field = "type", choice)]
    kind: String,
    #[rest(lookup = "status -> extras/statuses(name)")]
    status: String,
    #[sync(local)]
    #[rest(key)]
    id: Option<String>,
}

#[derive(Dataset, Default)]
struct Ports {
    ports: Table<Port>,
}

/// Writes ports to a Nautobot.
#[job(source = GivenPorts, target = Nautobot<Ports>, max_deletes = "100%")]
struct PortsToNautobot {
    ports: Handed<Ports>,
    nautobot: Handed<Nautobot<Ports>>,
}

struct GivenPorts(Handed<Ports>);

impl Adapter for GivenPorts {
    type Data = Ports;

    async fn load(&self, data: &mut Ports, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = self.0.take();
        Ok(())
    }
}

opens!(
    PortsToNautobot: GivenPorts = |job| GivenPorts(Handed::new(job.ports.take())),
    Nautobot<Ports> = |job| job.nautobot.take()
);

fn port(name: &str, kind: &str) -> Port {
    Port { device: "core-01".into(), name: name.into(), kind: kind.into(), status: "Active".into(), id: None }
}

async fn write(ports: &[Port], fake: &Fake) -> RunReport {
    let nautobot = Nautobot::<Ports>::client_builder(&fake.url(), &Fake::token()).retry_policy(retries());
    let nautobot = Handed::new(Nautobot::new(nautobot.build().unwrap()));
    let job = PortsToNautobot { ports: Handed::new(Ports { ports: ports.iter().cloned().collect() }), nautobot };
    Box::pin(Run::execute(Arc::new(job), RunOptions::new(&PortsToNautobot::INFO).apply(), Vec::new())).await
}

#[tokio::test]
async fn links_that_a_data_set_does_not_hold_keep_a_record_from_being_deleted() {
    let fake = Fake::new().await;
    let mut all = inventory();
    let (mut lag, mut member, port_of) =
        (interface("core-01", "ae0"), interface("core-01", "e1"), interface("core-01", "e0"));
    lag.kind = "lag".into();
    (member.lag_device, member.lag) = (Some("core-01".into()), Some("ae0".into()));
    all.interfaces.extend([subinterface(&port_of, 10), lag, member, port_of]);
    run(all, adapter(&fake)).await;
    // It knows of no parents and no LAGs. The port and the LAG go, what hangs on them stays.
    let kept = [port("Loopback0", "10gbase-x-sfpp"), port("e0.10", "virtual"), port("e1", "10gbase-x-sfpp")];
    let report = write(&kept, &fake).await;
    let failed = failures(&report);
    assert_eq!((report.status, report.counts.deleted, failed.len()), (Status::Partial, 0, 2), "{failed:?}");
    assert!(failed[0].contains("ae0 failed") && failed[0].contains("empty `lag` of \"e1\""), "{failed:?}");
    assert!(failed[1].contains("e0 failed") && failed[1].contains("delete \"e0.10\""), "{failed:?}");
    assert_eq!(fake.state().of("dcim/interfaces").len(), 5);

    // With what hangs on it, a port goes.
    let report = write(&[kept[0].clone(), port("ae0", "lag"), kept[2].clone()], &fake).await;
    assert_eq!((report.status, report.counts.deleted, failures(&report)), (Status::Completed, 2, Vec::new()));
}

/// Something that people have attached to the records of the target.
fn attach(fake: &Fake, path: &str, row: serde_json::Value) {
    fake.state().insert(path, row);
}

/// The inventory without its device.
fn without_device() -> diffsync_adapters::nautobot::Inventory {
    let mut wanted = inventory();
    wanted.interfaces = std::iter::empty().collect();
    wanted.devices = std::iter::empty().collect();
    wanted
}

#[tokio::test]
async fn what_is_attached_to_a_record_keeps_it() {
    type Row = fn(&str, &str) -> serde_json::Value;
    let attachments: [(&str, Row); 5] = [
        (
            "extras/relationship-associations",
            |device, other| json!({"relationship": "feeds", "source_id": device, "destination_id": other}),
        ),
        (
            "extras/relationship-associations",
            |device, other| json!({"relationship": "feeds", "source_id": other, "destination_id": device}),
        ),
        ("extras/image-attachments", |device, _| json!({"name": "front", "object_id": device})),
        ("extras/contact-associations", |device, _| json!({"contact": "Ada", "associated_object_id": device})),
        (
            "extras/static-group-associations",
            |device, _| json!({"dynamic_group": "core", "associated_object_id": device}),
        ),
    ];
    for (path, row) in attachments {
        let fake = Fake::new().await;
        run(inventory(), adapter(&fake)).await;
        let (device, other) = (id_of(&fake, "dcim/devices", "core-01"), id_of(&fake, "dcim/locations", "Europe"));
        attach(&fake, path, row(&device, &other));

        let report = run(without_device(), adapter(&fake)).await;
        let failed = failures(&report);
        let of_device = failed.iter().find(|text| text.starts_with("device core-01 failed")).unwrap();
        assert!(of_device.contains("Nautobot would delete") && of_device.contains(path), "{of_device}");
        assert_eq!(fake.state().of("dcim/devices").len(), 1);
        assert_eq!(fake.state().of(path).len(), 1);

        let report = run(without_device(), adapter(&fake).allow_cascade(path)).await;
        assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
        assert!(fake.state().of("dcim/devices").is_empty() && fake.state().of(path).is_empty());
    }
}

#[tokio::test]
async fn what_is_attached_to_an_interface_keeps_its_device_too() {
    const GROUPS: &str = "extras/static-group-associations";
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    let interface = id_of(&fake, "dcim/interfaces", "Loopback0");
    attach(&fake, GROUPS, json!({"dynamic_group": "uplinks", "associated_object_id": interface}));
    let report = run(without_device(), adapter(&fake)).await;
    let failed = failures(&report);
    assert!(failed.iter().any(|text| text.starts_with("interface ") && text.contains(GROUPS)), "{failed:?}");
    assert_eq!((report.counts.deleted, fake.state().of("dcim/devices").len()), (0, 1));
}

#[tokio::test]
async fn a_relationship_both_ends_of_which_the_plan_deletes_and_a_note_of_a_job_are_no_loss() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    let (device, interface) = (id_of(&fake, "dcim/devices", "core-01"), id_of(&fake, "dcim/interfaces", "Loopback0"));
    let between = json!({"relationship": "feeds", "source_id": device, "destination_id": interface});
    attach(&fake, "extras/relationship-associations", between);
    // It says which job wrote the record.
    attach(&fake, "extras/object-metadata", json!({"metadata_type": "synced from", "assigned_object_id": device}));
    let report = run(without_device(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    assert!(fake.state().of("extras/object-metadata").is_empty());
}

#[tokio::test]
async fn a_record_that_a_config_context_applies_to_is_not_deleted() {
    const CONTEXTS: &str = "extras/config-contexts";
    let fake = Fake::new().await;
    let with_more = || {
        let mut wanted = inventory();
        wanted.locations.insert(location(&["Europe", "OLD"]));
        let custom_fields = CustomFields::default;
        let (name, description, comments) = (|| "Old".to_owned(), String::new, String::new);
        wanted.tenant_groups.insert(TenantGroup {
            name: name(),
            parent: None,
            description: description(),
            custom_fields: custom_fields(),
            id: None,
        });
        wanted.tenants.insert(Tenant {
            name: name(),
            tenant_group: None,
            description: description(),
            comments: comments(),
            tags: Vec::new(),
            custom_fields: custom_fields(),
            id: None,
        });
        wanted.platforms.insert(Platform {
            name: name(),
            manufacturer: None,
            network_driver: String::new(),
            napalm_driver: String::new(),
            description: description(),
            custom_fields: custom_fields(),
            id: None,
        });
        let known = wanted.device_types.iter().next().unwrap().clone();
        wanted.device_types.insert(DeviceType { model: name(), ..known });
        wanted
    };
    run(with_more(), adapter(&fake)).await;
    let model_of = |fake: &Fake| {
        let state = fake.state();
        state.of("dcim/device-types").iter().find(|row| row["model"] == "Old").unwrap()["id"].clone()
    };
    let context = json!({
        "name": "NTP of the old site",
        "locations": [id_of(&fake, "dcim/locations", "OLD")],
        "tenant_groups": [id_of(&fake, "tenancy/tenant-groups", "Old")],
        "tenants": [id_of(&fake, "tenancy/tenants", "Old")],
        "platforms": [id_of(&fake, "dcim/platforms", "Old")],
        "device_types": [model_of(&fake)],
    });
    attach(&fake, CONTEXTS, context);

    let report = run(inventory(), adapter(&fake)).await;
    let failed = failures(&report);
    assert_eq!((report.counts.deleted, failed.len()), (0, 5), "{failed:?}");
    for list in ["locations", "tenant_groups", "tenants", "platforms", "device_types"] {
        let said = format!("Nautobot would remove it from `{list}` of \"NTP of the old site\"");
        assert!(failed.iter().any(|text| text.contains(&said) && text.contains("allow_cascade")), "{list}: {failed:?}");
    }

    let report = run(inventory(), adapter(&fake).allow_cascade(CONTEXTS)).await;
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 5));
    assert_eq!(fake.state().of(CONTEXTS)[0]["locations"], json!([]));
}

#[tokio::test]
async fn an_address_of_a_service_is_not_deleted() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    let (device, address) = (id_of(&fake, "dcim/devices", "core-01"), id_of(&fake, "ipam/ip-addresses", "10.0.0.1/24"));
    attach(&fake, "ipam/services", json!({"name": "ssh", "device": device, "ip_addresses": [address]}));
    attach(&fake, "ipam/services", json!({"name": "ntp", "device": device, "ip_addresses": []}));
    let mut wanted = inventory();
    wanted.ip_addresses = std::iter::empty().collect();
    let report = run(wanted, adapter(&fake)).await;
    let failed = failures(&report);
    assert_eq!((report.counts.deleted, failed.len()), (0, 1), "{failed:?}");
    assert!(failed[0].contains("remove it from `ip_addresses` of \"ssh\"") && !failed[0].contains("ntp"), "{failed:?}");
}
