//! The fake's REST API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wiremock::{Request, ResponseTemplate};

use super::schema::{self, Collection, Kind};
use super::state::{Row, State, Wrong, title_of};

/// The most rows that a page has, whatever is asked for.
const CAP: usize = 1000;

/// The most bytes that a body may have.
const LONGEST_BODY: usize = 2_621_440;

/// What it answers where it breaks.
fn broken(exception: &str, error: &str) -> ResponseTemplate {
    json_of(500, json!({"error": error, "exception": exception, "nautobot_version": state_version()}))
}

/// Answers a request for a path below `/api/`.
pub(crate) fn answer(
    state: &mut State,
    base: &str,
    path: &str,
    request: &Request,
    may_write: bool,
) -> ResponseTemplate {
    let method = request.method.as_str();
    if !path.ends_with('/') {
        return ResponseTemplate::new(301).insert_header("Location", format!("/api/{path}/"));
    }
    let (path, id) = match path.trim_end_matches('/').rsplit_once('/') {
        Some((path, id)) if id.len() == 36 => (path, Some(id)),
        _ => (path.trim_end_matches('/'), None),
    };
    if path == "status" {
        return json_of(200, json!({"nautobot-version": state_version(), "celery-workers-running": 1}));
    }
    let Some(collection) = schema::at(path) else { return json_of(404, json!({"detail": "Not found."})) };
    if !may_write && !matches!(method, "GET" | "OPTIONS") {
        return json_of(403, json!({"detail": "You do not have permission to perform this action."}));
    }
    if method == "GET" && state.hidden.contains(path) {
        return json_of(403, json!({"detail": "You do not have permission to perform this action."}));
    }
    if method == "OPTIONS" {
        let actions = if may_write { json!({"POST": {}, "PUT": {}}) } else { json!({}) };
        return json_of(200, json!({"name": path, "actions": actions}));
    }
    if request.body.len() > LONGEST_BODY {
        return broken("RequestDataTooBig", "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.");
    }
    let body = match (&request.body[..], serde_json::from_slice::<Value>(&request.body)) {
        ([], _) => Value::Null,
        (_, Ok(body)) => body,
        (_, Err(error)) => return json_of(400, json!({"detail": format!("JSON parse error - {error}")})),
    };
    let api = Api { state, base, collection };
    match (method, id) {
        ("GET", None) => api.list(request),
        ("GET", Some(id)) => match api.state.row(collection.path, id) {
            Some(row) => json_of(200, api.shown(row)),
            None => json_of(404, json!({"detail": "No such record matches the given query."})),
        },
        ("POST", None) => api.create(&body),
        ("PATCH", None) => api.update(&body),
        ("PATCH", Some(id)) => {
            let mut body = body;
            body["id"] = json!(id);
            api.update(&json!([body]))
        }
        ("DELETE", None) => api.delete(&body),
        ("DELETE", Some(id)) => api.delete(&json!([{"id": id}])),
        _ => json_of(405, json!({"detail": format!("Method \"{method}\" not allowed.")})),
    }
}

fn state_version() -> &'static str {
    "3.2.7"
}

pub(crate) fn json_of(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

struct Api<'a> {
    state: &'a mut State,
    base: &'a str,
    collection: &'static Collection,
}

