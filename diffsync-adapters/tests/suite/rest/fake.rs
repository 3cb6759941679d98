//! A JSON API in memory that behaves like those of the frameworks of Django: pages by offset, lists of records, one error
//! object for each row of a list, 409 for what is in use, and paths that end with a slash.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use diffsync_adapters::rest::{Client, ClientBuilder, CollectionFormat, Dialect, Pagination};
use diffsync_core::value::{Secret, Url};
use serde_json::{Map, Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

pub(super) const TOKEN: &str = "0123456789abcdef";

/// A server that holds any number of systems, each below a path of its own.
pub(super) struct Fake {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    systems: HashMap<String, System>,
    last_key: u64,
    /// A change of the system before a request, once.
    before: Vec<(String, Change)>,
    /// The answer to return instead, after the request was carried out.
    instead: Vec<(String, u16)>,
}

type Change = Box<dyn FnOnce(&mut System) + Send>;

/// The collections of a system.
#[derive(Default, Clone)]
pub(super) struct System {
    pub(super) rows: BTreeMap<String, Vec<Map<String, Value>>>,
    /// The number of requests, by method and path.
    pub(super) asked: BTreeMap<String, usize>,
    /// Whether it answers writes with as little as possible.
    pub(super) is_terse: bool,
    /// The row at which it breaks when a list holds it.
    pub(super) breaks_at: Option<u64>,
    /// The row that it does not delete, without a word.
    pub(super) holds_on_to: Option<u64>,
}

/// The fields that refer to other collections, in any collection.
const KEYS: [(&str, &str); 6] = [
    ("parent", "locations"),
    ("location", "locations"),
    ("manufacturer", "manufacturers"),
    ("device_type", "device-types"),
    ("device", "devices"),
    ("primary", "addresses"),
];

impl Fake {
    pub(super) async fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let server = MockServer::builder().disable_request_recording().start().await;
        Mock::given(matchers::any()).respond_with(Answers(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// A new system, and a client of it.
    pub(super) fn system(&self) -> (String, Client) {
        let name = {
            let mut state = self.state.lock().unwrap();
            let name = format!("s{}", state.systems.len());
            let mut system = System::default();
            for (key, name) in [(1, "Cisco"), (2, "Arista")] {
                system.add("manufacturers", json!({"id": key, "name": name}));
                system.add("device-types", json!({"id": key, "model": "M1", "manufacturer": {"id": key}}));
                system.add("device-types", json!({"id": key + 10, "model": "M2", "manufacturer": {"id": key}}));
            }
            for (key, name) in [(1, "red"), (2, "blue"), (3, "owned")] {
                system.add("tags", json!({"id": key, "name": name}));
            }
            state.systems.insert(name.clone(), system);
            name
        };
        let client = self.client(&name).build().unwrap();
        (name, client)
    }

    pub(super) fn client(&self, system: &str) -> ClientBuilder {
        let url = Url::parse(&format!("{}/{system}/api", self.server.uri())).unwrap();
        Client::builder(url).token_auth(&Secret::new(TOKEN.to_owned())).trailing_slash(true)
    }

    /// Changes a system before a request such as `PATCH devices`.
    pub(super) fn before(&self, asked: &str, change: impl FnOnce(&mut System) + Send + 'static) {
        self.state.lock().unwrap().before.push((asked.to_owned(), Box::new(change)));
    }

    /// Carries out a request, and loses its answer.
    pub(super) fn lose(&self, asked: &str, status: u16) {
        self.state.lock().unwrap().instead.push((asked.to_owned(), status));
    }

    /// Looks at a system, or changes it.
    pub(super) fn with<R>(&self, system: &str, look: impl FnOnce(&mut System) -> R) -> R {
        look(self.state.lock().unwrap().systems.get_mut(system).unwrap())
    }
}

/// How the fake gives its collections.
pub(super) fn dialect() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.collection_format = CollectionFormat {
        pagination: Pagination::Offset { offset: "offset".into(), limit: "limit".into(), size: 7 },
        rows: "/results".into(),
        total: Some("/count".into()),
    };
    dialect
}

impl System {
    pub(super) fn add(&mut self, collection: &str, row: Value) {
        let Value::Object(row) = row else { panic!("{row}") };
        self.rows.entry(collection.to_owned()).or_default().push(row);
    }

    fn find(&mut self, collection: &str, key: &Value) -> Option<&mut Map<String, Value>> {
        let rows = self.rows.get_mut(collection)?;
        let wanted = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        rows.iter_mut().find(|row| row["id"].as_u64().is_some_and(|id| id.to_string() == wanted))
    }

    /// The errors of values for a row.
    fn fault(&self, collection: &str, key: Option<&Value>, row: &Map<String, Value>) -> Option<Value> {
        for (field, other) in KEYS {
            let named = row.get(field).map(|named| named.get("id").unwrap_or(named));
            let Some(named) = named.filter(|named| !named.is_null()) else { continue };
            if !self.rows.get(other).into_iter().flatten().any(|row| row["id"] == *named) {
                return Some(json!({field: [format!("Related object not found: {named}")]}));
            }
        }
        if row.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("bad")) {
            return Some(json!({"name": ["is not wanted"]}));
        }
        let unique = |field: &str| {
            let rows = self.rows.get(collection).into_iter().flatten();
            let mut others = rows.filter(|other| key.is_none_or(|key| other["id"] != *key));
            let above =
                |row: &Map<String, Value>| row.get("parent").map(|above| above.get("id").unwrap_or(above).clone());
            row.get(field).is_some_and(|value| {
                others.any(|other| {
                    other.get(field) == Some(value)
                        && above(other).unwrap_or_default() == above(row).unwrap_or_default()
                })
            })
        };
        let field = if collection == "addresses" { "address" } else { "name" };
        unique(field).then(|| json!({"non_field_errors": [format!("{field} must be unique")]}))
    }

    /// What hinders a row from being deleted.
    fn dependant(&self, collection: &str, key: &Value) -> Option<String> {
        let all = self.rows.iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)));
        let mut fields = all.flat_map(|(name, row)| row.iter().map(move |(field, value)| (name, row, field, value)));
        fields.find_map(|(name, row, field, value)| {
            let leads = KEYS.contains(&(field.as_str(), collection)) && value.get("id") == Some(key);
            leads.then(|| format!("{name} {}", row["id"]))
        })
    }
}

