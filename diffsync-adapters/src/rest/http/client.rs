//! A client of a JSON API: it authenticates, limits its rate, retries, and reports clearly what went wrong.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use diffsync_core::error::display_chain;
use diffsync_core::report::{report_retry, request_retries};
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
use super::retry::{RetryPolicy, retry_after};

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// A client of a JSON API. Clones share connections, rate and limits.
///
/// Reads are retried whenever that may help, writes only if the server surely did nothing. Redirects are followed when
/// reading, within the host, and never when writing.
///
/// ```no_run
/// use diffsync_adapters::rest::Client;
/// use diffsync_core::value::{Secret, Url};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder(Url::parse("https://nautobot.example/api")?)
///     .token_auth(&Secret::new("0123".to_owned()))
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
    pub(crate) retry_policy: RetryPolicy,
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
#[must_use = "a request does nothing until `send`"]
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

/// The response to a request that succeeded.
#[derive(Clone)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, `null` if it is empty, or no more than an "OK" to a write.
    pub body: Value,
    /// The URL that it came from.
    pub url: Url,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its headers and its body may hold secrets.
        let url = redact::url(&self.url, &Redactor::default());
        f.debug_struct("Response").field("status", &self.status).field("url", &url).finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The address of the API.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.base
    }

    /// The maximum number of concurrent requests.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.0.concurrency
    }

    /// A `GET` of a path below the API's address.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// A request of any method for a path below the API's address. The path may end with a query after a `?`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let reads = matches!(method, Method::GET | Method::HEAD);
        let hidden = self.0.hidden.clone();
        Request { client: self.clone(), method, url: Ok(self.url(path)), body: None, hidden, reads, keep: None }
    }

    /// A `GET` of a URL from a response, which must belong to the server itself.
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

    /// A URL from a response, if it belongs to the server itself. If only its scheme differs, since the server does not know
    /// that it is reached through TLS, the scheme is corrected.
    fn own(&self, mut url: Url) -> Result<Url, String> {
        let base = &self.0.base;
        if url.host_str() == base.host_str() && url.port() == base.port() && matches!(url.scheme(), "http" | "https") {
            if url.scheme() != base.scheme() && url.set_scheme(base.scheme()).is_err() {
                return Err("the server returned an invalid URL".into());
            }
            return Ok(url);
        }

        let (given, own) = (redact::url(&url, &self.0.hidden), base.origin().ascii_serialization());
        Err(format!("the server refers to {given}, which is not at {own}: the login is not sent there"))
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

    /// Sends a JSON body.
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(Secret::new(body));
        self
    }

    /// Declares that the request changes nothing, such as a query that is sent with `POST`. It is then retried like any other
    /// read.
    pub fn read_only(mut self) -> Self {
        self.reads = true;
        self
    }

    /// Keeps only these rows and fields of the response.
    pub(crate) fn keeping(mut self, keep: Option<&RowFilter>) -> Self {
        self.keep = keep.cloned();
        self
    }

    /// Redacts these texts, such as the secrets in its body, from everything that is reported of the request.
    pub fn redact(mut self, texts: &[String]) -> Self {
        self.hidden = self.hidden.with(texts);
        self
    }

    /// Sends the request, with retries.
    ///
    /// # Errors
    ///
    /// If there is no response, its status is not a success, or its body is not JSON.
    pub async fn send(self) -> Result<Response, Error> {
        self.sent().await
    }

    /// The same by reference, for a caller that needs the request to judge its response.
    pub(crate) async fn sent(&self) -> Result<Response, Error> {
        let mut retries = self.client.0.retry_policy;
        retries.times = request_retries().unwrap_or(retries.times);
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
            if begun.elapsed() + pause > retries.max_elapsed {
                return Err(error);
            }
            report_retry(attempt, pause, &error);
            sleep(pause).await;
        }
    }

    /// Sends the request once, and follows redirects.
    async fn once(&self) -> Result<Response, Error> {
        let mut url =
            self.url.clone().map_err(|detail| self.failed(&self.client.0.base, ErrorKind::InvalidRequest, detail))?;
        for _ in 0..=REDIRECTS {
            let (status, location) = match self.ask(&url).await? {
                HttpReply::Answered(answer) => return Ok(answer),
                HttpReply::Redirected(status, location) => (status, location),
            };
            url = self.redirected(&url, &location).map_err(|error| self.after_redirect(status, error))?;
        }

        Err(self.failed(&url, ErrorKind::Redirect, "the server redirects in circles"))
    }

    /// Judges a redirect that is not followed: servers also answer 302 and 303 to changes that they have carried out.
    fn after_redirect(&self, status: StatusCode, error: Error) -> Error {
        let may_be_done = matches!(status, StatusCode::FOUND | StatusCode::SEE_OTHER);
        if may_be_done && !self.reads { error.judged_foreign() } else { error }
    }

    /// The target of a redirect, if it may be followed.
    fn redirected(&self, from: &Url, location: &str) -> Result<Url, Error> {
        let refuse = |detail: String| self.failed(from, ErrorKind::Redirect, detail);
        let to = from.join(location).map_err(|_| refuse("the server redirects to an invalid URL".into()))?;
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
            // The login was just sent unencrypted; following the redirect would hide that.
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
                let hint = "request smaller pages, or raise it (`ClientBuilder::max_response_size`)";
                return Err(self.failed(url, ErrorKind::InvalidResponse, detail).hinted(hint));
            }
        }

        drop(slot);
        if status.is_redirection()
            && let Some(location) = headers.get(LOCATION)
        {
            return Ok(HttpReply::Redirected(status, String::from_utf8_lossy(location.as_bytes()).into_owned()));
        }

        if !status.is_success() {
            return Err(self.refused(url, status, &headers, &body));
        }

        let body = self.document(url, &headers, &body)?;
        Ok(HttpReply::Answered(Response { status, headers, body, url: url.clone() }))
    }

    /// The body of a successful response.
    fn document(&self, url: &Url, headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }

        let read = self.keep.as_ref().map_or_else(|| serde_json::from_slice(body), |keep| keep.read(body));
        read.or_else(|error| {
            let text = String::from_utf8_lossy(body);
            let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let excerpt = redact::excerpt(&text, &self.hidden);
            // Perhaps of a login page or a proxy, so the request never reached the API.
            if redact::is_page(&text) || kind.contains("html") {
                let error = self.failed(
                    url,
                    ErrorKind::InvalidResponse,
                    format!("the answer is a web page and not JSON: {excerpt}"),
                );
                return Err(error.hinted("is this the API's address?"));
            }

            // The status is enough: the record is deleted, or it is written and the body is an "OK" for people.
            if !self.reads && (self.method == Method::DELETE || kind.starts_with("text/plain")) {
                return Ok(Value::Null);
            }
            Err(self.failed(url, ErrorKind::InvalidResponse, format!("the answer is not JSON ({error}): {excerpt}")))
        })
    }

    /// The error of a response whose status is not a success.
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

    /// The error of a request without a response.
    fn broken(&self, url: &Url, error: reqwest::Error) -> Error {
        let host = url.host_str().unwrap_or_default();
        let error = error.without_url();
        let causes = self.hidden.clean(&display_chain(&error));
        let lower = causes.to_ascii_lowercase();
        let is_tls = lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake");
        if error.is_builder() {
            self.failed(url, ErrorKind::InvalidRequest, causes)
        } else if error.is_connect() && is_tls {
            let hint = "if it is right, add it with `root_certificate`; `danger_accept_invalid_certs` accepts any";
            self.failed(url, ErrorKind::Certificate, format!("{host} is not trusted: {causes}")).hinted(hint)
        } else if error.is_connect() && (lower.contains("dns") || lower.contains("lookup address")) {
            self.failed(url, ErrorKind::Connect, format!("the host `{host}` is not known: {causes}"))
        } else if error.is_connect() && error.is_timeout() {
            self.failed(url, ErrorKind::Connect, format!("{host} could not be reached in time"))
        } else if error.is_connect() {
            let error = self.failed(url, ErrorKind::Connect, format!("no connection to {host}: {causes}"));
            if lower.contains("refused") { error.hinted("does the server run, and is the port right?") } else { error }
        } else if error.is_timeout() {
            self.failed(url, ErrorKind::Timeout, "the answer did not arrive in time")
        } else if error.is_decode() && !lower.contains("from connection") {
            self.failed(url, ErrorKind::InvalidResponse, format!("the answer cannot be read: {causes}"))
        } else {
            self.failed(
                url,
                ErrorKind::ConnectionLost,
                format!("the connection was closed before the answer was complete: {causes}"),
            )
        }
    }

    /// An error at the URL of this request.
    pub(crate) fn fault(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        self.failed(self.url.as_ref().unwrap_or(&self.client.0.base), kind, detail)
    }

    /// An error of this request, at a URL that it was redirected to.
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
    Answered(Response),
    Redirected(StatusCode, String),
}
