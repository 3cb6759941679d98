//! The addresses of all pages, and the one place that decides which requests are answered.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use crate::assets::asset;
use crate::error::PageError;
use crate::pages::{dashboard, diff, history, job, live, logs, run, sync};
use crate::site::Site;

/// What a request needs its user to be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permission {
    /// Look at jobs and at the history.
    View,
    /// Start and cancel runs.
    Run,
}

/// The user of a request, in its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
}

/// All pages.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let pages = Router::new()
        .route("/", get(dashboard::dashboard))
        .route("/running", get(dashboard::running))
        .route("/jobs/{job}", get(job::job))
        .route("/jobs/{job}/source-icon", get(job::source_icon))
        .route("/jobs/{job}/target-icon", get(job::target_icon))
        .route("/history", get(history::history))
        .route("/history.jsonl", get(history::json_lines))
        .route("/history.csv", get(history::csv))
        .route("/logs", get(logs::all))
        .route("/syncs/{sync}", get(sync::sync))
        .route("/syncs/{sync}/live", get(live::live))
        .route("/syncs/{sync}/events", get(live::events))
        .route("/syncs/{sync}/diff", get(diff::diff))
        .route("/syncs/{sync}/diff.jsonl", get(diff::json_lines))
        .route("/syncs/{sync}/diff.csv", get(diff::csv))
        .route("/syncs/{sync}/diff/{position}", get(diff::record))
        .route("/syncs/{sync}/diff/{position}/counts", get(diff::counts))
        .route("/syncs/{sync}/logs", get(logs::entries))
        .route("/syncs/{sync}/logs.jsonl", get(logs::json_lines))
        .route("/syncs/{sync}/logs.csv", get(logs::csv))
        .route("/syncs/{sync}/logs/{position}", get(logs::entry))
        .route("/syncs/{sync}/lines", get(logs::lines))
        .route("/syncs/{sync}/lines.jsonl", get(logs::lines_json))
        .route("/assets/{name}", get(asset));
    let actions = Router::new()
        .route("/jobs/{job}/run", get(run::form).post(run::start))
        .route("/syncs/{sync}/cancel", post(run::cancel));

    let needs = |router: Router<Arc<Site>>, permission| {
        router.route_layer(from_fn_with_state((Arc::clone(&site), permission), permit))
    };
    needs(pages, Permission::View)
        .merge(needs(actions, Permission::Run))
        .fallback(nothing_there)
        .layer(from_fn(only_this_host))
        .layer(from_fn(with_headers))
        .layer(CompressionLayer::new())
        .with_state(site)
}

/// Decides whether a request is answered, and as which user's.
async fn permit(
    State((site, permission)): State<(Arc<Site>, Permission)>,
    mut request: Request,
    next: Next,
) -> Response {
    let changes_something = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes_something && !is_from_here(request.headers()) {
        return PageError::Forbidden(
            "this request does not come from a page of this server, so nothing was done; open the page and try again"
                .to_owned(),
        )
        .into_response();
    }

    // Only this machine can reach the server, so whoever does may do everything that its owner may.
    let user = User { name: site.user.clone() };
    tracing::trace!(user = user.name, ?permission, path = request.uri().path(), "request");
    request.extensions_mut().insert(user);
    next.run(request).await
}

/// Whether a request was made by a page of this server. Every browser says so, in one header or the other.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, origin)| text(header::HOST) == Some(origin))
}

/// Answers only requests for a loopback address. Otherwise a page of another host could reach the server from a browser on this
/// machine, by giving its own name this address.
async fn only_this_host(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
    if host.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let host = host.unwrap_or("none");
    PageError::Forbidden(format!(
        "this server answers only for 127.0.0.1, [::1] and localhost, and the host of this request is {host:?}"
    ))
    .into_response()
}

fn is_loopback(host: &str) -> bool {
    // The port may be that of a tunnel.
    let Ok(uri) = format!("http://{host}/").parse::<Uri>() else { return false };
    let name = uri.host().unwrap_or_default();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // A user's name before the host makes another host look like this one.
    let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    is_plain && (name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback()))
}

/// What every answer tells the browser.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Without a referrer, a browser does not say where a form was sent from either.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What a page shows is for its reader, and may be another thing a moment later.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn nothing_there(uri: Uri) -> PageError {
    PageError::NotFound(format!("there is no page {}", uri.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_this_host() {
        for host in ["127.0.0.1:8080", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8080", "127.9.9.9:80"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "10.0.0.1:8080",
            "",
            "a b",
            "localhost@x",
            "x@127.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn only_a_page_of_this_server_changes_something() {
        let from = |headers: &[(&'static str, &'static str)]| {
            let headers =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_from_here(&headers.collect())
        };
        let host = ("host", "127.0.0.1:8080");
        assert!(from(&[host, ("origin", "http://127.0.0.1:8080")]));
        assert!(from(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!from(&[host]));
        assert!(!from(&[host, ("origin", "null")]));
        assert!(!from(&[host, ("origin", "http://evil.example")]));
        assert!(!from(&[host, ("origin", "http://127.0.0.1:9090")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(!from(&[host, ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", site)]), "{site}");
        }
    }
}
