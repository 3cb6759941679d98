//! Runs that write to an API.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_adapters::rest::{Bulk, Client, Dialect, Owner, Part, PartKind, Rest, RetryPolicy};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, Run, job};
use serde_json::{Value, json};

use super::fake::{Fake, System, dialect};
use super::laws::{Address, Device, Inventory, Location};

/// Something that a test hands to a job.
pub(super) struct Handed<T>(Arc<Mutex<Option<T>>>);

impl<T> Handed<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Some(value))))
    }

    pub(super) fn take(&self) -> T {
        self.0.lock().unwrap().take().unwrap()
    }
}

impl<T: Send + Sync + 'static> Variable for Handed<T> {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> Value {
        Value::Null
    }
}

/// A source that is handed what it holds.
pub(super) struct Given<D>(pub(super) Handed<D>);

impl<D: Dataset> Adapter for Given<D> {
    type Data = D;

    async fn load(&self, data: &mut D, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = self.0.take();
        Ok(())
    }
}

/// Writes an inventory to an API.
#[job(source = Given<Inventory>, target = Rest<Inventory>, max_deletes = "100%")]
struct ToApi {
    inventory: Handed<Inventory>,
    api: Handed<Rest<Inventory>>,
}

opens!(
    ToApi: Given<Inventory> = |job| Given(Handed::new(job.inventory.take())),
    Rest<Inventory> = |job| job.api.take()
);

pub(super) async fn run(inventory: Inventory, api: Rest<Inventory>) -> RunReport {
    let job = ToApi { inventory: Handed::new(inventory), api: Handed::new(api) };
    let mut options = RunOptions::new(&ToApi::INFO).apply();
    options.retry.first_pause = Duration::from_millis(2);
    Run::execute(Arc::new(job), options, Vec::new()).await
}

/// What failed of a run, and how.
pub(super) fn failures(report: &RunReport) -> Vec<String> {
    let mut all: Vec<String> = report
        .failures()
        .map(|failed| {
            format!("{} {} {} {}: {}", failed.operation, failed.model, failed.record, failed.outcome, failed.reason)
        })
        .collect();
    all.sort();
    all
}

fn api(client: Client) -> Rest<Inventory> {
    Rest::new(client, dialect())
}

pub(super) fn in_bulk(client: Client, size: usize) -> Rest<Inventory> {
    let mut dialect: Dialect = dialect();
    dialect.bulk = Bulk::all(size);
    Rest::new(client, dialect)
}

fn location(path: &str) -> Location {
    let parent = path.rsplit_once(" → ").map(|(parent, _)| parent.to_owned());
    Location { path: path.into(), parent, note: None, id: None }
}

pub(super) fn device(name: &str) -> Device {
    Device {
        name: name.into(),
        location: None,
        manufacturer: None,
        model: None,
        status: "active".into(),
        tags: Vec::new(),
        external: None,
        primary: None,
        remote: None,
    }
}

pub(super) fn inventory(locations: &[Location], devices: &[Device]) -> Inventory {
    let mut all = Inventory::default();
    all.locations.extend(locations.iter().cloned());
    all.devices.extend(devices.iter().cloned());
    all.addresses.mark_loaded();
    all
}

pub(super) fn rows(system: &System, collection: &str) -> Vec<Value> {
    system.rows.get(collection).into_iter().flatten().map(|row| row.clone().into()).collect()
}

#[tokio::test]
async fn what_is_written_is_what_the_api_takes() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    let mut all = inventory(
        &[location("NL"), location("NL → AMS")],
        &[Device {
            location: Some("NL → AMS".into()),
            manufacturer: Some("Arista".into()),
            model: Some("M2".into()),
            tags: vec!["blue".into(), "red".into()],
            external: Some(7),
            primary: Some("10.0.0.1".into()),
            ..device("d1")
        }],
    );
    let password = Some("hunter2".to_owned().into());
    all.addresses.insert(Address { address: "10.0.0.1".into(), device: "d1".into(), password, id: None });
    let report = run(all, api(client)).await;
    assert_eq!(report.status, Status::Completed, "{:?}", failures(&report));
    fake.with(&name, |system| {
        let (locations, devices, addresses) =
            (rows(system, "locations"), rows(system, "devices"), rows(system, "addresses"));
        assert_eq!(locations[0], json!({"id": locations[0]["id"], "name": "NL", "parent": null, "note": ""}));
        assert_eq!((&locations[1]["name"], &locations[1]["parent"]["id"]), (&json!("AMS"), &locations[0]["id"]));
        let device = &devices[0];
        assert_eq!(device["location"]["id"], locations[1]["id"]);
        assert_eq!(device["device_type"]["id"], 12);
        assert_eq!(device["tags"], json!([{"id": 2}, {"id": 1}]));
        assert_eq!(device["custom_fields"], json!({"external_id": 7}));
        assert_eq!(device["status"]["value"], "active");
        assert_eq!(device["primary"]["id"], addresses[0]["id"]);
        assert!(device.get("manufacturer").is_none(), "it stands in the device type");
        assert_eq!(addresses[0]["password_set"], true);
    });
}

