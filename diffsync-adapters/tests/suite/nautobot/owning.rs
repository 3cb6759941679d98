//! Records that are stamped with their owner, and those of others.

use std::sync::Arc;

use diffsync_adapters::nautobot::{self, Inventory, Nautobot, Owner};
use diffsync_core::Adapter;
use diffsync_core::adapter::LoadContext;
use diffsync_core::data::Side;
use diffsync_core::job::JobSpec;
use diffsync_core::plan_file::{ApplyRequest, DriftPolicy, PlanKey, PlanKind, SavedPlan, Signature};
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use serde_json::{Value, json};

use super::fake::Fake;
use super::{ToNautobot, adapter, device, failures, inventory, run, run_with};

fn with_owner(owner: &Owner) -> Inventory {
    let mut inventory = inventory();
    owner.add_to(&mut inventory);
    inventory
}

fn owners() -> [Owner; 2] {
    [Owner::custom_field("managed_by", "diffsync"), Owner::tag("diffsync")]
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
    let fake = Box::pin(only_own_records_are_deleted(Owner::custom_field("managed_by", "diffsync"))).await;
    let state = fake.state();
    let device = state.of("dcim/devices").iter().find(|row| row["name"] == "core-01").unwrap();
    assert_eq!(device["_custom_field_data"]["managed_by"], "diffsync");
    assert_eq!(device["_custom_field_data"]["external_id"], "core-01");
    assert_eq!(state.of("dcim/manufacturers")[0]["_custom_field_data"]["managed_by"], "diffsync");
}

