//! Nautobot: how it is read and written, on a fake one and on what a real one answered. A script runs the jobs on real
//! ones: see `tests/nautobot/run`.

mod cascading;
mod checking;
mod conflicting;
mod fake;
mod keeping;
mod laws;
mod own_models;
mod owning;
mod reading;
mod replaying;
#[cfg(all(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod tables;
mod writing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_adapters::nautobot::{
    CustomField, CustomFields, Device, DeviceType, Interface, Inventory, IpAddress, Location, LocationPath,
    LocationType, Manufacturer, Namespace, Nautobot, Prefix, PrefixLocation, Role, Status, Tag,
};
use diffsync_adapters::rest::RetryPolicy;
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::model::{Limit, Operation};
use diffsync_core::report::RunReport;
use diffsync_core::run::RunOptions;
use diffsync_core::schema::ModelSchema;
use diffsync_core::{Adapter, Dataset, Run, job};
use ipnet::IpNet;

use self::fake::Fake;

/// A small inventory: a site with a device, its loopback and its address.
fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    let types = ["dcim.device", "dcim.interface", "dcim.location", "ipam.ipaddress", "ipam.prefix", "ipam.vlan"];
    let types: Vec<String> = types.map(str::to_owned).to_vec();
    for (name, color) in [("Active", "4caf50"), ("Planned", "00bcd4"), ("Offline", "ffc107"), ("Reserved", "00bcd4")] {
        inventory.statuses.insert(Status {
            name: name.into(),
            color: color.into(),
            description: String::new(),
            content_types: types.clone(),
            id: None,
        });
    }
    let role = |name: &str, of: &str| Role {
        name: name.into(),
        color: "9e9e9e".into(),
        description: String::new(),
        weight: None,
        content_types: vec![of.into()],
        id: None,
    };
    inventory.roles.extend([role("access", "dcim.device"), role("Loopback", "ipam.ipaddress")]);
    inventory.tags.insert(Tag::new("lab", types.clone()));
    inventory.custom_fields.insert(CustomField::text("external_id", types));
    inventory.custom_field_choices.mark_loaded();
    inventory.tenant_groups.mark_loaded();
    inventory.tenants.mark_loaded();
    for (name, parent) in [("Region", None), ("Site", Some("Region"))] {
        inventory.location_types.insert(LocationType {
            name: name.into(),
            parent: parent.map(str::to_owned),
            description: String::new(),
            nestable: false,
            content_types: vec!["dcim.device".into()],
            custom_fields: CustomFields::default(),
            id: None,
        });
    }
    inventory.locations.extend([location(&["Europe"]), location(&["Europe", "AMS01"])]);
    inventory.manufacturers.insert(Manufacturer {
        name: "Acme".into(),
        description: String::new(),
        custom_fields: CustomFields::default(),
        id: None,
    });
    inventory.platforms.mark_loaded();
    inventory.device_types.insert(DeviceType {
        manufacturer: "Acme".into(),
        model: "X1".into(),
        part_number: String::new(),
        u_height: 1,
        is_full_depth: true,
        subdevice_role: None,
        comments: String::new(),
        tags: Vec::new(),
        custom_fields: CustomFields::default(),
        id: None,
    });
    inventory.devices.insert(device("core-01"));
    inventory.interfaces.insert(interface("core-01", "Loopback0"));
    inventory.namespaces.insert(Namespace {
        name: "Global".into(),
        description: "Default Global namespace. Created by Nautobot.".into(),
        tags: Vec::new(),
        custom_fields: CustomFields::default(),
        id: None,
    });
    inventory.prefixes.extend([prefix("10.0.0.0/8", "container"), prefix("10.0.0.0/24", "network")]);
    inventory.prefix_locations.insert(used_in("10.0.0.0/24", LocationPath::from(["Europe", "AMS01"])));
    inventory.ip_addresses.insert(address("10.0.0.1/24"));
    inventory
}

fn location(names: &[&str]) -> Location {
    let path: LocationPath = names.iter().copied().collect();
    Location {
        parent: path.parent(),
        path,
        location_type: if names.len() == 1 { "Region".into() } else { "Site".into() },
        status: "Active".into(),
        tenant: None,
        description: String::new(),
        facility: String::new(),
        asn: None,
        time_zone: Some("Europe/Amsterdam".into()),
        physical_address: String::new(),
        shipping_address: String::new(),
        latitude: None,
        longitude: None,
        contact_name: String::new(),
        contact_phone: String::new(),
        contact_email: String::new(),
        comments: String::new(),
        tags: Vec::new(),
        custom_fields: CustomFields::default(),
        id: None,
    }
}

