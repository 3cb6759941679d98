//! Unique values that are taken, records that come twice, and lists that a Nautobot breaks at.

use diffsync_adapters::nautobot::Device;
use diffsync_core::data::Side;
use diffsync_core::report::Status;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::fake::Fake;
use super::{adapter, device, failures, interface, inventory, loaded, location, run, run_with};

fn tagged(name: &str, tag: &str) -> Device {
    Device { asset_tag: Some(tag.to_owned()), ..device(name) }
}

/// The names of the devices with their asset tags.
fn tags(fake: &Fake) -> Vec<(String, Option<String>)> {
    let state = fake.state();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let mut all: Vec<_> =
        state.of("dcim/devices").iter().map(|row| (text(&row["name"]).unwrap(), text(&row["asset_tag"]))).collect();
    all.sort();
    all
}

fn with_devices(devices: impl IntoIterator<Item = Device>) -> diffsync_adapters::nautobot::Inventory {
    let mut wanted = inventory();
    wanted.devices = devices.into_iter().collect();
    wanted.interfaces = std::iter::empty().collect();
    wanted
}

#[tokio::test]
async fn a_renamed_device_takes_its_asset_tag_along() {
    let fake = Fake::new().await;
    run(with_devices([tagged("old", "A1")]), adapter(&fake)).await;
    let report = run(with_devices([tagged("new", "A1")]), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    assert_eq!((report.counts.created, report.counts.deleted), (1, 1));
    assert_eq!(tags(&fake), [("new".to_owned(), Some("A1".to_owned()))]);
}

#[tokio::test]
async fn a_device_whose_tag_a_new_one_could_not_get_stays_with_it() {
    let fake = Fake::new().await;
    run(with_devices([tagged("old", "A1")]), adapter(&fake)).await;
    let mut new = tagged("new", "A1");
    new.role = "Loopback".into();
    let mut posts = 0;
    fake.at("POST", "dcim/devices/", 9, move |_| {
        posts += 1;
        let refused = ResponseTemplate::new(400).set_body_json(json!([{"role": ["Related object not found."]}]));
        (posts > 1).then_some(refused)
    });
    let report = run(with_devices([new]), adapter(&fake)).await;
    let failed = failures(&report);
    assert!(
        report.status == Status::Partial && failed.iter().any(|failed| failed.contains("device new")),
        "{failed:?}"
    );
    assert_eq!(tags(&fake), [("old".to_owned(), Some("A1".to_owned()))]);
}

#[tokio::test]
async fn tags_that_are_passed_on_or_swapped_are_passed_on_in_one_run() {
    let fake = Fake::new().await;
    run(with_devices([tagged("a", "T1"), tagged("b", "T3"), tagged("c", "T5"), tagged("d", "T7")]), adapter(&fake))
        .await;
    let wanted = || with_devices([tagged("a", "T3"), tagged("b", "T9"), tagged("c", "T7"), tagged("d", "T5")]);
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    let now: Vec<_> = tags(&fake).into_iter().filter_map(|(_, tag)| tag).collect();
    assert_eq!(now, ["T3", "T9", "T7", "T5"]);
    assert_eq!(run(wanted(), adapter(&fake)).await.counts.updated, 0);
}

#[tokio::test]
async fn a_tag_of_a_device_that_stays_is_not_freed() {
    let fake = Fake::new().await;
    run(with_devices([tagged("theirs", "A1")]), adapter(&fake)).await;
    let report = run(with_devices([tagged("theirs", "A1"), tagged("new", "A1")]), adapter(&fake)).await;
    let failed = failures(&report);
    assert!(failed.len() == 1 && failed[0].contains("already exists"), "{failed:?}");
    assert_eq!(tags(&fake), [("theirs".to_owned(), Some("A1".to_owned()))]);
}

#[tokio::test]
async fn two_devices_without_a_tag_may_both_have_an_empty_one() {
    let fake = Fake::new().await;
    let wanted = || with_devices([tagged("one", ""), tagged("two", "")]);
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    assert_eq!(tags(&fake), [("one".to_owned(), None), ("two".to_owned(), None)]);
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!(report.counts.updated, 0);
}

#[tokio::test]
async fn what_another_run_created_meanwhile_is_not_created_twice() {
    let fake = Fake::new().await;
    fake.at("POST", "dcim/location-types/", 1, |state| {
        // From now on the other run is always a moment ahead.
        state.insert("dcim/location-types", json!({"name": "Theirs"}));
        state.insert("dcim/locations", json!({"name": "Europe", "location_type": "Theirs", "status": "Active"}));
        state.racing = true;
        None
    });
    let report = run(inventory(), adapter(&fake)).await;
    let failed = failures(&report);
    let of_europe = failed.iter().find(|failed| failed.starts_with("location Europe ")).unwrap();
    assert!(of_europe.contains("it is there since the target was loaded: http"), "{failed:?}");
    let state = fake.state();
    let named = state.of("dcim/locations").iter().filter(|row| row["name"] == "Europe");
    assert_eq!(named.count(), 1);
}

#[tokio::test]
async fn records_that_are_there_twice_are_named_and_the_rest_goes_on() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.locations.extend((0..3).map(|number| location(&[&format!("Root {number}")])));
    run(wanted, adapter(&fake)).await;
    let twin = {
        let mut state = fake.state();
        state.racing = true;
        state.insert("dcim/locations", json!({"name": "Root 1", "location_type": "Region", "status": "Active"}))
    };

    let changed = || {
        let mut wanted = inventory();
        wanted.locations.extend((0..3).map(|number| location(&[&format!("Root {number}")])));
        wanted.devices.modify("core-01", |device| device.serial = "FX1".into());
        wanted
    };
    let report = run(changed(), adapter(&fake)).await;
    assert_eq!(report.status, Status::Refused);
    assert!(
        report.error_text().unwrap().contains("cannot be used, more than the 1 % allowed"),
        "{:?}",
        report.error_text()
    );
    let problems: Vec<_> = report.problems().iter().map(ToString::to_string).collect();
    let problem = problems.iter().find(|problem| problem.contains("Root 1")).unwrap();
    assert!(problem.starts_with(&Side::Target.to_string()) && problem.contains("it occurs 2 times"), "{problem}");
    assert!(problem.contains(&format!("dcim/locations/{twin}")) && problem.contains("delete all but one"), "{problem}");

    let report = run_with(changed(), adapter(&fake), |options| {
        let mut options = options;
        options.max_rejected = 0.5;
        options
    });
    let report = Box::pin(report).await;
    assert_eq!((report.counts.updated, report.counts.deleted, failures(&report)), (1, 0, Vec::new()));
}