#[tokio::test]
async fn a_tag_marks_what_is_ours() {
    let fake = Box::pin(only_own_records_are_deleted(Owner::tag("diffsync"))).await;
    let state = fake.state();
    let device = state.of("dcim/devices").iter().find(|row| row["name"] == "core-01").unwrap();
    assert_eq!(device["tags"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn all_that_is_created_carries_the_stamp_if_it_can() {
    // What is no record of its own, or says what others may carry.
    const CANNOT: [&str; 2] = ["extras/custom-fields", "ipam/prefix-location-assignments"];
    for owner in owners() {
        let fake = Fake::new().await;
        let id = |row: &serde_json::Map<String, Value>| row["id"].clone();
        let there: Vec<Value> = fake.state().rows.values().flatten().map(id).collect();
        let mut wanted = with_owner(&owner);
        let mut status = wanted.statuses.get("Active").unwrap().clone();
        status.name = "Staged".into();
        wanted.statuses.insert(status);
        let tenant = nautobot::Tenant {
            name: "Acme".into(),
            tenant_group: None,
            description: String::new(),
            comments: String::new(),
            tags: Vec::new(),
            custom_fields: nautobot::CustomFields::default(),
            id: None,
        };
        wanted.tenants.insert(tenant);
        let report = run(wanted, adapter(&fake).owner(&owner)).await;
        assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
        let state = fake.state();
        let by_tag = owner == Owner::tag("diffsync");
        let tag = state.of("extras/tags").iter().find(|row| row["name"] == "diffsync").map(id);
        let mut stamped = Vec::new();
        for (path, rows) in state.rows.iter().filter(|(path, _)| !CANNOT.contains(path)) {
            for row in rows.iter().filter(|row| !there.contains(&row["id"])) {
                let tags = row.get("tags").and_then(Value::as_array);
                if by_tag && tags.is_none() {
                    continue;
                }
                let listed = tags.is_some_and(|tags| tag.as_ref().is_some_and(|tag| tags.contains(tag)));
                assert!(listed || row["_custom_field_data"]["managed_by"] == "diffsync", "{path}: {row:?}");
                stamped.push(*path);
            }
        }
        let expected = if by_tag { 7 } else { 12 };
        stamped.dedup();
        assert_eq!(stamped.len(), expected, "{stamped:?}");
    }
}

#[tokio::test]
async fn a_dry_run_with_an_owner_writes_nothing_at_all() {
    for owner in owners() {
        let fake = Fake::new().await;
        let dry_run = |mut options: RunOptions| {
            options.dry_run = true;
            options
        };
        let report = run_with(with_owner(&owner), adapter(&fake).owner(&owner), dry_run).await;
        assert_eq!((report.status, report.counts.written()), (Status::Completed, 0));
        assert!(report.plan().unwrap().diff().operations() > 10);
        let reads = |asked: &String| asked.starts_with("GET ") || asked == "POST graphql/";
        assert_eq!(fake.asked().into_iter().filter(|asked| !reads(asked)).collect::<Vec<_>>(), [""; 0]);
    }
}

#[tokio::test]
async fn a_run_with_an_owner_is_taken_back() {
    let owner = Owner::custom_field("managed_by", "diffsync");
    let fake = Fake::new().await;
    let ours = || -> Nautobot<Inventory> { adapter(&fake).owner(&owner) };
    let key = PlanKey::new(&[7; 32]).unwrap();
    let sealing = |mut options: RunOptions| {
        options.undo = Some(key.clone());
        options
    };
    // What was changed is taken back as well as what was created.
    run(with_owner(&owner), ours()).await;
    let mut wanted = with_owner(&owner);
    wanted.devices.modify("core-01", |device| device.custom_fields.set("external_id", "another"));
    wanted.devices.insert(device("core-02"));
    let changing = run_with(wanted, ours(), sealing).await;
    assert_eq!((changing.counts.created, changing.counts.updated), (1, 1), "{:?}", failures(&changing));
    take_back(&changing, &key, ours()).await;
    {
        let state = fake.state();
        let [device] = state.of("dcim/devices") else { panic!("{:?}", state.of("dcim/devices")) };
        assert_eq!(device["_custom_field_data"]["external_id"], "core-01");
    }
    // All is gone but what is never deleted.
    let empty = Fake::new().await;
    let ours = || -> Nautobot<Inventory> { adapter(&empty).owner(&owner) };
    let filling = run_with(with_owner(&owner), ours(), sealing).await;
    assert_eq!((filling.status, failures(&filling)), (Status::Completed, Vec::new()));
    take_back(&filling, &key, ours()).await;
    let state = empty.state();
    let left = state.rows.iter().filter(|(path, rows)| !rows.is_empty() && !path.starts_with("extras/"));
    assert_eq!(left.map(|(path, rows)| (*path, rows.len())).collect::<Vec<_>>(), [("ipam/namespaces", 1)]);
}

/// Carries out the plan that takes a run back.
async fn take_back(report: &diffsync_core::report::RunReport, key: &PlanKey, nautobot: Nautobot<Inventory>) {
    let by = Signature { by: "ada".into(), at: "2026-11-22T17:13:37Z".into() };
    let options = RunOptions::new(&ToNautobot::INFO);
    let head = options.plan_header(&ToNautobot::INFO, PlanKind::Undo, Vec::new(), by, report.plan().unwrap());
    let mut file = Vec::new();
    report.undo.as_ref().unwrap().write(&head, &mut file).unwrap();
    let plan = Arc::new(SavedPlan::read(&mut &*file).unwrap());
    let request = ApplyRequest { plan, key: key.clone(), policy: DriftPolicy::Refuse };
    let report = run_with(Inventory::default(), nautobot, |options| options.apply_plan(request).unwrap()).await;
    let drift: Vec<_> = report.drift.iter().map(ToString::to_string).collect();
    assert_eq!((report.status, failures(&report), drift), (Status::Completed, Vec::new(), Vec::new()));
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
    let source = Owner::custom_field("managed_by", "diffsync").wrap_source(adapter(&fake));
    let mut data = Inventory::default();
    source.load(&mut data, &LoadContext::standalone(Side::Source)).await.unwrap();
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
        let context = LoadContext::standalone(Side::Source);
        ours.wrap_source(adapter(&there)).load(&mut source, &context).await.unwrap();
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
