//! The builder of a client: login, time limits, rate, certificates.

use std::num::NonZeroU32;
use std::time::Duration;

use diffsync_core::error::display_chain;
use diffsync_core::value::{Secret, Url};
use governor::{Quota, RateLimiter};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, redirect};
use tokio::sync::Semaphore;

use super::client::Client;
use super::redact::Redactor;
use super::retry::RetryPolicy;

/// Why a client could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(String);

impl BuildError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Builds a [`Client`]. [`Client::builder`] returns it.
#[must_use = "`build` returns the client"]
pub struct ClientBuilder {
    base: Url,
    headers: Vec<(String, Secret<String>, bool)>,
    login: Option<(Secret<String>, Secret<String>)>,
    slash: bool,
    connect_timeout: Duration,
    read_timeout: Duration,
    request_timeout: Option<Duration>,
    read_only_timeout: Option<Duration>,
    pace: Option<f64>,
    concurrency: usize,
    retry_policy: RetryPolicy,
    roots: Vec<Vec<u8>>,
    identity: Option<Secret<Vec<u8>>>,
    accept_invalid: bool,
    max_response_size: usize,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let base = super::redact::url(&self.base, &Redactor::default());
        f.debug_struct("ClientBuilder").field("base", &base).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the API at this address: it is the base of every path.
    pub fn builder(base: Url) -> ClientBuilder {
        ClientBuilder::new(base)
    }
}

impl ClientBuilder {
    pub(crate) fn new(base: Url) -> Self {
        Self {
            base,
            headers: Vec::new(),
            login: None,
            slash: false,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_mins(1),
            request_timeout: Some(Duration::from_mins(5)),
            read_only_timeout: None,
            pace: None,
            concurrency: 4,
            retry_policy: RetryPolicy::default(),
            roots: Vec::new(),
            identity: None,
            accept_invalid: false,
            max_response_size: 64 << 20,
        }
    }

    /// Logs in with `Authorization: Token …`.
    pub fn token_auth(self, token: &Secret<String>) -> Self {
        let value = Secret::new(format!("Token {}", token.expose()));
        self.secret_header(AUTHORIZATION.as_str(), value)
    }

    /// Logs in with `Authorization: Bearer …`.
    pub fn bearer_auth(self, token: &Secret<String>) -> Self {
        let value = Secret::new(format!("Bearer {}", token.expose()));
        self.secret_header(AUTHORIZATION.as_str(), value)
    }

    /// Logs in with a name and a password.
    pub fn basic_auth(mut self, user: impl Into<String>, password: Secret<String>) -> Self {
        self.login = Some((Secret::new(user.into()), password));
        self
    }

    /// Logs in with a secret header of any name, such as `X-Api-Key`.
    pub fn secret_header(mut self, header: impl Into<String>, value: Secret<String>) -> Self {
        self.headers.push((header.into(), value, true));
        self
    }

