//! A client of a JSON API: it logs in, keeps to a pace, tries again, and says clearly what went wrong.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use diffsync_core::{Secret, Url, report_retry, with_causes};
use governor::DefaultDirectRateLimiter;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::body::Keep;
use super::error::{Error, ErrorKind, Failure};
use super::retry::{Retries, retry_after};
use super::settings::ClientBuilder;
use super::shown::{self, Hidden};

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// A client of a JSON API. Copies share connections, pace and limits.
///
/// Reading is tried again whenever it may help; writing only where the server surely did nothing. Redirects are followed
/// when reading, within the host, and never when writing.
///
/// ```no_run
/// use diffsync_adapters::rest::Client;
/// use diffsync_core::{Secret, Url};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder(Url::parse("https://nautobot.example/api")?)
///     .token(&Secret::new("0123".to_owned()))
///     .header("Accept", "application/json; version=2.4")
///     .trailing_slash(true)
///     .requests_per_second(20.0)
///     .build()?;
/// let vlans = client.get("ipam/vlans").query("limit", "50").send().await?;
/// println!("{}", vlans.body["count"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Parts>);

/// What a client is made of.
pub(super) struct Parts {
    pub(super) http: reqwest::Client,
    pub(super) base: Url,
    pub(super) login: Option<(Secret<String>, Secret<String>)>,
    pub(super) slash: bool,
    pub(super) pace: Option<DefaultDirectRateLimiter>,
    pub(super) slots: Semaphore,
    pub(super) concurrency: usize,
    pub(super) retries: Retries,
    pub(super) reading_limit: Option<Duration>,
    pub(super) hidden: Hidden,
    pub(super) max_body: usize,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.0.base.as_str()).finish_non_exhaustive()
    }
}

/// A request that is being made up.
#[must_use = "`send` makes the request"]
pub struct Request {
    client: Client,
    method: Method,
    url: Result<Url, String>,
    body: Option<Secret<Value>>,
    hidden: Hidden,
    reads: bool,
    keep: Option<Keep>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.as_ref().map(|url| shown::url(url, &self.hidden));
        f.debug_struct("Request").field("method", &self.method).field("url", &url).finish_non_exhaustive()
    }
}

/// What a server answered to a request that succeeded.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, `null` if there is none, or no more than a word that it was written.
    pub body: Value,
    /// Where the answer came from.
    pub url: Url,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its headers and its body may hold anything.
        let url = shown::url(&self.url, &Hidden::default());
        f.debug_struct("Answer").field("status", &self.status).field("url", &url).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the API at this address: every path is put behind it.
    pub fn builder(base: Url) -> ClientBuilder {
        ClientBuilder::new(base)
    }

    pub(super) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The address of the API.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.0.base
    }

    /// How many requests are made at the same time.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.0.concurrency
    }

    /// Asks for what is at a path below the API's address.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// A request of any method for a path below the API's address. The path may end with a query behind a `?`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let reads = matches!(method, Method::GET | Method::HEAD);
        let hidden = self.0.hidden.clone();
        Request { client: self.clone(), method, url: Ok(self.url(path)), body: None, hidden, reads, keep: None }
    }

    /// Asks for what is at a URL that the server itself gave, which must be one of its own.
    pub(super) fn follow(&self, url: Url) -> Request {
        Request { url: self.own(url), ..self.get("") }
    }

    /// The URL of a path.
    fn url(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let path = path.trim_matches('/');
        let base = &self.0.base;
        let slash = if self.0.slash && !path.is_empty() { "/" } else { "" };
        let mut url = base.clone();
        url.set_path(&format!("{}{path}{slash}", base.path()));
        url.set_query(query);
        url
    }

    /// The URL of a path, as it may be shown.
    pub(super) fn shown_url(&self, path: &str) -> String {
        shown::url(&self.url(path), &self.0.hidden)
    }

    /// A URL that the server gave, if it leads to the server itself. One that only forgets that it is reached through
    /// TLS is put right.
    fn own(&self, mut url: Url) -> Result<Url, String> {
        let base = &self.0.base;
        if url.host_str() == base.host_str() && url.port() == base.port() && matches!(url.scheme(), "http" | "https") {
            if url.scheme() != base.scheme() && url.set_scheme(base.scheme()).is_err() {
                return Err("the server gave a URL that is none".into());
            }
            return Ok(url);
        }
        let (given, own) = (shown::url(&url, &self.0.hidden), base.origin().ascii_serialization());
        Err(format!("the server leads to {given}, which is not at {own}: the login is not sent there"))
    }
}