#[tokio::test]
async fn one_row_that_breaks_the_server_fails_alone() {
    let fake = Fake::new().await;
    let devices = || (0..8).map(|number| device(&format!("d{number}")));
    let mut bad = device("bad");
    bad.custom_fields = [("external_id", "a\0b")].into_iter().collect();
    let report = run(with_devices(devices().chain([bad])), adapter(&fake)).await;
    let failed = failures(&report);
    assert!(report.status == Status::Partial && failed.len() == 1, "{failed:?}");
    assert!(failed[0].starts_with("device bad failed") && failed[0].contains("500"), "{failed:?}");
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().devices.len(), 8);
}

#[tokio::test]
async fn a_list_that_was_written_although_the_server_broke_is_not_written_again() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.interfaces.extend((0..4).map(|port| interface("core-01", &format!("e{port}"))));
    // The first record is sent alone, and created. The server breaks at the list of the others.
    let mut is_first = true;
    fake.at("POST", "dcim/interfaces/", 2, move |state| {
        if std::mem::take(&mut is_first) {
            return None;
        }
        let device = state.of("dcim/devices")[0]["id"].clone();
        for name in ["Loopback0", "e0", "e1", "e2", "e3"] {
            if state.of("dcim/interfaces").iter().any(|row| row["name"] == name) {
                continue;
            }
            let row = json!({"device": device, "name": name, "type": "10gbase-x-sfpp", "status": "Active"});
            state.insert("dcim/interfaces", row);
        }
        Some(ResponseTemplate::new(500).set_body_json(json!({"error": "hook failed", "exception": "OSError"})))
    });
    let report = run(wanted, adapter(&fake)).await;
    assert_eq!((report.counts.unknown, fake.state().of("dcim/interfaces").len()), (4, 5));
    let posts = fake.asked().into_iter().filter(|asked| asked.starts_with("POST dcim/interfaces/")).count();
    assert_eq!(posts, 2);
}

#[tokio::test]
async fn a_list_is_no_longer_than_the_server_takes() {
    let fake = Fake::new().await;
    let long = |number: usize| Device { comments: "x".repeat(200_000), ..device(&format!("d{number}")) };
    let report = run(with_devices((0..30).map(long)), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));

    let report =
        run(with_devices((0..30).map(long).map(|long| Device { serial: "S".into(), ..long })), adapter(&fake)).await;
    assert_eq!((report.status, report.counts.updated), (Status::Completed, 30));

    let endless = Device { comments: "x".repeat(2_700_000), ..device("endless") };
    let report = run(with_devices((0..30).map(long).chain([endless])), adapter(&fake)).await;
    let failed = failures(&report);
    assert!(failed.iter().any(|failed| failed.contains("more than the 2500000 that the server accepts")), "{failed:?}");
}
