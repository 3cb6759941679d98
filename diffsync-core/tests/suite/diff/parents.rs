//! Parents that several fields name, or that may be absent.

use diffsync_core::{Dataset, Plan, SyncModel, Table};

use crate::world::counted;

/// A device in a rack.
#[derive(SyncModel)]
struct Device {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

/// A port of a device, which can be put into another.
#[derive(SyncModel)]
#[sync(parent(Device, site = site, name = device))]
struct Port {
    #[sync(id)]
    serial: u32,
    site: String,
    device: Option<String>,
}

/// A lane of a port.
#[derive(SyncModel)]
struct Lane {
    #[sync(id, parent = Port)]
    port: u32,
    #[sync(id)]
    number: u8,
}

#[derive(Dataset, Default)]
struct Rack {
    devices: Table<Device>,
    ports: Table<Port>,
    lanes: Table<Lane>,
}

fn rack(ports: &[(u32, &str, Option<&str>)]) -> Rack {
    let device = |(site, name): (&str, &str)| Device { site: site.into(), name: name.into() };
    let port = |&(serial, site, device): &(u32, &str, Option<&str>)| Port {
        serial,
        site: site.into(),
        device: device.map(Into::into),
    };
    let mut rack = Rack::default();
    rack.devices.extend([("ams", "sw1"), ("ams", "sw2"), ("ber", "sw1")].map(device));
    rack.ports.extend(ports.iter().map(port));
    rack.lanes.extend(ports.iter().map(|port| Lane { port: port.0, number: 1 }));
    rack
}

#[test]
fn a_parent_may_be_named_by_several_fields() {
    let source = rack(&[(1, "ams", Some("sw1")), (2, "ber", Some("sw1")), (3, "ams", None)]);
    let target = rack(&[(1, "ams", Some("sw1")), (2, "ams", Some("sw1"))]);
    let plan = Plan::new(source, target);
    assert!(plan.problems().is_empty(), "{:?}", plan.problems());
    assert_eq!(
        plan.tree().to_string(),
        "+ port 3\n  + lane 3__1\ndevice ber__sw1\n  ~ port 2\n      site: \"ams\" -> \"ber\"\n"
    );
    let plan = Plan::new(rack(&[(1, "ber", Some("sw2"))]), rack(&[]));
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["source: port \"1\" is under device \"ber__sw2\", which does not exist"]);
    assert_eq!(counted(plan.diff().summary().total), "3 same, 2 rejected");
}

/// A shelf, which may stand in another of its site.
#[derive(SyncModel)]
#[sync(parent(Self, site = site, name = within))]
struct Shelf {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
    within: Option<String>,
}

/// A box, which may stand on a shelf.
#[derive(SyncModel)]
struct Box {
    #[sync(id)]
    number: u32,
    #[sync(parent = Shelf)]
    shelf: Option<ShelfId>,
}

#[derive(Dataset, Default)]
struct Store {
    boxes: Table<Box>,
    shelves: Table<Shelf>,
}

#[test]
fn a_parent_may_be_named_by_its_identifier_and_be_absent() {
    let store = |boxes: &[(u32, Option<(&str, &str)>)]| {
        let shelf = |name: &str, within: Option<&str>| Shelf {
            site: "ams".into(),
            name: name.into(),
            within: within.map(Into::into),
        };
        let mut store = Store::default();
        store.shelves.extend([shelf("b", Some("a")), shelf("a", None)]);
        store.boxes.extend(
            boxes
                .iter()
                .map(|&(number, shelf)| Box { number, shelf: shelf.map(|(site, name)| ShelfId::new(site, name)) }),
        );
        store
    };
    let plan = Plan::new(
        store(&[(1, Some(("ams", "b"))), (2, None), (3, Some(("ber", "b"))), (4, Some(("ams", "a")))]),
        store(&[(1, None), (2, Some(("ams", "a"))), (4, Some(("ams", "a")))]),
    );
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [r#"source: box "3" is under shelf "ber__b", which does not exist"#]);
    let on = |name: &str| format!(r#"{{"name":"{name}","site":"ams"}}"#);
    assert_eq!(
        plan.tree().to_string(),
        format!(
            "shelf ams__a\n  shelf ams__b\n    ~ box 1\n        shelf: null -> {}\n~ box 2\n    shelf: {} -> null\n",
            on("b"),
            on("a")
        )
    );
}