/// Takes values over into a row, as a PATCH does; a PUT begins with an empty one.
fn take_over(row: &mut Map<String, Value>, values: &Map<String, Value>) {
    for (name, value) in values {
        let is_key = KEYS.iter().any(|(field, _)| field == name);
        let value = match (name.as_str(), value) {
            ("id" | "password", _) => continue,
            (_, value) if is_key && !value.is_null() => json!({"id": value, "url": "http://elsewhere/"}),
            ("tags", Value::Array(keys)) => keys.iter().map(|key| json!({"id": key})).collect(),
            ("status", value) if !value.is_null() => json!({"value": value, "label": "…"}),
            ("custom_fields", Value::Object(new)) => {
                let mut fields = row.get("custom_fields").and_then(Value::as_object).cloned().unwrap_or_default();
                fields.extend(new.clone());
                fields.into()
            }
            (_, value) => value.clone(),
        };
        row.insert(name.clone(), value);
    }
    // Fields that are never returned.
    if let Some(password) = values.get("password") {
        row.insert("password_set".into(), (!password.is_null()).into());
    }
}

struct Answers(Arc<Mutex<State>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let token = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        if token != Some(&format!("Token {TOKEN}")) {
            return answer(403, &json!({"detail": "Invalid token"}));
        }
        let path = request.url.path();
        if !path.ends_with('/') {
            return ResponseTemplate::new(301).insert_header("location", format!("{path}/").as_str());
        }
        let mut steps = path.trim_matches('/').split('/');
        let (system, _, collection, key) = (steps.next(), steps.next(), steps.next(), steps.next());
        let mut state = self.0.lock().unwrap();
        let state = &mut *state;
        let Some(system) = system.and_then(|name| state.systems.get_mut(name)) else {
            return answer(404, &json!({"detail": "Not found."}));
        };
        let collection = collection.unwrap_or_default().to_owned();
        let asked = format!("{} {collection}", request.method);
        *system.asked.entry(asked.clone()).or_default() += 1;
        while let Some(at) = state.before.iter().position(|(when, _)| *when == asked) {
            (state.before.remove(at).1)(system);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let rows = || body.as_array().into_iter().flatten();
        let breaks = system.breaks_at.is_some_and(|key| rows().any(|row| row["id"] == key));
        if breaks || request.url.as_str().len() > 8000 {
            return ResponseTemplate::new(if breaks { 500 } else { 414 });
        }
        let answered = match (request.method.as_str(), key) {
            ("GET", None) => page(system, &collection, request),
            ("POST", None) => create(system, &mut state.last_key, &collection, body),
            ("PATCH" | "PUT", Some(key)) => {
                change_one(system, &collection, &Value::from(key), body, request.method == "PUT")
            }
            ("PATCH" | "PUT", None) => change_many(system, &collection, &body, request.method == "PUT"),
            ("DELETE", Some(key)) => delete(system, &collection, vec![Value::from(key)], true),
            ("DELETE", None) => {
                let keys = rows().map(|row| &row["id"]).filter(|key| key.as_u64() != system.holds_on_to);
                let keys = keys.cloned().collect();
                delete(system, &collection, keys, false)
            }
            _ => answer(405, &json!({"detail": "Method not allowed"})),
        };
        match state.instead.iter().position(|(when, _)| *when == asked) {
            Some(at) => ResponseTemplate::new(state.instead.remove(at).1),
            None => answered,
        }
    }
}

