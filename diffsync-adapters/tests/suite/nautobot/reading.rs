//! What is read of a Nautobot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_adapters::RestModel;
use diffsync_adapters::nautobot::{CustomFields, Inventory, LocationPath, Nautobot};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Adapter, Dataset, Plan, SyncModel, Table};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::fake::{Fake, State};
use super::{adapter, inventory, loaded, run};
use crate::rest::wire::{self, Reply, Wire};

/// A Nautobot that holds the small inventory.
async fn filled() -> Fake {
    let fake = Fake::new().await;
    let report = run(inventory(), adapter(&fake)).await;
    assert_eq!(super::failures(&report), [""; 0]);
    fake.asked();
    fake
}

#[tokio::test]
async fn graphql_and_rest_give_the_same_records() {
    let fake = filled().await;
    let by_graphql = loaded(&adapter(&fake)).await.unwrap();
    let through_rest = loaded(&adapter(&fake).rest_only()).await.unwrap();
    assert_eq!(by_graphql.interfaces.iter().next().unwrap().kind, "10gbase-x-sfpp");
    assert_eq!(by_graphql.locations.iter().next().unwrap().time_zone.as_deref(), Some("Europe/Amsterdam"));
    let plan = Plan::new(by_graphql, through_rest);
    assert_eq!(plan.tree().to_string(), "(no differences)\n");
    assert_eq!(plan.problems().len(), 0);
}

#[tokio::test]
async fn rows_are_asked_of_graphql_page_by_page_and_choices_of_rest_once_for_each() {
    let fake = filled().await;
    {
        let mut state = fake.state();
        let device = state.of("dcim/devices")[0]["id"].clone();
        for port in 0..2100 {
            let kind = if port % 2 == 0 { "virtual" } else { "2.5gbase-t" };
            state.insert(
                "dcim/interfaces",
                json!({"device": device, "name": format!("e{port}"), "type": kind, "status": "Active"}),
            );
        }
    }
    let all = loaded(&adapter(&fake)).await.unwrap();
    assert_eq!(all.interfaces.len(), 2101);
    assert!(all.interfaces.iter().filter(|interface| interface.kind == "2.5gbase-t").count() == 1050);
    let asked: Vec<_> = fake.asked().into_iter().filter(|asked| asked.contains("dcim/interfaces")).collect();
    let counts = asked.iter().filter(|asked| asked.contains("limit=1&")).count();
    assert_eq!((counts, asked.len()), (2, 3), "{asked:?}");
}

#[tokio::test]
async fn many_choices_are_asked_for_with_urls_that_servers_take() {
    let fake = filled().await;
    let zone = |number: usize| format!("Area/City_{number}");
    for number in 0..250 {
        let place = json!({"name": format!("L{number}"), "location_type": "Region", "status": "Active", "time_zone": zone(number)});
        fake.state().insert("dcim/locations", place);
    }
    let all = loaded(&adapter(&fake)).await.unwrap();
    for number in 0..250 {
        let place = all.locations.get(&LocationPath::from([format!("L{number}")])).unwrap();
        assert_eq!(place.time_zone, Some(zone(number)));
    }
    let asked =
        fake.asked().into_iter().filter(|asked| asked.starts_with("GET dcim/locations/") && asked.contains("&id="));
    assert_eq!(asked.count(), 3, "a hundred with each, and there is a zone more");
}

/// A tag, and nothing that it leads to.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "extras/tags")]
struct Mark {
    #[sync(id)]
    name: String,
}

#[derive(Dataset, Default)]
struct Marks {
    marks: Table<Mark>,
}