#[tokio::test]
async fn a_change_sends_what_changed_and_no_more() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    let first =
        Device { manufacturer: Some("Cisco".into()), model: Some("M1".into()), external: Some(1), ..device("d1") };
    run(inventory(&[], std::slice::from_ref(&first)), api(client.clone())).await;
    fake.with(&name, |system| {
        let devices = system.rows.get_mut("devices").unwrap();
        devices[0].insert("comment".into(), "a person's".into());
        devices[0]["custom_fields"]["other"] = "theirs".into();
    });
    // One of the two fields that name the type: it is looked up by both.
    let report =
        run(inventory(&[], &[Device { model: Some("M2".into()), external: Some(2), ..first }]), api(client)).await;
    assert_eq!((report.status, report.counts.updated), (Status::Completed, 1));
    fake.with(&name, |system| {
        let device = rows(system, "devices").pop().unwrap();
        assert_eq!((&device["device_type"]["id"], &device["comment"]), (&json!(11), &json!("a person's")));
        assert_eq!(device["custom_fields"], json!({"external_id": 2, "other": "theirs"}));
    });
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_not_asked_for_again() {
    for bulk in [false, true] {
        let fake = Fake::start().await;
        let (name, client) = fake.system();
        let api = |client| if bulk { in_bulk(client, 10) } else { api(client) };
        fake.lose("POST devices", 502);
        let report = run(inventory(&[], &[device("d1")]), api(client.clone())).await;
        assert_eq!(report.status, Status::Partial);
        let failed = failures(&report);
        assert!(
            failed[0].starts_with("create device d1 unknown: POST ") && failed[0].contains("502 Bad Gateway"),
            "{failed:?}"
        );
        fake.with(&name, |system| assert_eq!((system.asked["POST devices"], rows(system, "devices").len()), (1, 1)));
        let again = run(inventory(&[], &[device("d1")]), api(client)).await;
        assert_eq!((again.status, again.counts.unchanged), (Status::Completed, 1), "the next run finds it");
    }
}

#[tokio::test]
async fn a_change_or_a_delete_whose_answer_was_lost_is_asked_for_again() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    run(inventory(&[], &[device("d1"), device("d2")]), api(client.clone())).await;
    fake.lose("PATCH devices", 502);
    fake.lose("DELETE devices", 504);
    let report = run(inventory(&[], &[Device { external: Some(1), ..device("d1") }]), api(client)).await;
    assert_eq!(
        (report.status, report.counts.updated, report.counts.deleted),
        (Status::Completed, 1, 1),
        "{:?}",
        failures(&report)
    );
    fake.with(&name, |system| assert_eq!((system.asked["PATCH devices"], system.asked["DELETE devices"]), (2, 2)));
}

#[tokio::test]
async fn what_becomes_of_a_change_whose_answer_is_lost_every_time_nobody_knows() {
    for bulk in [false, true] {
        let fake = Fake::start().await;
        let (name, client) = fake.system();
        let api = |client| if bulk { in_bulk(client, 10) } else { api(client) };
        run(inventory(&[], &["d1", "d2", "d3"].map(device)), api(client.clone())).await;
        // The gateway does not wait as long as the server takes.
        (0..15).for_each(|_| fake.lose("PATCH devices", 504));
        let changed = ["d1", "d2", "d3"].map(|name| Device { external: Some(1), ..device(name) });
        let report = run(inventory(&[], &changed), api(client.clone())).await;
        assert_eq!((report.status, report.counts.unknown), (Status::Partial, 3), "{:?}", failures(&report));
        assert!(failures(&report)[0].starts_with("update device d1 unknown: PATCH "), "{:?}", failures(&report));
        fake.with(&name, |system| assert_eq!(system.asked["PATCH devices"], if bulk { 5 } else { 15 }));
        let again = run(inventory(&[], &changed), api(client)).await;
        assert_eq!((again.status, again.counts.unchanged), (Status::Completed, 3), "the next run finds it");
    }
}

