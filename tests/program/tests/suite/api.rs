//! A JSON API in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

/// A server of the API, and the runtime that it lives in.
pub(crate) struct Api {
    server: MockServer,
    _runtime: tokio::runtime::Runtime,
}

/// The rows of each collection, by key.
#[derive(Default)]
struct Rows(Mutex<BTreeMap<(String, u64), Value>>);

/// The answer to return instead of storing a row.
type Refusal = fn(&Request, &Value) -> Option<ResponseTemplate>;

struct Answers {
    rows: Arc<Rows>,
    refuses: Refusal,
}

impl Api {
    pub(crate) fn start() -> Self {
        Self::refusing(|_, _| None)
    }

    pub(crate) fn refusing(refuses: Refusal) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::builder().disable_request_recording().start().await;
            let answers = Answers { rows: Arc::default(), refuses };
            Mock::given(matchers::any()).respond_with(answers).mount(&server).await;
            server
        });
        Self { server, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/api", self.server.uri())
    }
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let path: Vec<_> = request.url.path().trim_start_matches("/api/").split('/').collect();
        let collection = path.first().copied().unwrap_or_default().to_owned();
        let key = path.get(1).and_then(|key| key.parse().ok());
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut rows = self.rows.0.lock().unwrap();

        if let Some(answer) = (self.refuses)(request, &body) {
            return answer;
        }
        match (request.method.as_str(), key) {
            ("GET", None) => {
                let wanted: Vec<_> = request.url.query_pairs().collect();
                let is_wanted = |row: &Value| wanted.iter().all(|(name, value)| row[&**name] == **value);
                let all = rows.iter().filter(|((of, _), row)| *of == collection && is_wanted(row));
                ResponseTemplate::new(200).set_body_json(all.map(|(_, row)| row).collect::<Vec<_>>())
            }
            ("GET", Some(key)) => match rows.get(&(collection, key)) {
                Some(row) => ResponseTemplate::new(200).set_body_json(row),
                None => ResponseTemplate::new(404),
            },
            ("POST", None) => {
                let is_taken = |row: &Value| row["name"] == body["name"];
                if rows.iter().any(|((of, _), row)| *of == collection && is_taken(row)) {
                    return ResponseTemplate::new(409).set_body_json(json!({"name": ["is taken"]}));
                }
                let key = rows.keys().map(|(_, key)| key + 1).max().unwrap_or(1);
                let mut row = body;
                row["id"] = key.into();
                rows.insert((collection, key), row.clone());
                ResponseTemplate::new(201).set_body_json(row)
            }
            ("PATCH", Some(key)) => {
                let Some(row) = rows.get_mut(&(collection, key)) else { return ResponseTemplate::new(404) };
                for (name, value) in body.as_object().into_iter().flatten() {
                    row[name] = value.clone();
                }
                ResponseTemplate::new(200).set_body_json(row)
            }
            ("DELETE", Some(key)) => {
                rows.remove(&(collection, key));
                ResponseTemplate::new(204)
            }
            _ => ResponseTemplate::new(405),
        }
    }
}
