//! Loading from an API, and rows that cannot be used.

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::{Client, Collection, Dialect, PagedSource, ProgressFn, Rest, RetryPolicy, RowSource};
use diffsync_core::adapter::{AdapterError, HealthCheck, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::{Adapter, Dataset, Plan, SyncModel, Table};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::fake::{Fake, System, dialect};
use super::wire::{Wire, json as answer, reply};

/// A device whose place is looked up in a collection that is no model.
#[derive(SyncModel, RestModel, Clone, Debug, PartialEq)]
#[rest(
    path = "devices",
    query = "role=server",
    lookup("device_type -> device-types(manufacturer -> manufacturers(name), model)", manufacturer, model)
)]
struct Server {
    #[sync(id)]
    name: String,
    #[sync(id)]
    #[rest(lookup = "location -> locations(parent*/name)")]
    place: Vec1,
    manufacturer: Option<String>,
    model: Option<String>,
    #[rest(choice)]
    status: Option<String>,
    #[rest(lookup = "tags -> tags(name)")]
    tags: Vec<String>,
    #[rest(blank)]
    note: Option<String>,
    #[rest(read_only)]
    cores: Option<u8>,
    #[rest(lookup = "device_type -> device-types(model)", write = "asset.model")]
    kind: Option<String>,
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

/// A path as a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, Default)]
#[serde(transparent)]
struct Vec1(Vec<String>);

impl std::fmt::Display for Vec1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

#[derive(Dataset, Default, Debug)]
struct Servers {
    servers: Table<Server>,
}

async fn load_from(api: &Rest<Servers>) -> Result<Servers, AdapterError> {
    let mut servers = Servers::default();
    api.load(&mut servers, &LoadContext::standalone(Side::Source)).await?;
    Ok(servers)
}

/// A system with a tree of places and these devices.
async fn system(devices: &[Value]) -> (Fake, String, Client) {
    let fake = Fake::start().await;
    let (name, client) = fake.system();
    fake.with(&name, |system| {
        system.add("locations", json!({"id": 1, "name": "NL", "parent": null}));
        system.add("locations", json!({"id": 2, "name": "AMS", "parent": {"id": 1}}));
        for device in devices {
            system.add("devices", device.clone());
        }
    });
    (fake, name, client)
}

async fn load(devices: &[Value]) -> Result<Servers, AdapterError> {
    let (_fake, _, client) = system(devices).await;
    load_from(&Rest::new(client, dialect())).await
}

fn whole() -> Value {
    json!({
        "id": 5, "name": "s1", "location": {"id": 2, "url": "…"}, "device_type": {"id": 12}, "status": {"value": "active", "label": "Active"},
        "tags": [{"id": 2}, {"id": 1}], "note": "", "cores": 8, "something": "else",
    })
}

fn server() -> Server {
    Server {
        name: "s1".into(),
        place: Vec1(vec!["NL".into(), "AMS".into()]),
        manufacturer: Some("Arista".into()),
        model: Some("M2".into()),
        status: Some("active".into()),
        tags: vec!["blue".into(), "red".into()],
        note: None,
        cores: Some(8),
        kind: Some("M2".into()),
        id: Some(5),
    }
}

fn only(servers: &Servers) -> &Server {
    assert_eq!(servers.servers.len(), 1);
    servers.servers.iter().next().unwrap()
}

#[tokio::test]
async fn what_a_row_names_is_looked_up_in_collections_that_are_read_once() {
    let (fake, name, client) = system(&[whole()]).await;
    assert_eq!(only(&load_from(&Rest::new(client, dialect())).await.unwrap()), &server());
    let asked = |system: &mut System| system.asked.clone();
    let expected =
        ["devices", "device-types", "locations", "manufacturers", "tags"].map(|name| (format!("GET {name}"), 1));
    assert_eq!(fake.with(&name, asked), expected.into_iter().collect());
}

#[tokio::test]
async fn what_stands_in_the_row_itself_is_not_looked_up() {
    let mut row = whole();
    row["location"] = json!({"name": "AMS", "parent": {"name": "NL", "parent": null}});
    row["device_type"] = json!({"model": "M2", "manufacturer": {"name": "Arista"}});
    row["tags"] = json!([{"name": "blue"}, {"name": "red"}]);
    let (fake, name, client) = system(&[row]).await;
    assert_eq!(only(&load_from(&Rest::new(client, dialect())).await.unwrap()), &server());
    assert_eq!(fake.with(&name, |system| system.asked.len()), 1);
}

#[tokio::test]
async fn a_record_may_be_named_by_its_key_alone() {
    let mut row = whole();
    row["location"] = json!(2);
    row["device_type"] = json!("12");
    row["tags"] = json!([2, 1]);
    row["status"] = json!("active");
    assert_eq!(only(&load(&[row]).await.unwrap()), &server());
}

#[tokio::test]
async fn what_is_missing_is_nothing() {
    // What no row has is misspelt; what another row has is not.
    let mut other = whole();
    (other["id"], other["name"]) = (json!(6), json!("s2"));
    let servers = load(&[json!({"id": 5, "name": "s1", "location": 1}), other]).await.unwrap();
    let expected = Server {
        place: Vec1(vec!["NL".into()]),
        manufacturer: None,
        model: None,
        status: None,
        tags: vec![],
        cores: None,
        kind: None,
        ..server()
    };
    assert_eq!(servers.servers.iter().find(|server| server.name == "s1"), Some(&expected));
}

#[tokio::test]
async fn a_whole_number_may_be_written_as_a_float() {
    let mut row = whole();
    row["cores"] = json!(8.0);
    assert_eq!(only(&load(&[row]).await.unwrap()), &server());
    let mut row = whole();
    row["cores"] = json!(8.5);
    assert!(rejected(load(&[row]).await.unwrap())[0].contains("floating point `8.5`"));
}

/// Why records were not used.
fn rejected(servers: Servers) -> Vec<String> {
    let mut nothing = Servers::default();
    nothing.servers.mark_loaded();
    Plan::new(servers, nothing).problems().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_record_that_cannot_be_used_is_rejected_and_the_others_are_not() {
    let with = |name: &str, field: &str, value: Value| {
        let mut row = whole();
        (row["id"], row["name"], row[field]) = (json!(10 + name.len()), json!(name), value);
        row
    };
    let rows = [
        whole(),
        with("dangling", "device_type", json!({"id": 99})),
        with("no list", "tags", json!("red")),
        with("type", "cores", json!("many")),
        with("large", "cores", json!(300)),
    ];
    let servers = load(&rows).await.unwrap();
    assert_eq!(only(&servers).name, "s1");
    let expected = [
        "source: server dangling__NL/AMS was rejected: `manufacturer` cannot be read: `device-types` has no 99",
        "source: server \"no list__NL/AMS\" was rejected: `tags` cannot be read: `tags` is \"red\" and not a list",
        "source: server type__NL/AMS was rejected: `cores`: invalid type: string \"many\", expected u8",
        "source: server large__NL/AMS was rejected: `cores`: invalid value: integer `300`, expected u8",
    ];
    let rejected: Vec<String> = rejected(servers);
    for (reason, expected) in rejected.iter().zip(expected) {
        assert_eq!(reason.replace('"', ""), expected.replace('"', ""));
    }
    assert_eq!(rejected.len(), expected.len());
}

#[tokio::test]
async fn a_record_that_cannot_be_told_from_others_is_an_error_that_names_its_row() {
    for (field, value, reason) in [
        (
            "name",
            json!(null),
            "its identifier (`name`, `place`) cannot be read: `name`: invalid type: null, expected a string",
        ),
        (
            "name",
            json!(7),
            "its identifier (`name`, `place`) cannot be read: `name`: invalid type: integer `7`, expected a string",
        ),
        ("location", json!({"id": 77}), "its `place` cannot be read: `locations` has no 77"),
        (
            "location",
            json!(null),
            "its identifier (`name`, `place`) cannot be read: `place`: invalid type: null, expected a sequence",
        ),
    ] {
        let mut row = whole();
        row[field] = value;
        let error = load(&[row]).await.unwrap_err().to_string();
        assert!(error.starts_with("`devices?role=server`: the server with the key \"5\" at http://"), "{error}");
        assert!(error.contains(&format!("/api/devices/5/ cannot be used: {reason}")), "{error}");
        let is_nameless = error.contains("invalid type: null");
        assert_eq!(error.contains("`#[rest(skip_unnamed)]` above the struct"), is_nameless, "{error}");
    }
}

#[tokio::test]
async fn two_rows_of_one_identifier_are_reported() {
    let mut twin = whole();
    twin["id"] = json!(6);
    let problems = rejected(load(&[whole(), twin]).await.unwrap());
    assert!(problems[0].contains("s1"), "{problems:?}");
    assert_eq!(problems.len(), 1);
}

#[tokio::test]
async fn a_tree_in_circles_is_an_error() {
    let (fake, name, client) = system(&[whole()]).await;
    fake.with(&name, |system| system.rows.get_mut("locations").unwrap()[0]["parent"] = json!({"id": 2}));
    let error = load_from(&Rest::new(client, dialect())).await.unwrap_err().to_string();
    assert!(error.ends_with("the rows of `locations` lead in circles by `parent`"), "{error}");
}

#[tokio::test]
async fn what_is_no_collection_is_an_error() {
    let wire = Wire::start([answer("[1, 2]")]).await;
    let error = load_from(&Rest::new(wire.client(), Dialect::default())).await.unwrap_err().to_string();
    assert_eq!(error, "`devices?role=server` has a row that is not an object; is it a collection?");
}

#[tokio::test]
async fn rows_may_come_from_elsewhere() {
    struct Elsewhere;
    impl RowSource for Elsewhere {
        fn rows<'a>(
            &'a self,
            client: &'a Client,
            dialect: &'a Dialect,
            collection: &'a Collection,
            seen: ProgressFn<'a>,
        ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
            if collection.path != "devices" {
                return PagedSource.rows(client, dialect, collection, seen);
            }
            assert_eq!(collection.query, [("role".to_owned(), "server".to_owned())]);
            let needs = ["cores", "device_type", "id", "location", "name", "note", "status", "tags"];
            assert_eq!(collection.fields, needs.map(str::to_owned).into_iter().collect());
            assert_eq!(collection.parts.len(), needs.len(), "all but the key, and the device type twice");
            Box::pin(async { Ok(vec![whole()]) })
        }
    }
    let (fake, name, client) = system(&[]).await;
    let servers = load_from(&Rest::new(client, dialect()).row_source(Elsewhere)).await.unwrap();
    assert_eq!(only(&servers), &server());
    assert!(
        fake.with(&name, |system| !system.asked.contains_key("GET devices") && system.asked.contains_key("GET tags"))
    );
}

/// What a look at an API finds.
async fn check(client: Client, side: Side) -> Vec<String> {
    let mut health = HealthCheck::new(side);
    Rest::<Servers>::new(client, dialect()).check(&mut health).await;
    let shown = |finding: &diffsync_core::adapter::CheckResult| {
        format!("{} {}: {}", finding.passed, finding.what, finding.detail)
    };
    health.findings().iter().map(shown).collect()
}

#[tokio::test]
async fn a_look_at_an_api_says_what_is_wrong_with_it() {
    let (fake, name, client) = system(&[whole()]).await;
    let found = check(client.clone(), Side::Target).await;
    let url = client.base_url().to_string();
    assert_eq!(
        found,
        [
            format!("true connection: {url}"),
            "true login: accepted".into(),
            "true server: 1 records in `devices`".into()
        ]
    );

    let token = "wrong".to_owned().into();
    let found = check(fake.client(&name).token_auth(&token).build().unwrap(), Side::Source).await;
    assert!(
        found.len() == 1 && found[0].starts_with("false login: GET ") && found[0].contains("check the token"),
        "{found:?}"
    );

    let found = check(fake.client("nowhere").build().unwrap(), Side::Source).await;
    assert!(found[0].starts_with("false server: GET ") && found[0].contains("404 Not Found"), "{found:?}");

    let wire = Wire::start([
        answer(r#"{"count": 0, "results": []}"#),
        reply(200, "allow: GET, HEAD\r\n", r#"{"count": 3, "results": []}"#),
    ])
    .await;
    assert_eq!(check(wire.client(), Side::Source).await.len(), 3);
    let found = check(wire.client(), Side::Target).await;
    assert_eq!(found[3], "false rights: `devices` accepts no new records");

    let gone = fake.client(&name).retry_policy(RetryPolicy::none());
    drop(fake);
    let found = check(gone.build().unwrap(), Side::Source).await;
    assert!(found[0].starts_with("false connection: GET "), "{found:?}");
}