#[tokio::test]
async fn an_api_that_only_replaces_gets_all_of_a_record_that_is_known() {
    for bulk in [Bulk::default(), Bulk::all(10)] {
        let fake = Fake::start().await;
        let (name, client) = fake.system();
        let api = || {
            let mut dialect = dialect();
            (dialect.update_with_put, dialect.bulk) = (true, bulk);
            Rest::new(client.clone(), dialect)
        };
        let first = Device { manufacturer: Some("Cisco".into()), model: Some("M2".into()), ..device("d1") };
        let wanted = |external: u64, on: &str| {
            let devices =
                [Device { external: Some(external), tags: vec!["red".into()], ..first.clone() }, device("d2")];
            let mut all = inventory(&[], &devices);
            let password = Some("hunter2".to_owned().into());
            all.addresses.insert(Address { address: "10.0.0.1".into(), device: on.into(), password, id: None });
            all
        };
        run(wanted(1, "d1"), api()).await;
        fake.with(&name, |system| {
            for row in system.rows.get_mut("devices").unwrap() {
                row.insert("comment".into(), "a person's".into());
            }
        });
        let report = run(wanted(2, "d2"), api()).await;
        assert_eq!((report.status, report.counts.updated), (Status::Completed, 2), "{:?}", failures(&report));
        fake.with(&name, |system| {
            assert!(!system.asked.contains_key("PATCH devices") && system.asked["PUT devices"] == 1);
            let (devices, address) = (rows(system, "devices"), &rows(system, "addresses")[0]);
            let device = devices.iter().find(|row| row["name"] == "d1").unwrap();
            assert_eq!((&device["device_type"]["id"], &device["tags"]), (&json!(11), &json!([{"id": 1}])));
            assert_eq!(
                (&device["status"]["value"], &device["custom_fields"]),
                (&json!("active"), &json!({"external_id": 2}))
            );
            assert_eq!(device.get("comment"), None, "the model does not know it");
            assert_eq!(address["password_set"], true, "what the server never gives is not taken for nothing");
        });
        assert_eq!(run(wanted(2, "d2"), api()).await.counts.updated, 0);
    }
}