fn device(name: &str) -> Device {
    Device {
        name: name.into(),
        location: LocationPath::from(["Europe", "AMS01"]),
        manufacturer: "Acme".into(),
        device_type: "X1".into(),
        role: "access".into(),
        status: "Active".into(),
        tenant: None,
        platform: None,
        serial: String::new(),
        asset_tag: None,
        comments: String::new(),
        tags: vec!["lab".into()],
        custom_fields: [("external_id", name)].into_iter().collect(),
        id: None,
    }
}

fn interface(device: &str, name: &str) -> Interface {
    Interface {
        device: device.into(),
        name: name.into(),
        label: String::new(),
        kind: "10gbase-x-sfpp".into(),
        status: "Active".into(),
        role: None,
        description: String::new(),
        enabled: true,
        parent_device: None,
        parent_interface: None,
        bridge_device: None,
        bridge: None,
        lag_device: None,
        lag: None,
        mac_address: None,
        mtu: Some(9000),
        mgmt_only: false,
        mode: Some("tagged-all".into()),
        tags: Vec::new(),
        custom_fields: CustomFields::default(),
        id: None,
    }
}

fn prefix(prefix: &str, kind: &str) -> Prefix {
    Prefix {
        namespace: "Global".into(),
        prefix: prefix.parse().unwrap(),
        kind: kind.into(),
        status: "Active".into(),
        role: None,
        tenant: None,
        description: String::new(),
        tags: Vec::new(),
        custom_fields: CustomFields::default(),
        id: None,
    }
}

fn used_in(prefix: &str, location: LocationPath) -> PrefixLocation {
    PrefixLocation { namespace: "Global".into(), prefix: prefix.parse().unwrap(), location, id: None }
}

fn address(address: &str) -> IpAddress {
    let address: IpNet = address.parse().unwrap();
    IpAddress {
        namespace: "Global".into(),
        host: address.addr(),
        address,
        kind: "host".into(),
        status: "Active".into(),
        role: Some("Loopback".into()),
        tenant: None,
        dns_name: String::new(),
        description: String::new(),
        tags: Vec::new(),
        custom_fields: CustomFields::default(),
        id: None,
    }
}

fn retries() -> RetryPolicy {
    RetryPolicy { first_pause: Duration::from_millis(1), ..RetryPolicy::default() }
}

fn adapter(fake: &Fake) -> Nautobot<Inventory> {
    let client = Nautobot::<Inventory>::client_builder(&fake.url(), &Fake::token()).retry_policy(retries());
    Nautobot::new(client.build().unwrap())
}

async fn loaded(nautobot: &Nautobot<Inventory>) -> Result<Inventory, AdapterError> {
    let mut inventory = Inventory::default();
    nautobot.load(&mut inventory, &LoadContext::standalone(Side::Target)).await?;
    Ok(inventory)
}

/// Something that a test hands to a job.
struct Handed<T>(Mutex<Option<T>>);

impl<T> Handed<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    fn take(&self) -> T {
        self.0.lock().unwrap().take().unwrap()
    }
}

impl<T: Send + 'static> Variable for Handed<T>
where
    Self: Sync,
{
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// A source that is handed what it holds.
struct Given(Handed<Inventory>);

impl Adapter for Given {
    type Data = Inventory;

    async fn load(&self, data: &mut Inventory, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = self.0.take();
        Ok(())
    }
}

/// Writes an inventory to a Nautobot.
#[job(source = Given, target = Nautobot<Inventory>, max_deletes = "100%")]
struct ToNautobot {
    inventory: Handed<Inventory>,
    nautobot: Handed<Nautobot<Inventory>>,
}

opens!(
    ToNautobot: Given = |job| Given(Handed::new(job.inventory.take())),
    Nautobot<Inventory> = |job| job.nautobot.take()
);

async fn run(inventory: Inventory, nautobot: Nautobot<Inventory>) -> RunReport {
    Box::pin(run_with(inventory, nautobot, |options| options)).await
}

async fn run_with(
    inventory: Inventory,
    nautobot: Nautobot<Inventory>,
    set: impl FnOnce(RunOptions) -> RunOptions,
) -> RunReport {
    let job = ToNautobot { inventory: Handed::new(inventory), nautobot: Handed::new(nautobot) };
    let options = RunOptions::new(&ToNautobot::INFO).apply();
    let anything = |options: RunOptions, model: &&ModelSchema| {
        options.allow(model.name, Operation::Delete, Limit::Count(usize::MAX))
    };
    let mut options = Inventory::SCHEMAS.iter().fold(options, anything);
    options.retry.first_pause = Duration::from_millis(2);
    Box::pin(Run::execute(Arc::new(job), set(options), Vec::new())).await
}

/// What failed of a run, and why.
fn failures(report: &RunReport) -> Vec<String> {
    let mut all: Vec<String> = report
        .failures()
        .map(|failed| format!("{} {} {}: {}", failed.model, failed.record, failed.outcome, failed.reason))
        .collect();
    all.sort();
    all
}