impl Request {
    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn hidden(&self) -> &Hidden {
        &self.hidden
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(url) = &mut self.url {
            url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    /// Sends a document.
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(Secret::new(body));
        self
    }

    /// Says that it changes nothing, whatever its method, as a query that is sent with `POST`: it is made again whenever that
    /// may help.
    pub fn reading(mut self) -> Self {
        self.reads = true;
        self
    }

    /// Keeps no more than this of the answer.
    pub(super) fn keeping(mut self, keep: Option<&Keep>) -> Self {
        self.keep = keep.cloned();
        self
    }

    /// Keeps texts out of whatever is said of the request: the secrets in its body.
    pub fn hiding(mut self, texts: &[String]) -> Self {
        self.hidden = self.hidden.with(texts);
        self
    }

    /// Makes the request, if need be several times.
    ///
    /// # Errors
    ///
    /// If there is no answer, the answer is no success, or its body is not JSON.
    pub async fn send(self) -> Result<Answer, Error> {
        self.sent().await
    }

    /// The same of a request that is still needed, to say what its answer means.
    pub(super) async fn sent(&self) -> Result<Answer, Error> {
        let retries = self.client.0.retries;
        let begun = Instant::now();
        let mut pauses = retries.pauses();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match self.once().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = error.may_go_away() && (self.reads || error.did_nothing());
            let wanted = error.retry_after().unwrap_or_default();
            if !again || wanted > retries.longest_wait {
                return Err(error);
            }
            let Some(pause) = pauses.next().map(|pause| pause.max(wanted)) else { return Err(error) };
            if begun.elapsed() + pause > retries.total {
                return Err(error);
            }
            report_retry(attempt, pause, &error);
            sleep(pause).await;
        }
    }

    /// Makes the request once, and follows where it leads.
    async fn once(&self) -> Result<Answer, Error> {
        let mut url =
            self.url.clone().map_err(|detail| self.failed(&self.client.0.base, ErrorKind::Request, detail))?;
        for _ in 0..=REDIRECTS {
            let (status, location) = match self.ask(&url).await? {
                Asked::Answered(answer) => return Ok(answer),
                Asked::Elsewhere(status, location) => (status, location),
            };
            url = self.redirected(&url, &location).map_err(|error| self.after_redirect(status, error))?;
        }
        Err(self.failed(&url, ErrorKind::Redirect, "the server leads in circles"))
    }

    /// What a redirect that is not followed says of a change: with 302 and 303 a server also answers what it has carried out.
    fn after_redirect(&self, status: StatusCode, error: Error) -> Error {
        let may_be_done = matches!(status, StatusCode::FOUND | StatusCode::SEE_OTHER);
        if may_be_done && !self.reads { error.judged_foreign() } else { error }
    }

    /// Where a redirect leads, if it is to be followed.
    fn redirected(&self, from: &Url, location: &str) -> Result<Url, Error> {
        let refuse = |detail: String| self.failed(from, ErrorKind::Redirect, detail);
        let to = from.join(location).map_err(|_| refuse("the server redirects to what is no URL".into()))?;
        let shown = shown::url(&to, &self.hidden);
        let only_slash = to.path().trim_end_matches('/') == from.path().trim_end_matches('/');
        if !matches!(self.method, Method::GET | Method::HEAD) {
            let error = refuse(format!("the server redirects to {shown}; a change is not sent on"));
            let hint = if only_slash && to.path().ends_with('/') {
                "its paths end with a slash: set `trailing_slash(true)`"
            } else {
                "is this the API's address?"
            };
            return Err(error.hinted(hint));
        }
        let upgraded = to.scheme() == "https" && from.scheme() == "http" && to.host_str() == from.host_str();
        if upgraded && to.port() == from.port() {
            // The login was just sent in the clear; to go on with it would hide that.
            return Err(
                refuse(format!("the server redirects to {shown}")).hinted("use `https://` in the API's address")
            );
        }
        if to.origin() != from.origin() {
            let error = refuse(format!("the server redirects to {shown}; the login is not sent there"));
            return Err(error.hinted("is this the API's address?"));
        }
        Ok(to)
    }

