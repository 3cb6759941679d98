//! What is written to a Nautobot.

use diffsync_adapters::nautobot::{Device, Inventory, Nautobot, Prefix};
use diffsync_core::report::Status;
use diffsync_core::{ModelExt, Target};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::fake::{Fake, READ_ONLY};
use super::{adapter, address, device, failures, interface, inventory, loaded, run};

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let fake = Fake::new().await;
    let report = run(inventory(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    assert!(report.counts.created > 10);
    fake.asked();
    let report = run(inventory(), adapter(&fake)).await;
    assert_eq!((report.status, report.counts.created, report.counts.updated), (Status::Completed, 0, 0));
    let wrote = |asked: &String| !asked.starts_with("GET") && !asked.contains("graphql");
    assert_eq!(fake.asked().into_iter().filter(wrote).collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn what_nautobot_spells_in_its_own_way_is_the_same() {
    let fake = Fake::new().await;
    let wanted = || {
        let mut wanted = inventory();
        let interface = wanted.interfaces.iter().next().unwrap().id();
        wanted.interfaces.modify(&interface, |interface| interface.mac_address = Some("aa:bb:cc:00:0d:0e".into()));
        let address = wanted.ip_addresses.iter().next().unwrap().id();
        wanted.ip_addresses.modify(&address, |address| address.dns_name = "Core-01.Example.com".into());
        let location = wanted.locations.iter().next().unwrap().id();
        wanted.locations.modify(&location, |location| {
            location.latitude = Some("52.37".into());
            location.longitude = Some("-4.9000".into());
        });
        wanted
    };
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.status, report.problems().len()), (Status::Completed, 0), "{:?}", report.problems());
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.status, report.counts.updated), (Status::Completed, 0));
    let mut elsewhere = wanted();
    let location = elsewhere.locations.iter().next().unwrap().id();
    elsewhere.locations.modify(&location, |location| location.latitude = Some("52.38".into()));
    assert_eq!(run(elsewhere, adapter(&fake)).await.counts.updated, 1);
}

#[tokio::test]
async fn what_every_nautobot_has_is_left_there() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.namespaces = std::iter::empty().collect();
    wanted.prefixes = std::iter::empty().collect();
    wanted.prefix_locations = std::iter::empty().collect();
    wanted.ip_addresses = std::iter::empty().collect();
    wanted.statuses.remove("Reserved");
    let report = run(wanted, adapter(&fake)).await;
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 0));
    let left = loaded(&adapter(&fake)).await.unwrap();
    assert!(left.namespaces.contains("Global") && left.statuses.contains("Reserved"));
}

#[tokio::test]
async fn many_records_go_with_one_request() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.interfaces.extend((0..120).map(|port| interface("core-01", &format!("e{port}"))));
    run(wanted, adapter(&fake)).await;
    let posts = fake.asked().into_iter().filter(|asked| asked.starts_with("POST dcim/interfaces")).count();
    assert_eq!(posts, 4, "the first alone, and three lists");
}

#[tokio::test]
async fn one_bad_row_fails_alone() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.interfaces.extend((0..10).map(|port| interface("core-01", &format!("e{port}"))));
    let mut bad = interface("core-01", "bad");
    bad.kind = "string-and-cans".into();
    wanted.interfaces.insert(bad);
    let report = run(wanted, adapter(&fake)).await;
    let failed = failures(&report);
    assert_eq!(report.status, Status::Partial);
    assert!(failed.len() == 1 && failed[0].starts_with("interface core-01__bad failed"), "{failed:?}");
    assert!(failed[0].contains("is not a valid choice"), "{failed:?}");
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().interfaces.len(), 11);
}

#[tokio::test]
async fn a_record_that_is_gone_is_not_counted_as_updated() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    let mut wanted = inventory();
    wanted.devices.modify("core-01", |device| device.serial = "FX1".into());
    // Somebody deletes it after it was loaded. The server answers 200 and says nothing of it.
    fake.at("PATCH", "dcim/devices/", 1, |state| {
        let id = state.of("dcim/devices")[0]["id"].as_str().unwrap().to_owned();
        state.deleted("dcim/devices", &id).unwrap();
        None
    });
    let report = run(wanted, adapter(&fake)).await;
    let failed = failures(&report);
    assert!(report.status == Status::Partial && failed.len() == 1, "{failed:?}");
    assert!(failed[0].contains("the server no longer has the record"), "{failed:?}");
}

