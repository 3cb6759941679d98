//! What a real Nautobot answered, over GraphQL and over REST.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use diffsync_adapters::nautobot::{Inventory, Nautobot};
use diffsync_adapters::rest::RetryPolicy;
use diffsync_core::adapter::LoadContext;
use diffsync_core::data::Side;
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Adapter, Plan};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::rest::wire::{self, Reply, Wire};

fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded/graphql.json")).unwrap()
}

/// What it answers to a request.
fn answer(recorded: &Value, url: &Url, body: &[u8]) -> Value {
    let path = url.path().rsplit_once("/api/").unwrap().1.trim_end_matches('/');
    if path == "graphql" {
        let body: Value = serde_json::from_slice(body).unwrap();
        let query = body["query"].as_str().unwrap();
        if query.contains("__schema") {
            return json!({"data": recorded["schema"]});
        }
        if let Some(name) = body["variables"]["name"].as_str() {
            return json!({"data": recorded["types"][name]});
        }
        let lists = recorded["lists"].as_object().unwrap();
        let (name, rows) = lists.iter().find(|(name, _)| query.contains(&format!("{{ {name}("))).unwrap();
        return json!({"data": {name: rows}});
    }
    let query: Vec<_> = url.query_pairs().collect();
    let number = |name: &str| query.iter().find(|(key, _)| key == name)?.1.parse::<usize>().ok();
    let ids: Vec<_> = query.iter().filter(|(key, _)| key == "id").map(|(_, id)| id).collect();
    let is_asked = |row: &&Value| ids.is_empty() || ids.iter().any(|id| row["id"] == ***id);
    let rows: Vec<_> = recorded["rest"][path].as_array().into_iter().flatten().filter(is_asked).collect();
    let page: Vec<_> =
        rows.iter().skip(number("offset").unwrap_or_default()).take(number("limit").unwrap_or(50)).collect();
    json!({"count": rows.len(), "next": null, "previous": null, "results": page})
}

/// A server that answers as the recorded one did.
pub(super) async fn replay() -> MockServer {
    let (server, recorded) = (MockServer::start().await, recorded());
    let replay = move |request: &Request| {
        ResponseTemplate::new(200).set_body_json(answer(&recorded, &request.url, &request.body))
    };
    Mock::given(any()).respond_with(replay).mount(&server).await;
    server
}

async fn load(nautobot: Nautobot<Inventory>) -> Inventory {
    let mut data = Inventory::default();
    nautobot.load(&mut data, &LoadContext::standalone(Side::Source)).await.unwrap();
    data
}

fn token() -> Secret<String> {
    Secret::new("0123".to_owned())
}

#[tokio::test]
async fn a_recorded_nautobot_holds_the_same_through_graphql_and_rest() {
    let (server, recorded) = (replay().await, recorded());
    let url = Url::parse(&server.uri()).unwrap();
    let nautobot = || Nautobot::<Inventory>::open(&url, &token()).unwrap();
    let by_graphql = load(nautobot()).await;
    let mut asked: HashMap<bool, usize> = HashMap::new();
    for request in server.received_requests().await.unwrap() {
        *asked.entry(request.url.path().ends_with("/graphql/")).or_default() += 1;
    }
    // What there is to ask, and for each list its fields and its rows.
    assert_eq!(asked[&true], 1 + 2 * recorded["lists"].as_object().unwrap().len());
    let through_rest = load(nautobot().rest_only()).await;
    assert_eq!(by_graphql.devices.get("dev-00000").unwrap().device_type, "C9300-48P");
    assert!(by_graphql.interfaces.iter().any(|interface| interface.kind == "10gbase-x-sfpp"));
    assert!(by_graphql.locations.iter().any(|location| location.time_zone.is_some()));
    let plan = Plan::new(by_graphql, through_rest);
    assert_eq!((plan.tree().to_string(), plan.problems().len()), ("(no differences)\n".to_owned(), 0));
}

#[tokio::test]
async fn a_nautobot_that_hangs_up_or_hangs_is_read_all_the_same() {
    // So long are minutes here: a request is waited for as long beside others as the adapter has it.
    const MINUTE: Duration = Duration::from_millis(200);
    let (recorded, asked) = (recorded(), Mutex::new(HashSet::new()));
    let wire = Wire::answering(move |_, request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let url = Url::parse(&format!("http://h{}", head.split_whitespace().nth(1).unwrap())).unwrap();
        let mut asked = asked.lock().unwrap();
        if asked.insert(format!("{url} {body}")) {
            // As while its database restarts.
            return if asked.len() % 5 == 0 { Reply::Stall(Vec::new()) } else { Reply::Cut(Vec::new()) };
        }
        wire::json(&answer(&recorded, &url, body.as_bytes()).to_string())
    });
    let wire = wire.await;
    let retries =
        RetryPolicy { first_pause: Duration::from_millis(1), max_elapsed: 5 * MINUTE, ..RetryPolicy::default() };
    let nautobot = || {
        let patient = Nautobot::<Inventory>::client_builder(&wire.url, &token()).retry_policy(retries);
        let limits = patient.read_timeout(10 * MINUTE).request_timeout(Some(10 * MINUTE));
        Nautobot::new(limits.read_only_timeout(Some(2 * MINUTE)).build().unwrap())
    };
    let server = replay().await;
    let expected = Nautobot::<Inventory>::open(&Url::parse(&server.uri()).unwrap(), &token()).unwrap();
    let plan = Plan::new(load(nautobot()).await, load(expected).await);
    assert_eq!((plan.tree().to_string(), plan.problems().len()), ("(no differences)\n".to_owned(), 0));
}