    async fn ask(&self, url: &Url) -> Result<Asked, Error> {
        let parts = &*self.client.0;
        if let Some(pace) = &parts.pace {
            pace.until_ready().await;
        }
        let slot = parts.slots.acquire().await;
        let mut request = parts.http.request(self.method.clone(), url.clone());
        if let Some((user, password)) = &parts.login {
            request = request.basic_auth(user.expose(), Some(password.expose()));
        }
        if let Some(body) = &self.body {
            request = request.json(body.expose());
        }
        if let Some(limit) = parts.reading_limit.filter(|_| self.reads) {
            request = request.timeout(limit);
        }
        let mut response = request.send().await.map_err(|error| self.broken(url, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(url, error))? {
            body.extend_from_slice(&chunk);
            if body.len() > parts.max_body {
                let detail = format!("the answer has more than {} bytes, which is the limit", parts.max_body);
                let hint = "ask for smaller pages, or raise it (`ClientBuilder::max_body`)";
                return Err(self.failed(url, ErrorKind::Form, detail).hinted(hint));
            }
        }
        drop(slot);
        if status.is_redirection()
            && let Some(location) = headers.get(LOCATION)
        {
            return Ok(Asked::Elsewhere(status, String::from_utf8_lossy(location.as_bytes()).into_owned()));
        }
        if !status.is_success() {
            return Err(self.refused(url, status, &headers, &body));
        }
        let body = self.document(url, &headers, &body)?;
        Ok(Asked::Answered(Answer { status, headers, body, url: url.clone() }))
    }

    /// The body of an answer that succeeded.
    fn document(&self, url: &Url, headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        let read = self.keep.as_ref().map_or_else(|| serde_json::from_slice(body), |keep| keep.read(body));
        read.or_else(|error| {
            let text = String::from_utf8_lossy(body);
            let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let excerpt = shown::excerpt(&text, &self.hidden);
            // Perhaps of a login or a proxy, which never asked the API.
            if shown::is_page(&text) || kind.contains("html") {
                let error =
                    self.failed(url, ErrorKind::Form, format!("the answer is a web page and not JSON: {excerpt}"));
                return Err(error.hinted("is this the API's address?"));
            }
            // The status says all there is to say: that it is deleted, or, with an "OK" for people, that it is written.
            if !self.reads && (self.method == Method::DELETE || kind.starts_with("text/plain")) {
                return Ok(Value::Null);
            }
            Err(self.failed(url, ErrorKind::Form, format!("the answer is not JSON ({error}): {excerpt}")))
        })
    }

    /// The error of an answer that is no success.
    fn refused(&self, url: &Url, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let text = String::from_utf8_lossy(body);
        let answer = serde_json::from_slice(body).ok().map(|mut answer| {
            self.hidden.clean_value(&mut answer);
            answer
        });
        let hint = match status.as_u16() {
            401 => Some("check the token or the password"),
            403 => Some("check the token, and what its user may do"),
            404 => Some("is this the API's address, and does this version have the path?"),
            429 => Some("the server asks for fewer requests: set `requests_per_second`"),
            407 => Some("check the proxy's login"),
            _ if shown::is_page(&text) && status.is_client_error() => Some("is this the API's address?"),
            _ => None,
        };
        Error::new(Failure {
            method: self.method.clone(),
            reads: self.reads,
            url: shown::url(url, &self.hidden),
            kind: ErrorKind::Status(status),
            detail: shown::excerpt(&text, &self.hidden),
            hint: hint.map(str::to_owned),
            answer,
            retry_after: retry_after(headers, SystemTime::now()),
            judgement: None,
        })
    }

    /// The error of a request without an answer.
    fn broken(&self, url: &Url, error: reqwest::Error) -> Error {
        let host = url.host_str().unwrap_or_default();
        let error = error.without_url();
        let causes = self.hidden.clean(&with_causes(&error));
        let lower = causes.to_ascii_lowercase();
        let is_tls = lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake");
        if error.is_builder() {
            self.failed(url, ErrorKind::Request, causes)
        } else if error.is_connect() && is_tls {
            let hint = "if it is right, give it with `root_certificate`; `danger_accept_invalid_certs` takes any";
            self.failed(url, ErrorKind::Certificate, format!("{host} is not trusted: {causes}")).hinted(hint)
        } else if error.is_connect() && (lower.contains("dns") || lower.contains("lookup address")) {
            self.failed(url, ErrorKind::Connect, format!("the host `{host}` is not known: {causes}"))
        } else if error.is_connect() && error.is_timeout() {
            self.failed(url, ErrorKind::Connect, format!("{host} could not be reached in time"))
        } else if error.is_connect() {
            let error = self.failed(url, ErrorKind::Connect, format!("no connection to {host}: {causes}"));
            if lower.contains("refused") { error.hinted("does the server run, and is the port right?") } else { error }
        } else if error.is_timeout() {
            self.failed(url, ErrorKind::TimedOut, "the answer was not there in time")
        } else if error.is_decode() && !lower.contains("from connection") {
            self.failed(url, ErrorKind::Form, format!("the answer cannot be read: {causes}"))
        } else {
            self.failed(url, ErrorKind::Cut, format!("the connection ended before the answer was there: {causes}"))
        }
    }

    /// An error of what this request asks for.
    pub(super) fn fault(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        self.failed(self.url.as_ref().unwrap_or(&self.client.0.base), kind, detail)
    }

    /// An error of this request, at a URL that it led to.
    pub(super) fn failed(&self, url: &Url, kind: ErrorKind, detail: impl Into<String>) -> Error {
        Error::new(Failure {
            method: self.method.clone(),
            reads: self.reads,
            url: shown::url(url, &self.hidden),
            kind,
            detail: detail.into(),
            hint: None,
            answer: None,
            retry_after: None,
            judgement: None,
        })
    }
}

enum Asked {
    Answered(Answer),
    Elsewhere(StatusCode, String),
}
