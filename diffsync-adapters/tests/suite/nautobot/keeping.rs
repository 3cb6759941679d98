//! Values that a Nautobot keeps in another form, or refuses.

use diffsync_adapters::nautobot::{CustomField, CustomFieldChoice, CustomFields, LocationPath, Manufacturer};
use diffsync_core::ModelExt;
use diffsync_core::report::Status;
use serde_json::{Value, json};

use super::fake::Fake;
use super::{adapter, device, failures, inventory, loaded, location, prefix, run};

#[tokio::test]
async fn a_hardware_address_is_the_same_in_any_notation() {
    let fake = Fake::new().await;
    let with = |address: &str| {
        let mut wanted = inventory();
        let id = wanted.interfaces.iter().next().unwrap().id();
        wanted.interfaces.modify(&id, |interface| interface.mac_address = Some(address.to_owned()));
        wanted
    };
    run(inventory(), adapter(&fake)).await;
    // The server answers as it was sent, and stores another form.
    let report = run(with("aabb.cc00.0d0e"), adapter(&fake)).await;
    assert_eq!((report.status, report.counts.updated, report.problems().len()), (Status::Completed, 1, 0));
    assert_eq!(fake.state().of("dcim/interfaces")[0]["mac_address"], "AA:BB:CC:00:0D:0E");
    for address in ["aabb.cc00.0d0e", "aa-bb-cc-00-0d-0e", "AA:BB:CC:00:0D:0E"] {
        assert_eq!(run(with(address), adapter(&fake)).await.counts.updated, 0, "{address}");
    }
    assert_eq!(run(with("aabb.cc00.0d0f"), adapter(&fake)).await.counts.updated, 1);
}

#[tokio::test]
async fn a_name_with_the_arrow_of_a_path_in_it_is_one_name() {
    let fake = Fake::new().await;
    let names = ["Europe", "Hall A → B"];
    let wanted = || {
        let mut wanted = inventory();
        wanted.locations.insert(location(&names));
        wanted
    };
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    let report = run(wanted(), adapter(&fake)).await;
    assert_eq!((report.counts.created, report.counts.deleted), (0, 0));
    let path = LocationPath::from(names);
    assert_eq!(path.to_string().parse(), Ok(path.clone()));
    assert!(loaded(&adapter(&fake)).await.unwrap().locations.contains(&path));
}

#[tokio::test]
async fn a_name_with_white_space_around_it_is_refused_and_what_it_would_become_stays() {
    let fake = Fake::new().await;
    let maker = |name: &str| Manufacturer {
        name: name.into(),
        description: String::new(),
        custom_fields: CustomFields::default(),
        id: None,
    };
    let with = |name: &str| {
        let mut wanted = inventory();
        wanted.manufacturers.insert(maker(name));
        wanted
    };
    let report = run(with(" Padded "), adapter(&fake)).await;
    let failed = failures(&report);
    assert!(failed.len() == 1 && failed[0].contains("would store its `name` \" Padded \" as \"Padded\""), "{failed:?}");
    assert!(!loaded(&adapter(&fake)).await.unwrap().manufacturers.contains("Padded"));

    let mut room = inventory();
    room.locations.insert(location(&["Europe", "AMS02 "]));
    let failed = failures(&run(room, adapter(&fake)).await);
    assert!(failed.len() == 1 && failed[0].contains("AMS02"), "{failed:?}");
}

#[tokio::test]
async fn a_network_with_the_bits_of_a_host_is_refused() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.prefixes.insert(prefix("10.0.1.7/24", "network"));
    let failed = failures(&run(wanted, adapter(&fake)).await);
    assert!(failed.len() == 1 && failed[0].contains("as \"10.0.1.0/24\""), "{failed:?}");
}

/// A custom field of devices.
fn custom_field(key: &str, kind: &str, default: Option<Value>) -> CustomField {
    CustomField { kind: kind.into(), default, ..CustomField::text(key, vec!["dcim.device".into()]) }
}

#[tokio::test]
async fn a_default_that_is_a_choice_is_set_once_the_choices_are_there() {
    let fake = Fake::new().await;
    let wanted = |default: &str, choices: &[&str]| {
        let mut wanted = inventory();
        wanted.custom_fields.insert(custom_field("tier", "select", Some(json!(default))));
        wanted.custom_field_choices.extend(choices.iter().map(|value| CustomFieldChoice {
            custom_field: "tier".into(),
            value: (*value).into(),
            weight: 100,
            id: None,
        }));
        wanted.devices.modify("core-01", |device| device.custom_fields.set("tier", default));
        wanted
    };
    let settled = |report: &diffsync_core::report::RunReport| {
        assert_eq!((report.status, failures(report), report.problems().len()), (Status::Completed, Vec::new(), 0));
        report.counts.created + report.counts.updated
    };
    assert!(settled(&run(wanted("gold", &["gold", "iron"]), adapter(&fake)).await) > 10);
    assert_eq!(settled(&run(wanted("gold", &["gold", "iron"]), adapter(&fake)).await), 0);
    // Also one that comes with its choice.
    assert_eq!(settled(&run(wanted("lead", &["gold", "iron", "lead"]), adapter(&fake)).await), 3);
    assert_eq!(settled(&run(wanted("lead", &["gold", "iron", "lead"]), adapter(&fake)).await), 0);
}

#[tokio::test]
async fn a_record_from_before_a_required_custom_field_is_created_with_its_default() {
    let (from, to) = (Fake::new().await, Fake::new().await);
    run(inventory(), adapter(&from)).await;
    let required = json!({"label": "Contract", "key": "contract", "type": "text", "required": true, "default": "none", "weight": 100,
        "content_types": ["dcim.device"]});
    from.state().insert("extras/custom-fields", required);
    let held = || async { loaded(&adapter(&from)).await.unwrap() };
    assert_eq!(held().await.devices.get("core-01").unwrap().custom_fields.get("contract"), None);
    let report = run(held().await, adapter(&to)).await;
    let problems: Vec<_> = report.problems().iter().map(ToString::to_string).collect();
    assert_eq!((report.status, failures(&report), problems), (Status::Completed, Vec::new(), Vec::new()));
    assert_eq!(to.state().of("dcim/devices")[0]["_custom_field_data"]["contract"], "none");
    let report = run(held().await, adapter(&to)).await;
    assert_eq!((report.counts.created, report.counts.updated), (0, 0));

    // A source that says in so many words that it holds nothing.
    let mut new = held().await;
    let mut second = device("core-02");
    second.custom_fields = [("external_id", json!("x")), ("contract", Value::Null)].into_iter().collect();
    new.devices.insert(second);
    let report = run(new, adapter(&to)).await;
    assert_eq!((report.status, failures(&report), report.counts.created), (Status::Completed, Vec::new(), 1));
}

#[tokio::test]
async fn a_fraction_in_an_integer_custom_field_is_a_problem() {
    let fake = Fake::new().await;
    let mut wanted = inventory();
    wanted.custom_fields.insert(custom_field("units", "integer", None));
    wanted.devices.modify("core-01", |device| device.custom_fields.set("units", json!(5.5)));
    let report = run(wanted, adapter(&fake)).await;
    let problems: Vec<_> = report.problems().iter().map(ToString::to_string).collect();
    assert!(
        report.status == Status::Partial && problems.iter().any(|problem| problem.contains("core-01")),
        "{problems:?}"
    );
}