    /// Sends a header with every request, such as `Accept: application/json; version=2.4`. It does not count as a secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret::new(value.into()), false));
        self
    }

    /// Ends every path with a slash, which some servers insist on.
    pub fn trailing_slash(mut self, slash: bool) -> Self {
        self.slash = slash;
        self
    }

    /// Sets how long connecting may take, ten seconds by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long a server may stay silent while it answers, a minute by default.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.read_timeout = limit;
        self
    }

    /// Sets how long a request may take in all, five minutes by default.
    pub fn request_timeout(mut self, limit: Option<Duration>) -> Self {
        self.request_timeout = limit;
        self
    }

    /// Sets how long a request that only reads may take in all, for a server that needs long to write. By default it may
    /// take as long as any other. A request that hangs is retried if there is time left ([`RetryPolicy::max_elapsed`]).
    pub fn read_only_timeout(mut self, limit: Option<Duration>) -> Self {
        self.read_only_timeout = limit;
        self
    }

    /// Limits the rate of requests. By default there is no limit.
    pub fn requests_per_second(mut self, pace: f64) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Limits the number of concurrent requests, four by default.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Sets how often, and after which pauses, a request is retried.
    pub fn retry_policy(mut self, retry_policy: RetryPolicy) -> Self {
        self.retry_policy = retry_policy;
        self
    }

    /// Also trusts the certificates in this text (PEM), such as a company's own CA, or a self-signed one.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Authenticates with this client certificate and its private key (PEM).
    pub fn client_certificate(mut self, pem: Secret<Vec<u8>>) -> Self {
        self.identity = Some(pem);
        self
    }

    /// Accepts any server certificate: anybody on the way can read and change everything, including the login.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.accept_invalid = accept;
        self
    }

    /// Limits the size of a response, 64 MiB by default. Rows of a few short fields take many times their size in memory.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// If the address is not that of an API, or a header, a certificate or the rate is invalid.
    pub fn build(self) -> Result<Client, BuildError> {
        let base = base(self.base)?;
        let mut hidden = Redactor::default();
        let mut headers = HeaderMap::new();
        for (name, value, secret) in &self.headers {
            let unusable = |what| {
                BuildError::new(format!("the {what} of the header `{name}` has characters that no header can have"))
            };
            let key: HeaderName = name.parse().map_err(|_| unusable("name"))?;
            let mut text = HeaderValue::from_str(value.expose()).map_err(|_| unusable("value"))?;
            text.set_sensitive(*secret);
            if *secret {
                hidden.add(value.expose());
                // A server quotes the token without the scheme before it.
                value.expose().split_whitespace().skip(1).for_each(|part| hidden.add(part));
            }
            headers.insert(key, text);
        }

        if let Some((_, password)) = &self.login {
            hidden.add(password.expose());
        }

        let mut http = reqwest::Client::builder()
            .user_agent(concat!("diffsync/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // Whether a redirect is followed depends on the method, which a policy does not see.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout)
            .danger_accept_invalid_certs(self.accept_invalid);

        if let Some(limit) = self.request_timeout {
            http = http.timeout(limit);
        }

        for pem in &self.roots {
            let read = Certificate::from_pem_bundle(pem).ok().filter(|certificates| !certificates.is_empty());
            let certificates = read.ok_or_else(|| {
                BuildError::new("the root certificate is not in PEM form (`-----BEGIN CERTIFICATE-----` …)")
            })?;
            http = certificates.into_iter().fold(http, reqwest::ClientBuilder::add_root_certificate);
        }

        if let Some(pem) = &self.identity {
            let identity = Identity::from_pem(pem.expose()).map_err(|_| {
                BuildError::new(
                    "the client certificate must be PEM text that holds the certificate and its private key",
                )
            })?;
            http = http.identity(identity);
        }

        let pace = self.pace.map(quota).transpose()?;
        let http = http.build().map_err(|error| BuildError::new(display_chain(&error.without_url())))?;
        if let Some((user, password)) = &self.login {
            // In the header the password has another form, which must be hidden too.
            let request = http.get(base.clone()).basic_auth(user.expose(), Some(password.expose())).build();
            let header =
                request.ok().and_then(|request| request.headers().get(AUTHORIZATION)?.to_str().map(str::to_owned).ok());
            header.iter().flat_map(|header| header.split_whitespace().skip(1)).for_each(|part| hidden.add(part));
        }

        Ok(Client::new(super::client::Parts {
            http,
            base,
            login: self.login,
            slash: self.slash,
            pace: pace.map(RateLimiter::direct),
            slots: Semaphore::new(self.concurrency),
            concurrency: self.concurrency,
            retry_policy: self.retry_policy,
            // It replaces the limit of all requests.
            read_only_timeout: self
                .read_only_timeout
                .map(|limit| self.request_timeout.map_or(limit, |all| all.min(limit))),
            hidden,
            max_response_size: self.max_response_size,
        }))
    }
}

/// The base URL of every path.
fn base(mut url: Url) -> Result<Url, BuildError> {
    let shown = diffsync_core::value::redact_url(&url);
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(BuildError::new(format!("`{shown}` is no address of an API; expected `https://host/path`")));
    }

    if url.query().is_some() || url.fragment().is_some() {
        return Err(BuildError::new(format!(
            "`{shown}`: the address of an API ends with its path, before the `?` or `#`"
        )));
    }

    if !url.username().is_empty() || url.password().is_some() {
        return Err(BuildError::new(format!(
            "`{shown}`: the URL must not contain credentials; use `basic_auth` instead"
        )));
    }

    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }

    Ok(url)
}

fn quota(pace: f64) -> Result<Quota, BuildError> {
    let wrong = || BuildError::new(format!("invalid rate {pace}/s; expected a positive number"));
    let period = Duration::try_from_secs_f64(1.0 / pace).map_err(|_| wrong())?;
    Quota::with_period(period).map(|quota| quota.allow_burst(NonZeroU32::MIN)).ok_or_else(wrong)
}
