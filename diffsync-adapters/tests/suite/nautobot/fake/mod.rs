//! A Nautobot in memory. It answers as a real one of version 3.2 does, as far as the inventory needs it: pages that are cut
//! to 1000, all or nothing for lists, unknown keys that are ignored, 409 with what is in the way, GraphQL with constants
//! for choices. How a real one answers was recorded; see `recorded/`.

mod graphql;
mod rest;
mod schema;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use diffsync_core::value::{Secret, Url};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) use self::state::State;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const READ_ONLY: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// How many bytes a URL may have.
const LONGEST_URL: usize = 8000;

/// The server.
pub(crate) struct Fake {
    server: MockServer,
    inner: Arc<Inner>,
}

struct Inner {
    base: Mutex<String>,
    graphql: bool,
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    asked: Mutex<Vec<String>>,
}

type Trouble = Box<dyn FnMut(&mut State) -> Option<ResponseTemplate> + Send>;

/// What happens at the next requests of a method for a path.
struct Fault {
    method: &'static str,
    path: &'static str,
    times: usize,
    trouble: Trouble,
}

impl Fake {
    /// A new Nautobot, with what every new one has.
    pub(crate) async fn new() -> Self {
        Self::with(State::new(), true).await
    }

    /// One that offers no GraphQL.
    pub(crate) async fn rest_only() -> Self {
        Self::with(State::new(), false).await
    }

    pub(crate) async fn with(state: State, graphql: bool) -> Self {
        let inner = Arc::new(Inner {
            base: Mutex::default(),
            graphql,
            state: Mutex::new(state),
            faults: Mutex::default(),
            asked: Mutex::default(),
        });
        let server = MockServer::start().await;
        *inner.base.lock().unwrap() = server.uri();
        Mock::given(any()).respond_with(Answers(inner.clone())).mount(&server).await;
        Self { server, inner }
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&self.server.uri()).unwrap()
    }

    pub(crate) fn token() -> Secret<String> {
        Secret::new(TOKEN.to_owned())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap()
    }

    /// What was asked so far, as `GET dcim/devices/?limit=1`, and forgets it.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.inner.asked.lock().unwrap())
    }

    /// At the next requests of this method for this path something else happens, or happens before.
    pub(crate) fn at(
        &self,
        method: &'static str,
        path: &'static str,
        times: usize,
        trouble: impl FnMut(&mut State) -> Option<ResponseTemplate> + Send + 'static,
    ) {
        self.inner.faults.lock().unwrap().push(Fault { method, path, times, trouble: Box::new(trouble) });
    }

    /// The next requests are answered like this.
    pub(crate) fn answers(&self, method: &'static str, path: &'static str, times: usize, answer: ResponseTemplate) {
        self.at(method, path, times, move |_| Some(answer.clone()));
    }
}

struct Answers(Arc<Inner>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let inner = &*self.0;
        // The real one hangs up.
        if request.url.as_str().len() > LONGEST_URL {
            return ResponseTemplate::new(414);
        }
        let path = request.url.path().trim_start_matches("/api/");
        let method = request.method.as_str();
        let query = request.url.query().map_or_else(String::new, |query| format!("?{query}"));
        inner.asked.lock().unwrap().push(format!("{method} {path}{query}"));
        let mut state = inner.state.lock().unwrap();
        let mut faults = inner.faults.lock().unwrap();
        if let Some(at) = faults.iter().position(|fault| fault.method == method && path.starts_with(fault.path)) {
            let fault = &mut faults[at];
            fault.times -= 1;
            let answer = (fault.trouble)(&mut state);
            if fault.times == 0 {
                faults.remove(at);
            }
            if let Some(answer) = answer {
                return answer;
            }
        }
        let token = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        let may_write = match token.and_then(|value| value.strip_prefix("Token ")) {
            Some(TOKEN) => true,
            Some(READ_ONLY) => false,
            Some(_) => return rest::json_of(403, json!({"detail": "Invalid token"})),
            None => return rest::json_of(403, json!({"detail": "Authentication credentials were not provided."})),
        };
        if path == "graphql/" {
            if !inner.graphql {
                return rest::json_of(404, json!({"detail": "Not found."}));
            }
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            return graphql::answer(&state, &body);
        }
        let base = inner.base.lock().unwrap().clone();
        rest::answer(&mut state, &base, path, request, may_write)
    }
}