#[tokio::test]
async fn a_bad_row_of_a_list_fails_alone() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    let devices = ["d1", "bad", "d2", "d3"].map(device);
    let report = run(inventory(&[], &devices), in_bulk(client, 10)).await;
    assert_eq!((report.status, report.counts.created), (Status::Partial, 3));
    let failed = failures(&report);
    assert_eq!(failed.len(), 1);
    assert!(failed[0].ends_with(r#"400 Bad Request: {"name":["is not wanted"]}"#), "{failed:?}");
    fake.with(&name, |system| {
        assert_eq!(system.asked["POST devices"], 3, "the first, the others, and these without the bad row");
    });
}

#[tokio::test]
async fn a_bad_row_among_changes_fails_alone() {
    let fake = Fake::start().await;
    let (_, client) = fake.system();
    let names = ["d1", "d2", "d3", "d4"];
    run(inventory(&[], &names.map(device)), in_bulk(client.clone(), 10)).await;
    // A tag that goes away is unknown to the server when it is written.
    let changed =
        names.map(|name| Device { location: (name == "d3").then(|| "NL".into()), external: Some(1), ..device(name) });
    run(inventory(&[location("NL")], &names.map(device)), in_bulk(client.clone(), 10)).await;
    fake.before("PATCH devices", |system| system.rows.get_mut("locations").unwrap().clear());
    let report = run(inventory(&[location("NL")], &changed), in_bulk(client, 10)).await;
    assert_eq!(report.counts.updated, 3, "{:?}", failures(&report));
    let failed = failures(&report);
    assert!(
        failed[0].starts_with("update device d3 failed") && failed[0].contains("Related object not found"),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_row_that_a_server_leaves_out_was_not_changed() {
    let fake = Fake::start().await;
    let (_, client) = fake.system();
    let names = ["d1", "d2", "d3"];
    run(inventory(&[], &names.map(device)), in_bulk(client.clone(), 10)).await;
    fake.before("PATCH devices", |system| {
        system.rows.get_mut("devices").unwrap().remove(1);
    });
    let changed = names.map(|name| Device { external: Some(1), ..device(name) });
    let report = run(inventory(&[], &changed), in_bulk(client, 10)).await;
    assert_eq!(report.counts.updated, 2);
    let expected = "update device d2 failed: the server no longer has the record: its answer leaves it out";
    assert_eq!(failures(&report), [expected]);
}

#[tokio::test]
async fn what_is_gone_already_is_deleted() {
    for bulk in [false, true] {
        let fake = Fake::start().await;
        let (_, client) = fake.system();
        run(inventory(&[], &["d1", "d2"].map(device)), api(client.clone())).await;
        fake.before("DELETE devices", |system| {
            system.rows.get_mut("devices").unwrap().retain(|row| row["name"] != "d2");
        });
        let api = if bulk { in_bulk(client, 10) } else { api(client) };
        let report = run(inventory(&[], &[device("d1")]), api).await;
        assert_eq!((report.status, report.counts.deleted), (Status::Completed, 1), "{:?}", failures(&report));
    }
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted_and_the_server_says_by_whom() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    run(inventory(&[location("NL"), location("DE"), location("FR")], &[]), in_bulk(client.clone(), 10)).await;
    fake.with(&name, |system| {
        let key = rows(system, "locations")[1]["id"].clone();
        system.add("racks", json!({"id": 1, "location": {"id": key}}));
    });
    let report = run(inventory(&[location("NL")], &[]), in_bulk(client, 10)).await;
    assert_eq!(report.counts.deleted, 1);
    let failed = failures(&report);
    assert!(failed[0].starts_with("delete location DE failed: DELETE "), "{failed:?}");
    assert!(
        failed[0].ends_with(r#"409 Conflict: {"detail":"Unable to delete object: racks 1 depends on it"}"#),
        "{failed:?}"
    );
}

#[tokio::test]
async fn what_a_record_names_and_the_server_does_not_have_is_said() {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    fake.with(&name, |system| system.add("tags", json!({"id": 9, "name": "red"})));
    let typed =
        |name: &str, maker: &str| Device { manufacturer: Some(maker.into()), model: Some("M1".into()), ..device(name) };
    let devices = [
        typed("d1", "Nokia"),
        typed("d2", "Cisco"),
        Device { tags: vec!["red".into()], ..device("d3") },
        Device { tags: vec!["green".into()], ..device("d4") },
    ];
    let report = run(inventory(&[], &devices), api(client)).await;
    assert_eq!(report.counts.created, 1);
    let expected = [
        r#"create device d1 failed: `device-types` has no record that is manufacturer.name "Nokia", model "M1""#,
        r#"create device d3 failed: `tags` has 2 records that are name "red""#,
        r#"create device d4 failed: `tags` has no record that is name "green""#,
    ];
    assert_eq!(failures(&report), expected);
}

#[tokio::test]
async fn a_record_that_is_not_ours_is_not_deleted() {
    const NAME: &[Part] = &[Part { path: &["name"], kind: PartKind::Value }];
    for owner in [Owner::field("custom_fields.by", "us"), Owner::list_item("tags", "tags", NAME, "owned")] {
        for bulk in [false, true] {
            let fake = Fake::start().await;
            let (name, client) = fake.system();
            let api = |client| if bulk { in_bulk(client, 10) } else { api(client) }.owner(owner.clone());
            let listed = json!([{"id": 1}]);
            fake.with(&name, |system| {
                for (id, device) in [(1, "theirs"), (2, "changed")] {
                    let status = json!({"value": "active"});
                    system.add("devices", json!({"id": id, "name": device, "status": status, "tags": listed}));
                }
            });
            let red = vec!["red".into()];
            let ours = |name: &str| Device { external: Some(1), tags: red.clone(), ..device(name) };
            let report = run(inventory(&[], &[ours("mine"), ours("changed")]), api(client.clone())).await;
            assert_eq!(
                (report.counts.created, report.counts.updated, report.counts.left_out),
                (1, 1, 1),
                "{:?}",
                failures(&report)
            );
            fake.with(&name, |system| {
                let carries = |row: &Value| {
                    let tags = row["tags"]
                        .as_array()
                        .is_some_and(|tags| tags.contains(&json!({"id": 3})) && tags.contains(&json!({"id": 1})));
                    tags || row["custom_fields"]["by"] == "us"
                };
                let stamped: Vec<bool> = rows(system, "devices").iter().map(carries).collect();
                assert_eq!(stamped, [false, true, true], "{:?}", rows(system, "devices"));
            });
            let report = run(inventory(&[], &[ours("changed")]), api(client)).await;
            assert_eq!((report.counts.deleted, report.counts.left_out), (1, 1), "{:?}", failures(&report));
        }
    }
}

#[tokio::test]
async fn a_login_that_is_refused_ends_the_run() {
    let fake = Fake::start().await;
    let (name, _) = fake.system();
    let token = "not the token".to_owned().into();
    let client = fake.client(&name).token_auth(&token).retry_policy(RetryPolicy::none()).build().unwrap();
    let report = run(inventory(&[], &[device("d1")]), api(client)).await;
    let error = report.error_text().unwrap();
    assert!(
        error.contains("403 Forbidden") && error.contains("check the token") && !error.contains("not the token"),
        "{error}"
    );
}