#[tokio::test]
async fn what_is_in_use_elsewhere_is_not_deleted_and_says_by_what() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    fake.state().insert("ipam/vlan-groups", json!({"name": "g"}));
    // Nobody told the inventory of this prefix' address: it came meanwhile.
    fake.at("DELETE", "ipam/prefixes/", 1, |state| {
        state.insert("ipam/ip-addresses", json!({"address": "10.0.0.9/24", "namespace": "Global", "status": "Active"}));
        None
    });
    let mut wanted = inventory();
    wanted.prefixes = std::iter::empty().collect();
    wanted.prefix_locations = std::iter::empty().collect();
    wanted.ip_addresses = std::iter::empty().collect();
    let report = run(wanted, adapter(&fake)).await;
    let failed = failures(&report);
    assert_eq!(report.status, Status::Partial);
    assert!(failed[0].contains("409 Conflict") && failed[0].contains("10.0.0.9/24"), "{failed:?}");
}

#[tokio::test]
async fn a_token_that_may_not_write_ends_the_run() {
    let fake = Fake::new().await;
    let token = diffsync_core::value::Secret::new(READ_ONLY.to_owned());
    let nautobot = diffsync_adapters::nautobot::Nautobot::open(&fake.url(), &token).unwrap();
    let report = run(inventory(), nautobot).await;
    assert_eq!(report.status, Status::Failed);
    assert!(report.error_text().unwrap().contains("You do not have permission"), "{:?}", report.error_text());
    assert_eq!(fake.state().of("dcim/devices").len(), 0);
}

#[tokio::test]
async fn a_database_that_restarts_is_waited_for() {
    let fake = Fake::new().await;
    fake.answers("POST", "dcim/devices/", 2, ResponseTemplate::new(503).insert_header("Retry-After", "0"));
    fake.answers("POST", "ipam/prefixes/", 1, ResponseTemplate::new(429).insert_header("Retry-After", "1"));
    let report = run(inventory(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
}

#[tokio::test]
async fn what_the_server_ignores_without_a_word_is_a_problem() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    // A custom field that devices do not have.
    wanted.devices.modify("core-01", |device| device.custom_fields.set("rack_row", "7"));
    let report = run(wanted, adapter(&fake)).await;
    let problems: Vec<_> = report.problems().iter().map(ToString::to_string).collect();
    assert_eq!(report.status, Status::Partial);
    assert!(
        problems.iter().any(|problem| problem.contains("core-01") && problem.contains("custom_fields")),
        "{problems:?}"
    );
}

#[tokio::test]
async fn an_address_gets_a_new_mask_in_place() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    let mut wanted = inventory();
    wanted.ip_addresses = [address("10.0.0.1/32")].into_iter().collect();
    let report = run(wanted, adapter(&fake)).await;
    assert_eq!((report.status, report.counts.updated, report.counts.created), (Status::Completed, 1, 0));
    assert_eq!(fake.state().of("ipam/ip-addresses")[0]["mask_length"], 32);
}

#[tokio::test]
async fn tags_of_others_are_kept() {
    let fake = Fake::new().await;
    run(inventory(), adapter(&fake)).await;
    let mut with_more = inventory();
    let types = with_more.tags.get("lab").unwrap().content_types.clone();
    with_more.tags.insert(diffsync_adapters::nautobot::Tag::new("theirs", types));
    with_more.devices = [device("core-01")].into_iter().collect();
    with_more.devices.modify("core-01", |device| device.tags = vec!["theirs".into()]);
    run(with_more, adapter(&fake)).await;
    let report = run(inventory(), adapter(&fake)).await;
    assert_eq!((report.status, report.counts.updated), (Status::Completed, 0));
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().devices.get("core-01").unwrap().tags.len(), 2);
}

#[tokio::test]
async fn no_run_asks_for_two_prefixes_at_the_same_time() {
    let nautobot = adapter(&Fake::new().await);
    let prefixes = <Nautobot<Inventory> as Target<Prefix>>::capabilities(&nautobot);
    let devices = <Nautobot<Inventory> as Target<Device>>::capabilities(&nautobot);
    assert_eq!((prefixes.concurrency_limit, devices.concurrency_limit), (Some(1), None));
}