fn answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn page(system: &System, collection: &str, request: &Request) -> ResponseTemplate {
    let number = |name: &str| request.url.query_pairs().find(|(key, _)| key == name)?.1.parse::<usize>().ok();
    let (limit, offset) = (number("limit").unwrap_or(5).min(5), number("offset").unwrap_or(0));
    let mut rows = system.rows.get(collection).cloned().unwrap_or_default();
    let wanted: Vec<_> = request.url.query_pairs().filter(|(name, _)| name == "id").map(|(_, key)| key).collect();
    rows.retain(|row| wanted.is_empty() || wanted.iter().any(|key| *key == row["id"].to_string()));
    let results: Vec<_> = rows.iter().skip(offset).take(limit).collect();
    answer(200, &json!({"count": rows.len(), "next": null, "results": results}))
}

fn create(system: &mut System, last_key: &mut u64, collection: &str, body: Value) -> ResponseTemplate {
    let is_list = body.is_array();
    let bodies = if let Value::Array(bodies) = body { bodies } else { vec![body] };
    let mut after = system.clone();
    let (mut faults, mut created) = (Vec::new(), Vec::new());
    for body in bodies {
        let Value::Object(values) = body else { return answer(400, &json!({"detail": "no object"})) };
        let fault = after.fault(collection, None, &values);
        if fault.is_none() {
            *last_key += 1;
            let mut row = Map::from_iter([("id".to_owned(), json!(*last_key + 1000))]);
            take_over(&mut row, &values);
            after.rows.entry(collection.to_owned()).or_default().push(row.clone());
            created.push(row);
        }
        faults.push(fault.unwrap_or_else(|| json!({})));
    }
    if created.len() < faults.len() {
        return answer(400, &if is_list { json!(faults) } else { faults.swap_remove(0) });
    }
    *system = after;
    if system.is_terse {
        for row in &mut created {
            row.retain(|name, _| name == "id");
        }
    }
    if is_list { answer(201, &json!(created)) } else { answer(201, &json!(created[0])) }
}

fn change(
    system: &mut System,
    collection: &str,
    key: &Value,
    values: &Map<String, Value>,
    replaces: bool,
) -> Result<Value, Option<Value>> {
    let Some(row) = system.find(collection, key) else { return Err(None) };
    let mut changed = row.clone();
    if replaces {
        changed.retain(|name, _| name == "id" || name == "password_set");
    }
    take_over(&mut changed, values);
    let key = changed["id"].clone();
    if let Some(fault) = system.fault(collection, Some(&key), &changed) {
        return Err(Some(fault));
    }
    if let Some(row) = system.find(collection, &key) {
        row.clone_from(&changed);
    }
    Ok(changed.into())
}

fn change_one(system: &mut System, collection: &str, key: &Value, body: Value, replaces: bool) -> ResponseTemplate {
    let Value::Object(values) = body else { return answer(400, &json!({"detail": "no object"})) };
    match change(system, collection, key, &values, replaces) {
        Ok(_) if system.is_terse => ResponseTemplate::new(204),
        Ok(row) => answer(200, &row),
        Err(Some(fault)) => answer(400, &fault),
        Err(None) => answer(404, &json!({"detail": "No such object."})),
    }
}

/// Unknown keys are ignored, and the first fault ends it all.
fn change_many(system: &mut System, collection: &str, body: &Value, replaces: bool) -> ResponseTemplate {
    let mut after = system.clone();
    let mut changed = Vec::new();
    for body in body.as_array().into_iter().flatten() {
        let Value::Object(values) = body else { return answer(400, &json!({"detail": "no object"})) };
        match change(&mut after, collection, &values["id"], values, replaces) {
            Ok(row) => changed.push(row),
            Err(Some(fault)) => return answer(400, &fault),
            Err(None) => {}
        }
    }
    *system = after;
    if system.is_terse { ResponseTemplate::new(204) } else { answer(200, &json!(changed)) }
}

fn delete(system: &mut System, collection: &str, keys: Vec<Value>, one: bool) -> ResponseTemplate {
    let mut after = system.clone();
    for key in keys {
        let Some(key) = after.find(collection, &key).map(|row| row["id"].clone()) else {
            if one {
                return answer(404, &json!({"detail": "No such object."}));
            }
            continue;
        };
        if let Some(rows) = after.rows.get_mut(collection) {
            rows.retain(|row| row["id"] != key);
        }
        if let Some(dependant) = after.dependant(collection, &key) {
            return answer(409, &json!({"detail": format!("Unable to delete object: {dependant} depends on it")}));
        }
    }
    *system = after;
    ResponseTemplate::new(204)
}
