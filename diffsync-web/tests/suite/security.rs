//! What every answer tells the browser, and which requests are refused.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use crate::world::{JOB, World};

#[tokio::test]
async fn every_answer_forbids_what_is_not_the_servers_own() {
    let world = World::new().await;
    let id = world.run("plain", &[]).await.id;
    let of_sync = ["", "/diff", "/diff/0", "/diff.csv", "/logs", "/lines"].map(|path| format!("/syncs/{id}{path}"));
    let others = ["/", "/history", "/logs", "/nothing", "/assets/style.css", "/syncs/x"].map(str::to_owned);
    let of_job = [format!("/jobs/{JOB}"), format!("/jobs/{JOB}/run")];
    for path in of_sync.iter().chain(&others).chain(&of_job) {
        let reply = world.get(path).await;
        let header = |name: &str| reply.headers.get(name).unwrap_or_else(|| panic!("{path} has no {name}"));
        let policy = header("content-security-policy").to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        // The policy would refuse them.
        for inline in ["<style", " style=", "onclick=", "javascript:", "<script>"] {
            assert!(!reply.text.contains(inline) || path.contains("assets"), "{inline} in {path}");
        }
        for part in reply.text.split(['"', ' ']).filter(|part| part.starts_with("http")) {
            let is_link = part.starts_with("http://www.w3.org/") || part.starts_with("https://inventory.example.com/");
            assert!(is_link || path.contains("assets"), "{path} names {part}");
        }
    }
}

#[tokio::test]
async fn a_request_for_another_host_is_refused() {
    let world = World::new().await;
    for (host, status) in [
        ("127.0.0.1:8080", StatusCode::OK),
        ("localhost", StatusCode::OK),
        ("[::1]:9000", StatusCode::OK),
        ("evil.example:8080", StatusCode::FORBIDDEN),
        ("127.0.0.1.evil.example", StatusCode::FORBIDDEN),
        ("192.168.1.5", StatusCode::FORBIDDEN),
    ] {
        let request = Request::get("/").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, status, "{host}");
    }
    let without = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(world.send(without).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_a_page_of_the_server_starts_a_run() {
    let world = World::new().await;
    let run = format!("/jobs/{JOB}/run");
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("accept", "*/*"),
    ] {
        let request = Request::post(&run).header("host", "127.0.0.1:8080").header(name, value);
        let reply = world.send(request.body(Body::from("v.floor=1")).unwrap()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert!(world.runs.asked.lock().unwrap().is_empty());

    let id = world.run("plain", &[]).await.id;
    for path in [format!("/syncs/{id}/cancel"), "/".to_owned(), "/history".to_owned()] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let request = Request::builder().method(&method).uri(&path).header("host", "localhost");
            let request = request.header("origin", "http://localhost").body(Body::empty()).unwrap();
            let status = world.send(request).await.status;
            let is_page = method == Method::GET && !path.ends_with("cancel");
            assert_eq!(
                status,
                if is_page { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED },
                "{method} {path}"
            );
        }
    }
}