#[tokio::test]
async fn pages_of_graphql_are_asked_for_at_the_same_time() {
    let late = |body: Value, pause| Reply::Late(wire::text(200, "", body.to_string().as_bytes()), pause);
    let wire = Wire::answering(move |_, request| {
        let body: Value =
            request.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_default();
        let plain = |name: &str| json!({"name": name, "type": {"kind": "SCALAR", "name": "T", "ofType": null}});
        if let Some(offset) = body["variables"]["offset"].as_u64() {
            let row = |number: u64| json!({"id": number.to_string(), "name": format!("t{number}")});
            let rows: Value = (offset..(offset + 1000).min(3000)).map(row).collect();
            return late(json!({"data": {"tags": rows}}), Duration::from_millis(400));
        }
        let answer = match body["query"].as_str() {
            None => json!({"count": 3000, "results": [{"object_type": "extras.tag"}]}),
            Some(query) if query.contains("__schema") => {
                json!({"data": {"__schema": {"queryType": {"fields": [{"name": "tags", "type": {"ofType": {"name": "TagType"}}}]}}}})
            }
            Some(_) => json!({"data": {"__type": {"fields": [plain("id"), plain("name")]}}}),
        };
        late(answer, Duration::ZERO)
    });
    let wire = wire.await;
    let nautobot = Nautobot::<Marks>::open(&wire.url, &Fake::token()).unwrap();
    let reading = tokio::spawn(async move {
        let mut data = Marks::default();
        nautobot.load(&mut data, &LoadContext::standalone(Side::Source)).await.map(|()| data)
    });
    let pages = || wire.requests().iter().filter(|request| request.contains("\"offset\":")).count();
    while pages() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(pages(), 3, "none of them is answered yet");
    let names: Vec<_> = reading.await.unwrap().unwrap().marks.iter().map(|mark| mark.name.clone()).collect();
    assert_eq!(names, (0..3000).map(|number| format!("t{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_recorded_nautobot_is_read() {
    let rows: HashMap<String, Vec<Value>> = serde_json::from_str(include_str!("recorded/rows.json")).unwrap();
    let counts: HashMap<String, usize> = rows.iter().map(|(path, rows)| (path.clone(), rows.len())).collect();
    let server = MockServer::start().await;
    let replay = move |request: &Request| {
        let path = request.url.path().trim_start_matches("/api/").trim_end_matches('/');
        let Some(rows) = rows.get(path) else {
            return ResponseTemplate::new(404).set_body_json(json!({"detail": "Not found."}));
        };
        let query: HashMap<_, _> = request.url.query_pairs().collect();
        let number = |name: &str| query[name].parse::<usize>().unwrap();
        // Pages of five, however many are asked for.
        let page: Vec<_> = rows.iter().skip(number("offset")).take(number("limit").min(5)).collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({"count": rows.len(), "next": null, "previous": null, "results": page}))
    };
    Mock::given(any()).respond_with(replay).mount(&server).await;
    let url = Url::parse(&server.uri()).unwrap();
    let nautobot = Nautobot::<Inventory>::open(&url, &Secret::new("0123".to_owned())).unwrap();
    let mut data = Inventory::default();
    nautobot.load(&mut data, &LoadContext::standalone(Side::Source)).await.unwrap();
    assert_eq!(data.devices.len(), counts["dcim/devices"]);
    assert_eq!(data.interfaces.len(), counts["dcim/interfaces"]);
    assert_eq!(data.ip_addresses.len(), counts["ipam/ip-addresses"]);
    let device = data.devices.get("dev-00000").unwrap();
    assert_eq!(device.location, LocationPath::from(["Region 0", "Country 0-0", "Site 0-0-00"]));
    assert_eq!((device.manufacturer.as_str(), device.device_type.as_str()), ("Cisco", "C9300-48P"));
    assert_eq!(device.custom_fields.get("external_id"), Some(&json!("CMDB-000000")));
    let address = data.ip_addresses.iter().next().unwrap();
    assert_eq!((address.namespace.as_str(), address.address.prefix_len()), ("Global", 24));
    assert_eq!(data.prefix_locations.len(), counts["ipam/prefix-location-assignments"]);
    assert_eq!(data.prefix_locations.iter().next().unwrap().location.names().len(), 3);
}

#[tokio::test]
async fn what_changes_while_it_is_read_is_read_again() {
    let fake = filled().await;
    {
        let mut state = fake.state();
        for number in 0..1200 {
            state.insert("tenancy/tenants", json!({"name": format!("t{number}")}));
        }
    }
    // While the two pages are read one goes: when they are counted for the second time it is no longer there.
    let mut counted = 0;
    fake.at("GET", "tenancy/tenants/", 2, move |state| {
        counted += 1;
        if counted == 2 {
            state.rows.get_mut("tenancy/tenants").unwrap().remove(0);
        }
        None
    });
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().tenants.len(), 1199);
}

#[tokio::test]
async fn what_changes_all_the_time_is_an_error() {
    let fake = filled().await;
    {
        let mut state = fake.state();
        for number in 0..1200 {
            state.insert("tenancy/tenants", json!({"name": format!("t{number}")}));
        }
    }
    let mut number = 0;
    fake.at("GET", "tenancy/tenants/", 100, move |state| {
        number += 1;
        state.insert("tenancy/tenants", json!({"name": format!("more {number}")}));
        None
    });
    let error = loaded(&adapter(&fake)).await.unwrap_err().to_string();
    assert!(error.contains("`tenancy/tenants` changed while it was read"), "{error}");
    assert!(error.contains("try when less is going on"), "{error}");
}

#[tokio::test]
async fn an_outage_that_ends_is_waited_for() {
    let fake = filled().await;
    let html = "<!DOCTYPE html><html><head><title>Server Error - Nautobot</title></head></html>";
    fake.answers("POST", "graphql/", 2, ResponseTemplate::new(503).insert_header("Retry-After", "0"));
    fake.answers("GET", "extras/custom-fields/", 2, ResponseTemplate::new(500).set_body_raw(html, "text/html"));
    fake.answers("GET", "dcim/interfaces/", 1, ResponseTemplate::new(429).insert_header("Retry-After", "1"));
    let slow = ResponseTemplate::new(502).set_delay(Duration::from_millis(200));
    fake.answers("GET", "ipam/prefixes/", 1, slow);
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().devices.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_that_names_the_place() {
    let page = "<!DOCTYPE html><html><head><title>Maintenance</title></head></html>";
    for (answer, said) in [
        (ResponseTemplate::new(200).set_body_raw(page, "text/html"), "the answer is a web page and not JSON"),
        (ResponseTemplate::new(200).set_body_raw("{\"data\": {", "application/json"), "the answer is not JSON"),
        (ResponseTemplate::new(200).set_body_json(json!({"data": null})), "holds no data"),
        (
            ResponseTemplate::new(200)
                .set_body_json(json!({"errors": [{"message": "too complex"}], "data": {"tags": null}})),
            "says: too complex",
        ),
    ] {
        let fake = filled().await;
        fake.answers("POST", "graphql/", 1, answer);
        let error = loaded(&adapter(&fake)).await.unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("/api/"), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_an_error_that_does_not_show_it() {
    let fake = Fake::new().await;
    let token = Secret::new("00000000000000000000000000000000deadbeef".to_owned());
    let nautobot = Nautobot::<Inventory>::open(&fake.url(), &token).unwrap();
    let error = loaded(&nautobot).await.unwrap_err().to_string();
    assert!(error.contains("403 Forbidden") && error.contains("Invalid token"), "{error}");
    assert!(!error.contains("deadbeef") && !format!("{nautobot:?}").contains("deadbeef"), "{error}");
}

#[tokio::test]
async fn a_row_that_cannot_be_used_is_rejected_or_named() {
    let mut state = State::new();
    state.insert("dcim/location-types", json!({"name": "Site"}));
    state.insert("dcim/locations", json!({"name": "AMS01", "location_type": "Site", "status": "Active"}));
    state.insert("extras/roles", json!({"name": "access"}));
    state.insert("dcim/manufacturers", json!({"name": "Acme"}));
    state.insert("dcim/device-types", json!({"manufacturer": "Acme", "model": "X1", "u_height": 1}));
    let device = json!({"name": null, "location": "AMS01", "device_type": {"model": "X1"}, "role": "access", "status": "Active"});
    state.insert("dcim/devices", device);
    let fake = Fake::with(state, true).await;
    let error = loaded(&adapter(&fake)).await.unwrap_err().to_string();
    assert!(error.contains("`dcim/devices`: the device with the key") && error.contains("`name`"), "{error}");
    // Or left out, with what is only known by it.
    {
        let mut state = fake.state();
        let device = state.of("dcim/devices")[0]["id"].clone();
        state.insert("dcim/interfaces", json!({"device": device, "name": "e0", "type": "virtual", "status": "Active"}));
        state.insert(
            "dcim/devices",
            json!({"name": "d1", "location": "AMS01", "device_type": {"model": "X1"}, "role": "access", "status": "Active"}),
        );
    }
    for nautobot in [adapter(&fake).skip_unnamed(), adapter(&fake).skip_unnamed().rest_only()] {
        let data = loaded(&nautobot).await.unwrap();
        assert_eq!((data.devices.len(), data.interfaces.len()), (1, 0));
    }
}

#[tokio::test]
async fn a_record_has_a_page() {
    let fake = Fake::new().await;
    let nautobot = adapter(&fake);
    let page = |model: &str, id: &str| {
        nautobot.record_url(model, id).unwrap().as_str().trim_start_matches(fake.url().as_str()).to_owned()
    };
    assert_eq!(page("device", "core 01"), "dcim/devices/?name=core+01");
    assert_eq!(page("interface", "core-01__Ethernet1/1"), "dcim/interfaces/?device=core-01&name=Ethernet1%2F1");
    assert_eq!(page("location", "Europe → AMS01"), "dcim/locations/?name=AMS01");
    assert_eq!(page("ip_address", "Global__10.0.0.1"), "ipam/ip-addresses/?namespace=Global&address=10.0.0.1");
    assert_eq!(page("interface", "\"a__b\"__c"), "dcim/interfaces/");
    assert!(nautobot.record_url("rack", "x").is_none());
}

/// A VLAN, whose group is no model of the data set.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "ipam/vlans")]
struct Vlan {
    #[sync(id)]
    vid: u16,
    #[rest(lookup = "vlan_group -> ipam/vlan-groups(name)")]
    group: Option<String>,
}

/// An interface of a virtual machine.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "virtualization/interfaces")]
struct VmInterface {
    #[sync(id)]
    name: String,
    custom_fields: CustomFields,
}

#[derive(Dataset, Default)]
struct Virtual {
    vlans: Table<Vlan>,
    interfaces: Table<VmInterface>,
}

async fn virtual_of(fake: &Fake) -> Result<Virtual, AdapterError> {
    let nautobot = Nautobot::<Virtual>::open(&fake.url(), &Fake::token()).unwrap();
    let mut data = Virtual::default();
    nautobot.load(&mut data, &LoadContext::standalone(Side::Source)).await?;
    Ok(data)
}

#[tokio::test]
async fn what_the_token_may_not_view_is_an_error() {
    for path in ["ipam/vlans", "ipam/vlan-groups"] {
        let fake = Fake::new().await;
        {
            let mut state = fake.state();
            state.insert("ipam/vlan-groups", json!({"name": "g"}));
            state.insert("ipam/vlans", json!({"vid": 7, "name": "v", "vlan_group": "g", "status": "Active"}));
        }
        let data = virtual_of(&fake).await.unwrap();
        assert_eq!(data.vlans.get(&7).unwrap().group.as_deref(), Some("g"));
        fake.state().hidden.insert(path);
        let error = virtual_of(&fake).await.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("403 Forbidden") && error.contains(path), "{error}");
    }
}

#[tokio::test]
async fn fewer_rows_than_rest_has_are_not_trusted() {
    let fake = filled().await;
    for name in ["a", "b"] {
        fake.state().insert("tenancy/tenants", json!({"name": name}));
    }
    // GraphQL never shows the first.
    let away = Arc::new(Mutex::new(Vec::new()));
    let hidden = away.clone();
    fake.at("POST", "graphql/", 1000, move |state| {
        let mut hidden = hidden.lock().unwrap();
        if hidden.is_empty() {
            hidden.push(state.rows.get_mut("tenancy/tenants").unwrap().remove(0));
        }
        None
    });
    fake.at("GET", "tenancy/tenants/", 1000, move |state| {
        state.rows.get_mut("tenancy/tenants").unwrap().extend(away.lock().unwrap().drain(..));
        None
    });
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().tenants.len(), 2);
}

#[tokio::test]
async fn the_kind_of_a_record_is_not_guessed_from_its_path() {
    let fake = filled().await;
    {
        let mut state = fake.state();
        let types = json!(["virtualization.vminterface"]);
        state.insert("extras/custom-fields", json!({"key": "vrf", "label": "VRF", "content_types": types}));
        state.insert("virtualization/interfaces", json!({"name": "eth0", "custom_fields": {"vrf": "blue"}}));
    }
    fake.asked();
    let data = virtual_of(&fake).await.unwrap();
    let names: Vec<_> = data.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["eth0"]);
    assert_eq!(data.interfaces.get("eth0").unwrap().custom_fields.get("vrf"), Some(&json!("blue")));
    let through_rest =
        fake.asked().into_iter().filter(|asked| asked.contains("virtualization/") && asked.contains("limit=1000"));
    assert_eq!(through_rest.count(), 0);
}

#[tokio::test]
async fn pages_of_no_certain_order_are_read_through_rest() {
    let fake = filled().await;
    {
        let mut state = fake.state();
        for number in 0..1200 {
            state.insert("tenancy/tenants", json!({"name": format!("t{number}")}));
        }
    }
    fake.at("POST", "graphql/", 1000, |state| {
        state.rows.get_mut("tenancy/tenants").unwrap().rotate_left(1);
        None
    });
    assert_eq!(loaded(&adapter(&fake)).await.unwrap().tenants.len(), 1200);
}

#[tokio::test]
async fn what_graphql_refuses_is_read_through_rest() {
    for understood in [0, 1, 12, 25] {
        let fake = filled().await;
        let refusal = json!({"errors": [{"message": "Cannot query field 'x' on type 'DeviceType'."}]});
        let mut asked = 0;
        fake.at("POST", "graphql/", 1000, move |_| {
            asked += 1;
            (asked > understood).then(|| ResponseTemplate::new(400).set_body_json(refusal.clone()))
        });
        assert_eq!(loaded(&adapter(&fake)).await.unwrap().interfaces.len(), 1, "{understood}");
    }
}

#[tokio::test]
async fn a_choice_that_its_constant_does_not_spell_is_read_through_rest() {
    let fake = filled().await;
    {
        let mut state = fake.state();
        let device = state.of("dcim/devices")[0]["id"].clone();
        state.insert("dcim/interfaces", json!({"device": device, "name": "e0", "type": "other", "status": "Active"}));
    }
    let data = loaded(&adapter(&fake)).await.unwrap();
    let kinds: Vec<_> = data.interfaces.iter().map(|interface| interface.kind.as_str()).collect();
    assert!(kinds.contains(&"other") && kinds.contains(&"10gbase-x-sfpp"), "{kinds:?}");
}
