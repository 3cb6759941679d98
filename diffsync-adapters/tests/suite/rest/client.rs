//! What the client does with what servers do.

use std::time::{Duration, Instant};

use diffsync_adapters::rest::{Client, Dialect, Error, ErrorKind, Method, RetryPolicy};
use diffsync_core::adapter::{AdapterError, TargetErrorKind};
use diffsync_core::value::{Secret, Url};
use serde_json::{Value, json};

use super::wire::{Reply, TOKEN, Wire, json, reply, text};

/// The error of a GET, after a look at whether it gives the login away.
async fn failure(wire: &Wire) -> Error {
    failure_of(&wire.client()).await
}

async fn failure_of(client: &Client) -> Error {
    let error = client.get("vlans").query("token", "secret-in-query").send().await.unwrap_err();
    tight(&error);
    error
}

/// An error gives nothing away, however it is shown.
fn tight(error: &Error) {
    let shown =
        format!("{error} {error:?} {} {:?}", AdapterError::from(error.clone()), error.clone().into_target_error());
    for secret in [TOKEN, "secret-in-query", "hunter2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

async fn post(wire: &Wire) -> Error {
    let error = wire.client().request(Method::POST, "vlans").json(json!({"name": "a"})).send().await.unwrap_err();
    tight(&error);
    error
}

#[tokio::test]
async fn the_path_of_the_base_is_kept_and_slashes_are_as_said() {
    let wire = Wire::start([json("{}")]).await;
    wire.client().get("/dcim/sites/").send().await.unwrap();
    wire.client().get("dcim/sites?a=b c").query("d", "e&f").send().await.unwrap();
    let slashed = wire.builder().trailing_slash(true).build().unwrap();
    slashed.get("dcim/sites").query("limit", "1").send().await.unwrap();
    slashed.get("").send().await.unwrap();
    let expected = ["/dcim/sites", "/dcim/sites?a=b%20c&d=e%26f", "/dcim/sites/?limit=1", "/"]
        .map(|path| format!("GET /base/api{path}"));
    assert_eq!(wire.lines(), expected);
}

#[tokio::test]
async fn each_login_is_sent_as_it_should_be() {
    let wire = Wire::start([json("{}")]).await;
    let secret = || Secret::new("abc".to_owned());
    let plain = || Client::builder(wire.url.clone());
    let clients = [
        (plain().token_auth(&secret()), "authorization: Token abc"),
        (plain().bearer_auth(&secret()), "authorization: Bearer abc"),
        (plain().basic_auth("me", secret()), "authorization: Basic bWU6YWJj"),
        (plain().secret_header("X-Api-Key", secret()), "x-api-key: abc"),
        (plain().header("Accept", "application/json; version=2.4"), "accept: application/json; version=2.4"),
    ];
    for (client, header) in clients {
        client.build().unwrap().get("").send().await.unwrap();
        let request = wire.requests().pop().unwrap();
        assert!(request.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header} is not in {request}");
    }
}

#[tokio::test]
async fn what_gives_access_is_not_shown_however_it_is_looked_at() {
    let secret = "secret-in-query";
    let wire = Wire::start([json("{}")]).await;
    let request = wire.client().get("vlans").query("token", secret).query("name", "a");
    let mut dialect = Dialect::default();
    dialect.query = vec![("api_key".to_owned(), secret.to_owned()), ("name".to_owned(), "a".to_owned())];
    let builder = Client::builder(Url::parse("https://me:secret-in-query@h/api").unwrap());
    let (asked, shown) = (format!("{request:?}"), format!("{dialect:?} {builder:?}"));
    let answer = format!("{:?}", request.send().await.unwrap());
    for text in [&asked, &shown, &answer] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(asked.contains("name=a") && answer.contains("name=a") && shown.contains("(\"name\", \"a\")"));
}

#[tokio::test]
async fn a_password_is_not_shown_as_it_stands_in_the_header_either() {
    let wire = Wire::start([reply(400, "", "what is `Basic bWU6YWJj`?")]).await;
    let client = Client::builder(wire.url.clone()).basic_auth("me", Secret::new("abc".to_owned())).build().unwrap();
    let error = client.get("").send().await.unwrap_err().to_string();
    assert!(error.contains("what is `Basic ") && !error.contains("bWU6YWJj"), "{error}");
}

#[test]
fn a_client_that_cannot_work_is_not_made() {
    let error = |url: &str| Client::builder(Url::parse(url).unwrap()).build().unwrap_err().to_string();
    assert_eq!(error("ftp://h/api"), "`ftp://h/api` is no address of an API; expected `https://host/path`");
    assert!(error("https://h/api?token=abc").contains("before the `?`"));
    assert!(!error("https://me:abc@h/api").contains("abc"));
    let plain = || Client::builder(Url::parse("https://h/api").unwrap());
    let broken = plain().token_auth(&Secret::new("a\nb".into())).build().unwrap_err().to_string();
    assert_eq!(broken, "the value of the header `authorization` has characters that no header can have");
    assert!(plain().root_certificate("no pem").build().unwrap_err().to_string().contains("PEM"));
    assert!(plain().client_certificate(Secret::new(b"no".to_vec())).build().unwrap_err().to_string().contains("PEM"));
    for pace in [0.0, -1.0, f64::NAN] {
        assert!(plain().requests_per_second(pace).build().is_err(), "{pace}");
    }
}

#[tokio::test]
async fn reading_is_tried_again_where_that_may_help() {
    let broken = [Reply::Cut(Vec::new()), Reply::Cut(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{".to_vec())];
    let busy = [408, 429, 500, 502, 503, 504].map(|status| reply(status, "", "{}"));
    for first in broken.into_iter().chain(busy) {
        let wire = Wire::start([first, json("[1]")]).await;
        assert_eq!(wire.client().get("a").send().await.unwrap().body, json!([1]));
        assert_eq!(wire.requests().len(), 2);
    }
}

#[tokio::test]
async fn what_will_not_change_is_asked_once() {
    for status in [400, 401, 403, 404, 405, 406, 409, 415, 422, 501] {
        let wire = Wire::start([reply(status, "", r#"{"detail": "no"}"#)]).await;
        let error = failure(&wire).await;
        assert_eq!((error.status().unwrap().as_u16(), wire.requests().len()), (status, 1));
        assert_eq!(error.response_body(), Some(&json!({"detail": "no"})));
    }
}

#[tokio::test]
async fn trying_again_ends() {
    let wire = Wire::start([reply(503, "", "down")]).await;
    assert!(failure(&wire).await.to_string().ends_with("503 Service Unavailable: down"));
    assert_eq!(wire.requests().len(), 4);
    let wire = Wire::start([reply(503, "", "down")]).await;
    let hasty = wire
        .builder()
        .retry_policy(RetryPolicy { max_elapsed: Duration::ZERO, ..RetryPolicy::default() })
        .build()
        .unwrap();
    failure_of(&hasty).await;
    assert_eq!(wire.requests().len(), 1, "there is no time for another");
}

#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_heard() {
    let wire = Wire::start([reply(429, "retry-after: 1\r\n", ""), json("1")]).await;
    let begun = Instant::now();
    wire.client().get("a").send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // A date that is over means at once.
    let wire = Wire::start([reply(503, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""), json("1")]).await;
    wire.client().get("a").send().await.unwrap();
    // Longer than the client would wait: the caller gets the error.
    let wire = Wire::start([reply(429, "retry-after: 3600\r\n", "")]).await;
    let error = failure(&wire).await;
    assert_eq!((error.retry_after(), wire.requests().len()), (Some(Duration::from_hours(1)), 1));
    let error = error.into_target_error();
    assert_eq!((error.kind(), error.wanted_pause()), (TargetErrorKind::Transient, Some(Duration::from_hours(1))));
}

#[tokio::test]
async fn a_storm_of_refusals_is_weathered() {
    let wire = Wire::answering(|nth, _| if nth % 3 == 2 { json("1") } else { reply(429, "", "slow down") }).await;
    let client = wire.client();
    for _ in 0..10 {
        client.get("a").send().await.unwrap();
    }
    assert_eq!(wire.requests().len(), 30);
}

#[tokio::test]
async fn writing_is_tried_again_only_if_surely_nothing_was_done() {
    let refused = [reply(429, "", ""), reply(503, "retry-after: 0\r\n", "")];
    for first in refused {
        let wire = Wire::start([first, json("{}")]).await;
        wire.client().request(Method::POST, "a").json(json!({})).send().await.unwrap();
        assert_eq!(wire.requests().len(), 2);
    }
    let lost = [500, 502, 503, 504].map(|status| reply(status, "", "{}"));
    let lost = lost.into_iter().chain([Reply::Cut(Vec::new()), json("<html>"), json("{")]);
    for reply in lost {
        let wire = Wire::start([reply]).await;
        let error = post(&wire).await;
        assert_eq!(
            (error.clone().into_target_error().kind(), wire.requests().len()),
            (TargetErrorKind::Unknown, 1),
            "{error}"
        );
    }
    // A change that may be repeated is transient: the core retries it.
    let wire = Wire::start([Reply::Cut(Vec::new())]).await;
    let error = wire.client().request(Method::PATCH, "a/1").json(json!({})).send().await.unwrap_err();
    assert_eq!((error.into_target_error().kind(), wire.requests().len()), (TargetErrorKind::Transient, 1));
    // A request that only reads is retried, with any method.
    let wire = Wire::start([Reply::Cut(Vec::new()), json("{}")]).await;
    wire.client().request(Method::POST, "graphql").read_only().json(json!({})).send().await.unwrap();
}

/// What becomes of a request that writes and is answered like this.
async fn written(method: Method, answer: Reply) -> Result<Value, (TargetErrorKind, bool)> {
    let wire = Wire::start([answer]).await;
    let request = wire.client().request(method, "vlans/1").json(json!({"name": "a"}));
    let answer = request.send().await.map_err(Error::into_target_error);
    assert_eq!(wire.requests().len(), 1, "it is for the core to ask again");
    answer.map(|answer| answer.body).map_err(|error| (error.kind(), error.is_outcome_unknown()))
}

#[tokio::test]
async fn nobody_knows_whether_it_is_written_if_the_answer_to_a_change_is_lost_every_time() {
    let lost = [408, 502, 503, 504].map(|status| reply(status, "", "{}"));
    for answer in lost.into_iter().chain([Reply::Cut(Vec::new())]) {
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            assert_eq!(written(method, answer.clone()).await, Err((TargetErrorKind::Transient, true)));
        }
    }
    // The server itself says that it could not.
    assert_eq!(written(Method::PATCH, reply(500, "", "{}")).await, Err((TargetErrorKind::Transient, false)));
    assert_eq!(written(Method::PATCH, reply(400, "", "{}")).await, Err((TargetErrorKind::Record, false)));
}

#[tokio::test]
async fn an_ok_for_people_says_that_it_is_written() {
    let ok = || reply(200, "content-type: text/plain; charset=utf-8\r\n", "OK");
    for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
        assert_eq!(written(method, ok()).await, Ok(Value::Null));
    }
    // A successful delete needs no readable body.
    for answer in [json("{"), reply(200, "content-type: text/csv\r\n", "a;b")] {
        assert_eq!(written(Method::DELETE, answer).await, Ok(Value::Null));
    }
    assert_eq!(failure(&Wire::start([ok()]).await).await.kind(), ErrorKind::InvalidResponse, "nothing was read");
}

#[tokio::test]
async fn nobody_knows_whether_it_is_written_if_the_answer_cannot_be_read() {
    let page = || reply(200, "content-type: text/html\r\n", "<!doctype html><title>Log in</title>");
    let zipped = || reply(200, "content-encoding: gzip\r\n", "no gzip");
    for method in [Method::POST, Method::PATCH, Method::PUT] {
        for answer in [page(), zipped(), json("{")] {
            assert_eq!(written(method.clone(), answer).await.unwrap_err().0, TargetErrorKind::Unknown, "{method}");
        }
    }
    assert_eq!(written(Method::DELETE, page()).await.unwrap_err().0, TargetErrorKind::Unknown);
}

#[tokio::test]
async fn an_error_means_for_the_run_what_it_should() {
    for (status, kind) in [
        (400, TargetErrorKind::Record),
        (401, TargetErrorKind::Fatal),
        (403, TargetErrorKind::Fatal),
        (404, TargetErrorKind::Record),
        (409, TargetErrorKind::Record),
        (422, TargetErrorKind::Record),
        (429, TargetErrorKind::Transient),
        (301, TargetErrorKind::Fatal),
    ] {
        let wire = Wire::start([reply(status, "location: /elsewhere\r\n", "{}")]).await;
        assert_eq!(post(&wire).await.into_target_error().kind(), kind, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let begun = b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{".to_vec();
    for reply in [Reply::Stall(Vec::new()), Reply::Stall(begun)] {
        let wire = Wire::start([reply]).await;
        let client =
            wire.builder().read_timeout(Duration::from_millis(100)).retry_policy(RetryPolicy::none()).build().unwrap();
        let error = failure_of(&client).await;
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.to_string().ends_with("the answer did not arrive in time"), "{error}");
    }
}

/// So long are minutes here.
const MINUTE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_read_that_hangs_is_made_again_while_there_is_time() {
    let retries =
        RetryPolicy { first_pause: Duration::from_millis(1), max_elapsed: 5 * MINUTE, ..RetryPolicy::default() };
    let begun = b"HTTP/1.1 200 X\r\ncontent-length: 3\r\n\r\n[".to_vec();
    for hangs in [Reply::Stall(Vec::new()), Reply::Stall(begun)] {
        // As it is by itself, and as it is for a server that takes long to write.
        for (stall, request, reading) in [(1, 5, None), (10, 10, Some(2))] {
            let wire = Wire::start([hangs.clone(), json("[1]")]).await;
            let limits = wire.builder().read_timeout(stall * MINUTE).request_timeout(Some(request * MINUTE));
            let client =
                limits.read_only_timeout(reading.map(|minutes: u32| minutes * MINUTE)).retry_policy(retries).build();
            assert_eq!(client.unwrap().get("a").send().await.unwrap().body, json!([1]));
            assert_eq!(wire.requests().len(), 2);
        }
    }
}

#[tokio::test]
async fn what_is_written_is_waited_for_longer_than_what_is_read() {
    let wire = Wire::start([Reply::Late(text(200, "", b"{}"), 2 * MINUTE)]).await;
    let client = wire.builder().read_only_timeout(Some(MINUTE / 2)).retry_policy(RetryPolicy::none()).build().unwrap();
    let changes = client.request(Method::PATCH, "a/1").json(json!({}));
    assert_eq!(changes.send().await.unwrap().body, json!({}));
    assert_eq!(client.get("a").send().await.unwrap_err().kind(), ErrorKind::Timeout);
    let query = client.request(Method::POST, "graphql").read_only().json(json!({}));
    assert_eq!(query.send().await.unwrap_err().kind(), ErrorKind::Timeout);
    // The limit of all requests holds for reads as well.
    let limits = wire.builder().request_timeout(Some(MINUTE / 2)).read_only_timeout(Some(9 * MINUTE));
    let error = failure_of(&limits.retry_policy(RetryPolicy::none()).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_until_it_takes_too_long() {
    let slow = || Reply::Drip(text(200, "", br#"{"slow": true}"#), Duration::from_millis(2));
    let wire = Wire::start([slow()]).await;
    let client = wire.builder().read_timeout(Duration::from_secs(5)).build().unwrap();
    assert_eq!(client.get("a").send().await.unwrap().body, json!({"slow": true}));
    let wire = Wire::start([slow()]).await;
    let limits = wire.builder().request_timeout(Some(Duration::from_millis(60))).retry_policy(RetryPolicy::none());
    assert_eq!(failure_of(&limits.build().unwrap()).await.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_said_to_be_none() {
    let page = "<!doctype html><html><head><title>Log in</title></head><body>…</body></html>";
    let wire = Wire::start([reply(200, "content-type: text/html\r\n", page)]).await;
    let error = failure(&wire).await.to_string();
    let expected = r#"the answer is a web page and not JSON: a page titled "Log in"; is this the API's address?"#;
    assert!(error.ends_with(expected), "{error}");
    let wire = Wire::start([json(r#"{"a": "#)]).await;
    let error = failure(&wire).await.to_string();
    assert!(error.contains("the answer is not JSON (EOF while parsing a value at line 1 column 6)"), "{error}");
    let wire = Wire::start([reply(502, "content-type: text/html\r\n", page)]).await;
    assert!(failure(&wire).await.to_string().ends_with(r#"502 Bad Gateway: a page titled "Log in""#));
}

#[tokio::test]
async fn an_empty_answer_is_null() {
    for status in [200, 204] {
        let wire = Wire::start([reply(status, "", "")]).await;
        assert!(wire.client().get("a").send().await.unwrap().body.is_null());
    }
}

#[tokio::test]
async fn a_compressed_answer_is_read_and_a_huge_one_is_not() {
    let zipped = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 170, 202, 44, 40, 72, 77, 81, 178, 82, 40, 41, 42, 77, 173, 5, 0,
        204, 165, 222, 13, 16, 0, 0, 0,
    ];
    let wire = Wire::start([Reply::Answer(text(200, "content-encoding: gzip\r\n", &zipped))]).await;
    assert_eq!(wire.client().get("a").send().await.unwrap().body, json!({"zipped": true}));
    assert!(wire.requests()[0].contains("gzip"));
    let wire = Wire::start([Reply::Answer(text(200, "content-encoding: gzip\r\n", b"no gzip"))]).await;
    assert_eq!(failure(&wire).await.kind(), ErrorKind::InvalidResponse);
    let wire = Wire::start([json(&format!("[{}]", "1,".repeat(1000)))]).await;
    let error = failure_of(&wire.builder().max_response_size(100).build().unwrap()).await.to_string();
    assert!(
        error.contains("the answer has more than 100 bytes, which is the limit; request smaller pages, or raise it"),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_is_followed_when_reading_within_the_host() {
    let wire = Wire::answering(|_, request| {
        if request.contains("/vlans/") { json("[1]") } else { reply(301, "location: /base/api/vlans/\r\n", "") }
    });
    let wire = wire.await;
    assert_eq!(wire.client().get("vlans").send().await.unwrap().body, json!([1]));
    assert_eq!(wire.lines(), ["GET /base/api/vlans", "GET /base/api/vlans/"]);
    let error = wire.client().request(Method::POST, "vlans").json(json!({})).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().ends_with("its paths end with a slash: set `trailing_slash(true)`"), "{error}");
    assert_eq!(wire.requests().len(), 3);
}

#[tokio::test]
async fn the_login_is_sent_to_no_other_host() {
    let other = Wire::start([json("[1]")]).await;
    let wire = Wire::start([reply(302, &format!("location: {}\r\n", other.url), "")]).await;
    let error = failure(&wire).await;
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains("the login is not sent there"), "{error}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn redirects_in_circles_end() {
    let wire = Wire::start([reply(302, "location: /again\r\n", "")]).await;
    assert!(failure(&wire).await.to_string().ends_with("the server redirects in circles"));
    assert_eq!(wire.requests().len(), 6);
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let quick =
        |url: &str| Client::builder(Url::parse(url).unwrap()).retry_policy(RetryPolicy::none()).build().unwrap();
    let unknown = failure_of(&quick("https://nowhere.invalid/api")).await;
    assert_eq!(unknown.kind(), ErrorKind::Connect);
    assert!(unknown.to_string().contains("the host `nowhere.invalid` is not known"), "{unknown}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    drop(listener);
    let refused = failure_of(&quick(&url)).await;
    assert!(refused.to_string().contains("no connection to 127.0.0.1: "), "{refused}");
    assert!(refused.to_string().ends_with("; does the server run, and is the port right?"), "{refused}");
    assert_eq!(refused.into_target_error().kind(), TargetErrorKind::Fatal);
}

#[tokio::test]
async fn a_server_that_proves_nothing_is_refused_unless_its_certificate_is_known() {
    let wire = Wire::self_signed(json("[1]")).await;
    let error = failure(&wire).await;
    assert_eq!(error.kind(), ErrorKind::Certificate);
    let message = error.to_string();
    assert!(message.contains("127.0.0.1 is not trusted: ") && message.contains("`root_certificate`"), "{message}");
    assert!(wire.requests().is_empty());
    assert_eq!(error.into_target_error().kind(), TargetErrorKind::Fatal);
    let trusting = wire.builder().root_certificate(wire.certificate.clone()).build().unwrap();
    assert_eq!(trusting.get("a").send().await.unwrap().body, json!([1]));
    let careless = wire.builder().danger_accept_invalid_certs(true).build().unwrap();
    assert_eq!(careless.get("a").send().await.unwrap().body, json!([1]));
}

#[tokio::test]
async fn a_refused_login_says_what_to_check() {
    let body = format!(r#"{{"detail": "no such token: {TOKEN}"}}"#);
    let wire = Wire::start([reply(403, "", &body)]).await;
    let error = failure(&wire).await;
    let expected = r#"403 Forbidden: {"detail":"no such token: [secret]"}; check the token, and what its user may do"#;
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(error.response_body(), Some(&json!({"detail": "no such token: [secret]"})));
    assert!(error.to_string().contains("vlans?token=***"), "{error}");
}

#[tokio::test]
async fn secrets_of_a_body_are_not_in_what_is_said_of_it() {
    let wire = Wire::start([reply(400, "", r#"{"password": ["'hunter2' is too short"]}"#)]).await;
    let body = json!({"password": "hunter2"});
    let request = wire.client().request(Method::POST, "users").json(body).redact(&["hunter2".to_owned()]);
    assert!(!format!("{request:?} {:?}", wire.client()).contains("hunter2"));
    let error = request.send().await.unwrap_err();
    tight(&error);
    assert!(error.to_string().contains("'[secret]' is too short"), "{error}");
}

#[tokio::test]
async fn a_secret_is_not_shown_in_any_form_in_which_it_is_echoed() {
    let secret = "pä\"ss/w'rd 1";
    for echo in [
        r#"{"detail": "no: pä\"ss/w'rd 1"}"#,
        r#"no: {"detail": "p\u00e4\"ss\/w'rd 1"}"#,
        "no: p%C3%A4%22ss%2Fw%27rd%201",
        "no: p%c3%a4%22ss%2fw%27rd+1",
        "no: pÃ¤&quot;ss/w&#x27;rd 1",
        // `me:` and the password, and the header that holds them.
        "no: bWU6cMOkInNzL3cncmQgMQ==",
        "no: 'pä\"ss/w\\'rd 1'",
    ] {
        let wire = Wire::start([reply(400, "content-type: text/plain; charset=utf-8\r\n", echo)]).await;
        let client =
            Client::builder(wire.url.clone()).basic_auth("me", Secret::new(secret.to_owned())).build().unwrap();
        let error = client.get("").send().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("no: ") && shown.contains("[secret]"), "{echo}: {shown}");
        for part in ["rd 1", "w%27", "22ss", "cMOkInNz", "ss/w", "w\\'rd"] {
            assert!(!shown.contains(part), "{echo}: {shown}");
        }
    }
    let latin1 = [b"no: p\xe4\"ss/w'rd 1".as_slice()].concat();
    let wire = Wire::start([Reply::Answer(text(400, "", &latin1))]).await;
    let client = Client::builder(wire.url.clone()).basic_auth("me", Secret::new(secret.to_owned())).build().unwrap();
    let shown = client.get("").send().await.unwrap_err().to_string();
    assert!(shown.ends_with("no: [secret]"), "{shown}");
}

#[tokio::test]
async fn a_client_shows_no_secret() {
    let wire = Wire::start([json("1")]).await;
    let builder = wire.builder().basic_auth("me", Secret::new("hunter2".into()));
    let shown = format!("{builder:?} {:?}", wire.client());
    assert!(!shown.contains("hunter2") && !shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn a_pace_is_kept() {
    let wire = Wire::start([json("1")]).await;
    let client = wire.builder().requests_per_second(50.0).build().unwrap();
    let begun = Instant::now();
    for _ in 0..11 {
        client.get("a").send().await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_millis(195), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn so_many_requests_are_made_at_a_time() {
    let wire = Wire::start([Reply::Drip(text(200, "", b"1"), Duration::from_millis(5))]).await;
    let client = wire.builder().concurrency(2).build().unwrap();
    let all = (0..6).map(|_| client.get("a").send());
    let asked = tokio::spawn(futures_util::future::join_all(all));
    while wire.requests().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(wire.requests().len(), 2, "the first two are not answered yet");
    assert!(asked.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(wire.requests().len(), 6);
}