impl Api<'_> {
    fn list(self, request: &Request) -> ResponseTemplate {
        let mut rows: Vec<&Row> = self.state.of(self.collection.path).iter().collect();
        let (mut limit, mut offset) = (50, 0);
        let mut wanted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (name, value) in request.url.query_pairs() {
            match &*name {
                "limit" => limit = value.parse().unwrap(),
                "offset" => offset = value.parse().unwrap(),
                "depth" | "exclude_m2m" => {}
                "id" => wanted.entry("id".to_owned()).or_default().push(json!(value)),
                "sort" if value == "id" => rows.sort_by_key(|row| row["id"].as_str().map(str::to_owned)),
                name if self.collection.kind(self.field(name)).is_some() => {
                    let kind = self.collection.kind(self.field(name)).unwrap();
                    let value = match kind {
                        Kind::Flag(_) => json!(value == "true"),
                        _ => json!(value),
                    };
                    if kind.leads_to().is_some_and(|path| !self.is_choice(name, path, &value)) {
                        let value = value.as_str().unwrap();
                        let said = format!("Select a valid choice. {value} is not one of the available choices.");
                        return json_of(400, json!({name: [said]}));
                    }
                    wanted.entry(self.field(name).to_owned()).or_default().push(value);
                }
                // No address here is translated into another.
                "nat_inside" if self.collection.path == "ipam/ip-addresses" => rows.clear(),
                "vlan" if self.collection.path == "vpn/vpn-terminations" => rows.clear(),
                other => return json_of(400, json!({other: ["Unknown filter field"]})),
            }
        }
        // Any of the values of a parameter, and all of the parameters.
        let has = |value: &Value, values: &[Value]| match value {
            Value::Array(items) => items.iter().any(|item| values.contains(item)),
            Value::Number(number) => values.contains(&json!(number.to_string())),
            value => values.contains(value),
        };
        rows.retain(|row| wanted.iter().all(|(name, values)| has(&row[name], values)));
        // The real one takes 0 for all it gives at most, too.
        let limit = if limit == 0 { CAP } else { limit.min(CAP) };
        let count = rows.len();
        let results: Vec<_> = rows.into_iter().skip(offset).take(limit).map(|row| self.shown(row)).collect();
        let path = self.collection.path;
        let next = (offset + limit < count)
            .then(|| format!("{}/api/{path}/?limit={limit}&offset={}", self.base, offset + limit));
        json_of(200, json!({"count": count, "next": next, "previous": null, "results": results}))
    }

    /// The field that a parameter asks for. That of a list is named by one of it.
    fn field<'n>(&self, parameter: &'n str) -> &'n str {
        match (self.collection.path, parameter) {
            ("extras/config-contexts", "location_id") => "locations",
            ("extras/config-contexts", "tenant_group_id") => "tenant_groups",
            ("extras/config-contexts", "tenant_id") => "tenants",
            ("extras/config-contexts", "platform_id") => "platforms",
            ("extras/config-contexts", "device_type_id") => "device_types",
            // Services cannot be searched by their addresses.
            ("ipam/services", "ip_addresses") => "",
            _ => parameter,
        }
    }

    /// Whether a parameter takes the id of this record: only what is a LAG has members.
    fn is_choice(&self, name: &str, path: &str, id: &Value) -> bool {
        let row = self.state.row(path, id.as_str().unwrap());
        row.is_some_and(|row| name != "lag" || row["type"] == "lag")
    }

    /// All or none of them.
    fn create(self, body: &Value) -> ResponseTemplate {
        let many = body.is_array();
        let bodies = body.as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        let before = self.state.clone();
        let mut rows = Vec::new();
        let mut wrong: Vec<Wrong> = Vec::new();
        // PostgreSQL keeps no such character in JSON.
        if bodies.iter().any(|body| body["custom_fields"].to_string().contains("\\u0000")) {
            return broken("DataError", "unsupported Unicode escape sequence");
        }
        for body in &bodies {
            let empty = Map::new();
            match self.state.created(self.collection, body.as_object().unwrap_or(&empty)) {
                Ok(row) => {
                    rows.push(row);
                    wrong.push(Map::new());
                }
                Err(what) => wrong.push(what),
            }
        }
        if wrong.iter().any(|wrong| !wrong.is_empty()) {
            *self.state = before;
            return json_of(400, if many { json!(wrong) } else { json!(wrong[0]) });
        }
        let shown: Vec<_> = rows.iter().zip(&bodies).map(|(row, body)| self.echoed(row, body)).collect();
        json_of(201, if many { json!(shown) } else { shown[0].clone() })
    }

    /// All or none of those that exist; the first that is wrong is what is said.
    fn update(self, body: &Value) -> ResponseTemplate {
        let before = self.state.clone();
        let mut shown = Vec::new();
        for body in body.as_array().unwrap() {
            let id = body["id"].as_str().unwrap_or_default();
            if self.state.row(self.collection.path, id).is_none() {
                continue;
            }
            match self.state.updated(self.collection, id, body.as_object().unwrap()) {
                Ok(row) => shown.push(self.echoed(&row, body)),
                Err(wrong) => {
                    *self.state = before;
                    return json_of(400, json!(wrong));
                }
            }
        }
        json_of(200, json!(shown))
    }

    /// All or none of those that exist.
    fn delete(self, body: &Value) -> ResponseTemplate {
        let before = self.state.clone();
        for body in body.as_array().unwrap() {
            let id = body["id"].as_str().unwrap_or_default();
            if self.state.row(self.collection.path, id).is_none() {
                continue;
            }
            if let Err(names) = self.state.deleted(self.collection.path, id) {
                *self.state = before;
                let said = format!(
                    "Unable to delete object. {} dependent objects were found: {}",
                    names.len(),
                    names.join(", ")
                );
                return json_of(409, json!({"detail": said}));
            }
        }
        ResponseTemplate::new(204)
    }

    /// A record as it answers to what writes it: a hardware address as it was sent, though another form of it is stored.
    fn echoed(&self, row: &Row, body: &Value) -> Value {
        let mut shown = self.shown(row);
        if let Some(sent) = body.get("mac_address").filter(|sent| sent.is_string()) {
            shown["mac_address"] = sent.clone();
        }
        shown
    }

    /// A record as the API gives it with `depth=0`.
    fn shown(&self, row: &Row) -> Value {
        let collection = self.collection;
        let id = row["id"].as_str().unwrap();
        let url = format!("{}/api/{}/{id}/", self.base, collection.path);
        let mut shown = json!({"id": id, "object_type": collection.object_type, "url": url, "display": title_of(row)});
        for (name, kind) in collection.fields {
            let value = &row[*name];
            shown[*name] = match kind {
                Kind::Choice(..) if value == "" || value.is_null() => Value::Null,
                Kind::Choice(..) => json!({"value": value, "label": value.as_str().unwrap().to_uppercase()}),
                Kind::Many(path) => value.as_array().unwrap().iter().map(|id| self.link(path, id)).collect(),
                kind if kind.leads_to().is_some() => self.link(kind.leads_to().unwrap(), value),
                Kind::Own if *name == "parent" => self.parent(row),
                _ => value.clone(),
            };
        }
        if collection.custom_fields {
            let known = self.state.custom_fields_of(collection);
            let data = &row["_custom_field_data"];
            shown["custom_fields"] =
                known.into_iter().map(|key| (key.clone(), data[&key].clone())).collect::<Row>().into();
        }
        shown
    }

    fn link(&self, path: &str, id: &Value) -> Value {
        let Some(id) = id.as_str() else { return Value::Null };
        let object_type = schema::at(path).unwrap().object_type;
        json!({"id": id, "object_type": object_type, "url": format!("{}/api/{path}/{id}/", self.base)})
    }

    /// The prefix that an address is in. A prefix has one too, which nobody asks for.
    fn parent(&self, row: &Row) -> Value {
        let Some(host) = row.get("host").and_then(Value::as_str) else { return Value::Null };
        let parent = self.state.parent_of(&row["parent_namespace"], host.parse().unwrap());
        self.link("ipam/prefixes", parent.map_or(&Value::Null, |parent| &parent["id"]))
    }
}
