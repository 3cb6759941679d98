//! A client of a JSON API: it logs in, keeps to a pace, tries again, and says clearly what went wrong.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use diffsync_core::error::display_chain;
use diffsync_core::report::report_retry;
use diffsync_core::value::{Secret, Url};
use governor::DefaultDirectRateLimiter;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::body::RowFilter;
use super::error::{Error, ErrorKind, Failure};
use super::redact;
use super::redact::Redactor;
use super::retry::{Retries, retry_after};

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// A client of a JSON API. Copies share connections, pace and limits.
///
/// Reading is tried again whenever it may help; writing only where the server surely did nothing. Redirects are followed
/// when reading, within the host, and never when writing.
///
/// ```no_run
/// use diffsync_adapters::rest::Client;
/// use diffsync_core::value::{Secret, Url};
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

/// The parts of a client.
pub(crate) struct Parts {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) login: Option<(Secret<String>, Secret<String>)>,
    pub(crate) slash: bool,
    pub(crate) pace: Option<DefaultDirectRateLimiter>,
    pub(crate) slots: Semaphore,
    pub(crate) concurrency: usize,
    pub(crate) retries: Retries,
    pub(crate) read_only_timeout: Option<Duration>,
    pub(crate) hidden: Redactor,
    pub(crate) max_response_size: usize,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.0.base.as_str()).finish_non_exhaustive()
    }
}

/// A request that is being built.
#[must_use = "`send` makes the request"]
pub struct Request {
    client: Client,
    method: Method,
    url: Result<Url, String>,
    body: Option<Secret<Value>>,
    hidden: Redactor,
    reads: bool,
    keep: Option<RowFilter>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.as_ref().map(|url| redact::url(url, &self.hidden));
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
        let url = redact::url(&self.url, &Redactor::default());
        f.debug_struct("Answer").field("status", &self.status).field("url", &url).finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(parts: Parts) -> Self {
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

    /// A request of any method for a path below the API's address. The path may end with a query after a `?`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let reads = matches!(method, Method::GET | Method::HEAD);
        let hidden = self.0.hidden.clone();
        Request { client: self.clone(), method, url: Ok(self.url(path)), body: None, hidden, reads, keep: None }
    }

    /// Asks for what is at a URL that the server itself gave, which must be one of its own.
    pub(crate) fn follow(&self, url: Url) -> Request {
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
    pub(crate) fn shown_url(&self, path: &str) -> String {
        redact::url(&self.url(path), &self.0.hidden)
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

        let (given, own) = (redact::url(&url, &self.0.hidden), base.origin().ascii_serialization());
        Err(format!("the server leads to {given}, which is not at {own}: the login is not sent there"))
    }
}

impl Request {
    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn hidden(&self) -> &Redactor {
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

    /// Declares that it changes nothing, as a query that is sent with `POST`: it is retried whenever that
    /// may help.
    pub fn reading(mut self) -> Self {
        self.reads = true;
        self
    }

    /// Keeps no more than this of the answer.
    pub(crate) fn keeping(mut self, keep: Option<&RowFilter>) -> Self {
        self.keep = keep.cloned();
        self
    }

    /// Hides texts, such as the secrets in its body, in all that is reported of the request.
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
    pub(crate) async fn sent(&self) -> Result<Answer, Error> {
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
            let again = error.is_transient() && (self.reads || error.is_definite());
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
            let response = match self.ask(&url).await? {
                HttpReply::Answered(answer) => return Ok(answer),
                HttpReply::Redirected(location) => location,
            };
            url = self.redirected(&url, &response)?;
        }

        Err(self.failed(&url, ErrorKind::Redirect, "the server leads in circles"))
    }

    /// Where a redirect leads, if it is to be followed.
    fn redirected(&self, from: &Url, location: &str) -> Result<Url, Error> {
        let refuse = |detail: String| self.failed(from, ErrorKind::Redirect, detail);
        let to = from.join(location).map_err(|_| refuse("the server redirects to what is no URL".into()))?;
        let shown = redact::url(&to, &self.hidden);
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

    async fn ask(&self, url: &Url) -> Result<HttpReply, Error> {
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
        if let Some(limit) = parts.read_only_timeout.filter(|_| self.reads) {
            request = request.timeout(limit);
        }

        let mut response = request.send().await.map_err(|error| self.broken(url, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(url, error))? {
            body.extend_from_slice(&chunk);
            if body.len() > parts.max_response_size {
                let detail = format!("the answer has more than {} bytes, which is the limit", parts.max_response_size);
                let hint = "ask for smaller pages, or raise it (`ClientBuilder::max_response_size`)";
                return Err(self.failed(url, ErrorKind::Form, detail).hinted(hint));
            }
        }

        drop(slot);
        if status.is_redirection()
            && let Some(location) = headers.get(LOCATION)
        {
            return Ok(HttpReply::Redirected(String::from_utf8_lossy(location.as_bytes()).into_owned()));
        }

        if !status.is_success() {
            return Err(self.refused(url, status, &headers, &body));
        }

        let body = self.document(url, &headers, &body)?;
        Ok(HttpReply::Answered(Answer { status, headers, body, url: url.clone() }))
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
            let excerpt = redact::excerpt(&text, &self.hidden);
            // Perhaps of a login or a proxy, which never asked the API.
            if redact::is_page(&text) || kind.contains("html") {
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
            _ if redact::is_page(&text) && status.is_client_error() => Some("is this the API's address?"),
            _ => None,
        };

        Error::new(Failure {
            method: self.method.clone(),
            reads: self.reads,
            url: redact::url(url, &self.hidden),
            kind: ErrorKind::Status(status),
            detail: redact::excerpt(&text, &self.hidden),
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
        let causes = self.hidden.clean(&display_chain(&error));
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
    pub(crate) fn fault(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        self.failed(self.url.as_ref().unwrap_or(&self.client.0.base), kind, detail)
    }

    /// An error of this request, at a URL that it led to.
    pub(crate) fn failed(&self, url: &Url, kind: ErrorKind, detail: impl Into<String>) -> Error {
        Error::new(Failure {
            method: self.method.clone(),
            reads: self.reads,
            url: redact::url(url, &self.hidden),
            kind,
            detail: detail.into(),
            hint: None,
            answer: None,
            retry_after: None,
            judgement: None,
        })
    }
}

enum HttpReply {
    Answered(Answer),
    Redirected(String),
}
