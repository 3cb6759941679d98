//! Records that are stamped with their owner, and those of others.

use diffsync_adapters::nautobot::{Inventory, Nautobot, Owner};
use diffsync_core::{Adapter, LoadContext, Side, Status};
use serde_json::json;

use super::fake::Fake;
use super::{adapter, device, failures, inventory, run};

fn with_owner(owner: &Owner) -> Inventory {
    let mut inventory = inventory();
    owner.add_to(&mut inventory);
    inventory
}

async fn only_own_records_are_deleted(owner: Owner) -> Fake {
    let fake = Fake::new().await;
    let ours = || -> Nautobot<Inventory> { adapter(&fake).owner(&owner) };
    // Theirs is there before, without a stamp; what it needs is ours.
    let mut without_devices = with_owner(&owner);
    without_devices.devices = std::iter::empty().collect();
    without_devices.interfaces = std::iter::empty().collect();
    let report = run(without_devices, ours()).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    let theirs = json!({"name": "theirs", "location": "AMS01", "device_type": {"model": "X1"}, "role": "access", "status": "Active"});
    fake.state().insert("dcim/devices", theirs);
    let mut more = with_owner(&owner);
    more.devices.insert(device("core-02"));
    assert_eq!(failures(&run(more, ours()).await), [""; 0]);
    // Now core-02 is gone from the source, and theirs never was there.
    let report = run(with_owner(&owner), ours()).await;
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 1));
    let names: Vec<_> = fake.state().of("dcim/devices").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["theirs", "core-01"]);
    let report = run(with_owner(&owner), ours()).await;
    assert_eq!((report.counts.updated, report.counts.created, report.counts.deleted), (0, 0, 0));
    fake
}

#[tokio::test]
async fn a_custom_field_marks_what_is_ours() {
    let fake = only_own_records_are_deleted(Owner::custom_field("managed_by", "diffsync")).await;
    let state = fake.state();
    let device = state.of("dcim/devices").iter().find(|row| row["name"] == "core-01").unwrap();
    assert_eq!(device["_custom_field_data"]["managed_by"], "diffsync");
    assert_eq!(device["_custom_field_data"]["external_id"], "core-01");
    assert_eq!(state.of("dcim/manufacturers")[0]["_custom_field_data"]["managed_by"], "diffsync");
}

#[tokio::test]
async fn a_tag_marks_what_is_ours() {
    let fake = only_own_records_are_deleted(Owner::tag("diffsync")).await;
    let state = fake.state();
    let device = state.of("dcim/devices").iter().find(|row| row["name"] == "core-01").unwrap();
    assert_eq!(device["tags"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_carry_the_stamp_is_left() {
    let fake = Fake::new().await;
    let owner = Owner::tag("diffsync");
    run(with_owner(&owner), adapter(&fake).owner(&owner)).await;
    let mut wanted = with_owner(&owner);
    wanted.devices = std::iter::empty().collect();
    wanted.interfaces = std::iter::empty().collect();
    wanted.device_types = std::iter::empty().collect();
    wanted.manufacturers = std::iter::empty().collect();
    let report = run(wanted, adapter(&fake).owner(&owner)).await;
    assert_eq!(report.status, Status::Completed);
    // A manufacturer has no tags.
    assert_eq!(fake.state().of("dcim/manufacturers").len(), 1);
    assert_eq!(fake.state().of("dcim/device-types").len(), 0);
}

#[tokio::test]
async fn an_owned_source_brings_what_the_owner_needs() {
    let fake = Fake::new().await;
    let source = Owner::custom_field("managed_by", "diffsync").owns(adapter(&fake));
    let mut data = Inventory::default();
    source.load(&mut data, &LoadContext::alone(Side::Source)).await.unwrap();
    let field = data.custom_fields.get("managed_by").unwrap();
    assert_eq!((field.label.as_str(), field.kind.as_str()), ("Managed by", "text"));
    assert!(field.content_types.contains(&"dcim.device".to_owned()));
    assert!(!field.content_types.contains(&"extras.customfield".to_owned()));
    // The server knows of no such thing yet.
    assert_eq!(fake.state().of("extras/custom-fields").len(), 0);
}

#[tokio::test]
async fn the_stamp_of_another_owner_is_not_copied() {
    let (there, here) = (Fake::new().await, Fake::new().await);
    let theirs = Owner::custom_field("managed_by", "theirs");
    run(with_owner(&theirs), adapter(&there).owner(&theirs)).await;
    let ours = Owner::custom_field("managed_by", "ours");
    let bring = async || {
        let mut source = Inventory::default();
        let context = LoadContext::alone(Side::Source);
        ours.owns(adapter(&there)).load(&mut source, &context).await.unwrap();
        assert_eq!(source.devices.get("core-01").unwrap().custom_fields.get("external_id"), Some(&json!("core-01")));
        let report = run(source, adapter(&here).owner(&ours)).await;
        assert_eq!((report.status, report.problems().len()), (Status::Completed, 0), "{:?}", report.problems());
        report.counts
    };
    let stamp = |fake: &Fake| fake.state().of("dcim/devices")[0]["_custom_field_data"]["managed_by"].clone();
    assert!(bring().await.created > 10);
    assert_eq!((stamp(&there), stamp(&here)), (json!("theirs"), json!("ours")));
    assert_eq!(bring().await.updated, 0);
    // Nobody's there, and somebody else's here: it becomes ours when there is something to write.
    let set = |fake: &Fake, value: serde_json::Value| {
        let mut state = fake.state();
        let device = &mut state.rows.get_mut("dcim/devices").unwrap()[0];
        device["_custom_field_data"]["managed_by"] = value;
    };
    set(&there, json!(null));
    set(&here, json!("somebody"));
    assert_eq!(bring().await.updated, 0);
    there.state().rows.get_mut("dcim/devices").unwrap()[0].insert("serial".into(), json!("FX1"));
    assert_eq!((bring().await.updated, stamp(&here)), (1, json!("ours")));
}
