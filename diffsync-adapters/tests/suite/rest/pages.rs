//! Collections that come page by page.

use std::time::Duration;

use diffsync_adapters::rest::{CollectionFormat, Error, ErrorKind, Pagination};
use diffsync_core::value::Url;
use serde_json::{Value, json};

use super::wire::{Reply, Wire, json as answer, reply, text};

/// The number that a parameter of a request has.
fn number(request: &str, name: &str) -> Option<usize> {
    parameter(request, name)?.parse().ok()
}

fn parameter(request: &str, name: &str) -> Option<String> {
    let path = request.split_whitespace().nth(1)?;
    let url = Url::parse(&format!("http://h{path}")).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The rows from one number on.
fn rows(from: usize, count: usize, of: usize) -> Vec<Value> {
    (from..of.min(from + count)).map(|id| json!({"id": id})).collect()
}

fn in_results(pagination: Pagination, total: bool) -> CollectionFormat {
    CollectionFormat { pagination, rows: "/results".into(), total: total.then(|| "/count".into()) }
}

fn by_offset(size: usize) -> CollectionFormat {
    in_results(Pagination::Offset { offset: "offset".into(), limit: "limit".into(), size }, true)
}

/// What comes of reading a collection.
async fn read(wire: &Wire, format: &CollectionFormat) -> Result<Vec<u64>, Error> {
    let query = [("sort".to_owned(), "id".to_owned())];
    let rows = wire.client().rows("vlans", &query, format, Some("id"), |_, _| {}).await?;
    Ok(rows.iter().map(|row| row["id"].as_u64().unwrap()).collect())
}

/// All rows come, in their order.
async fn check(wire: &Wire, format: &CollectionFormat, rows: u64) {
    assert_eq!(read(wire, format).await.unwrap(), (0..rows).collect::<Vec<_>>());
    assert!(wire.lines().iter().all(|line| line.contains("sort=id")), "{:?}", wire.lines());
}

#[tokio::test]
async fn a_collection_may_come_at_once() {
    let wire = Wire::answering(|_, _| answer(&json!(rows(0, 9, 9)).to_string())).await;
    check(&wire, &CollectionFormat::default(), 9).await;
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn pages_are_asked_for_by_offset() {
    let wire = Wire::answering(|_, request| {
        let (limit, offset) = (number(request, "limit").unwrap(), number(request, "offset").unwrap());
        answer(&json!({"count": 23, "results": rows(offset, limit, 23)}).to_string())
    });
    check(&wire.await, &by_offset(5), 23).await;
}

#[tokio::test]
async fn a_server_that_gives_smaller_pages_than_asked_for_loses_nothing() {
    let wire = Wire::answering(|_, request| {
        answer(&json!({"count": 23, "results": rows(number(request, "offset").unwrap(), 4, 23)}).to_string())
    });
    let wire = wire.await;
    check(&wire, &by_offset(1000), 23).await;
    assert_eq!(wire.requests().len(), 6);
}

#[tokio::test]
async fn pages_are_asked_for_at_the_same_time_and_come_in_order() {
    let wire = Wire::answering(|_, request| {
        let offset = number(request, "offset").unwrap();
        let body = json!({"count": 12, "results": rows(offset, 3, 12)}).to_string();
        // The first says how many there are; of the others earlier ones are slower.
        let pause = if offset == 0 { 0 } else { 400 - 20 * offset as u64 };
        Reply::Late(text(200, "", body.as_bytes()), Duration::from_millis(pause))
    });
    let wire = wire.await;
    let (client, format) = (wire.builder().concurrency(2).build().unwrap(), by_offset(3));
    let reading = tokio::spawn(async move { client.rows("vlans", &[], &format, Some("id"), |_, _| {}).await });
    while wire.requests().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(wire.requests().len(), 3, "two of the three other pages, and none of them is answered yet");
    assert_eq!(reading.await.unwrap().unwrap(), rows(0, 12, 12));
}

#[tokio::test]
async fn pages_are_asked_for_by_number_with_and_without_a_total() {
    for total in [true, false] {
        for size in [Some(("per_page".to_owned(), 4)), None] {
            let wire = Wire::answering(|_, request| {
                let page = number(request, "page").unwrap();
                answer(&json!({"count": 10, "results": rows((page - 1) * 4, 4, 10)}).to_string())
            });
            check(&wire.await, &in_results(Pagination::PageNumber { page: "page".into(), first: 1, size }, total), 10)
                .await;
        }
    }
}

#[tokio::test]
async fn pages_are_asked_for_by_cursor() {
    let wire = Wire::answering(|_, request| {
        let from = parameter(request, "after").map_or(0, |after| after[1..].parse().unwrap());
        let next = if from < 8 { json!(format!("c{}", from + 4)) } else { json!(null) };
        answer(&json!({"results": rows(from, 4, 10), "meta": {"next": next}}).to_string())
    });
    check(
        &wire.await,
        &in_results(Pagination::Cursor { cursor: "after".into(), next: "/meta/next".into() }, false),
        10,
    )
    .await;
}

#[tokio::test]
async fn pages_lead_to_the_next_by_a_header_or_in_the_body() {
    let whole = |request: &str| format!("http://{}/base/api/vlans", header(request, "host").unwrap());
    let begins: [fn(&str, String) -> String; 3] =
        [|_, _| "?".into(), |_, _| "/base/api/vlans?".into(), |_, whole| format!("{whole}?")];
    for begin in begins {
        let next = move |request: &str| {
            let page = number(request, "page").unwrap_or(0);
            let next = (page < 2).then(|| format!("{}sort=id&page={}", begin(request, whole(request)), page + 1));
            (next, rows(page * 4, 4, 10))
        };
        let link = Wire::answering(move |_, request| {
            let (next, rows) = next(request);
            let link = next.map(|next| format!("link: </elsewhere>; rel=last, <{next}>; rel=\"next\"\r\n"));
            reply(200, &link.unwrap_or_default(), &json!(rows).to_string())
        });
        check(&link.await, &CollectionFormat { pagination: Pagination::LinkHeader, ..CollectionFormat::default() }, 10)
            .await;
        let body = Wire::answering(move |_, request| {
            let (next, rows) = next(request);
            answer(&json!({"next": next, "results": rows}).to_string())
        });
        let body = body.await;
        check(&body, &in_results(Pagination::NextUrl { next: "/next".into() }, false), 10).await;
        assert!(body.lines().iter().all(|line| line.starts_with("GET /base/api/vlans?")), "{:?}", body.lines());
    }
}

fn header(request: &str, name: &str) -> Option<String> {
    let prefix = format!("{name}: ");
    request.lines().find_map(|line| Some(line.strip_prefix(&prefix)?.to_owned()))
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let other = Wire::start([answer("[]")]).await;
    for url in [other.url.to_string(), "http://evil.example/api".into(), "ftp://127.0.0.1/".into()] {
        let body = json!({"results": [{"id": 0}], "next": url}).to_string();
        let wire = Wire::start([answer(&body)]).await;
        let error = read(&wire, &in_results(Pagination::NextUrl { next: "/next".into() }, false)).await.unwrap_err();
        assert!(error.to_string().contains("the login is not sent there"), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn pages_in_circles_are_an_error() {
    let wire = Wire::answering(|nth, _| {
        let next = format!("/base/api/vlans?sort=id&page={}", nth % 2);
        answer(&json!({"results": [{"id": nth}], "next": next}).to_string())
    });
    let error = read(&wire.await, &in_results(Pagination::NextUrl { next: "/next".into() }, false)).await.unwrap_err();
    assert!(error.to_string().contains("the pages lead in circles"), "{error}");
}

#[tokio::test]
async fn a_collection_that_changes_while_it_is_read_is_read_again() {
    // Before the second page is requested, a row is added before it.
    let wire = Wire::answering(|nth, request| {
        let of = if nth == 0 { 6 } else { 7 };
        answer(&json!({"count": of, "results": rows(number(request, "offset").unwrap(), 4, of)}).to_string())
    });
    let wire = wire.await;
    check(&wire, &by_offset(4), 7).await;
    assert_eq!(wire.requests().len(), 4);
}

#[tokio::test]
async fn a_row_that_comes_twice_has_the_collection_read_again() {
    let wire = Wire::answering(|nth, request| {
        let offset = number(request, "offset").unwrap();
        // A row was deleted and another added: the number is the same, and a row moved to the next page.
        answer(&json!({"count": 8, "results": rows(if nth == 1 { offset - 1 } else { offset }, 4, 8)}).to_string())
    });
    check(&wire.await, &by_offset(4), 8).await;
}

#[tokio::test]
async fn a_collection_that_never_rests_is_an_error() {
    let wire = Wire::answering(|nth, request| {
        answer(&json!({"count": 10 + nth, "results": rows(number(request, "offset").unwrap(), 4, 10)}).to_string())
    });
    let error = read(&wire.await, &by_offset(4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CollectionChanged);
    assert!(error.to_string().contains("`vlans` changed while it was read: it had "), "{error}");
    assert!(error.to_string().ends_with("it was read 3 times; try when less is going on"), "{error}");
}

#[tokio::test]
async fn rows_that_do_not_come_are_missed() {
    let wire = Wire::start([answer(&json!({"count": 5, "results": []}).to_string())]).await;
    let error = read(&wire, &by_offset(4)).await.unwrap_err();
    assert!(error.to_string().contains("it has 5 rows, but 0 arrived"), "{error}");
}

#[tokio::test]
async fn an_answer_without_rows_is_an_error() {
    for (body, found) in
        [(json!({"results": {}}), "an object"), (json!([]), "nothing"), (json!({"results": null}), "null")]
    {
        let wire = Wire::start([answer(&body.to_string())]).await;
        let error = read(&wire, &by_offset(4)).await.unwrap_err().to_string();
        let expected =
            format!("the answer holds no rows: `/results` is {found} and not a list; is this the API's address?");
        assert!(error.ends_with(&expected), "{error}");
    }
}

fn by_number() -> CollectionFormat {
    in_results(Pagination::PageNumber { page: "page".into(), first: 1, size: None }, false)
}

#[tokio::test]
async fn a_page_that_is_not_found_is_behind_the_last() {
    let wire = Wire::answering(|_, request| match number(request, "page").unwrap() {
        page if page <= 2 => answer(&json!({"results": rows((page - 1) * 4, 4, 8)}).to_string()),
        _ => reply(404, "", r#"{"detail": "Invalid page."}"#),
    });
    check(&wire.await, &by_number(), 8).await;
    let nothing = Wire::start([reply(404, "", "")]).await;
    assert!(read(&nothing, &by_number()).await.is_err(), "the first is there");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_pages_is_an_error() {
    let wire = Wire::start([answer(&json!({"results": [{"name": "a"}]}).to_string())]).await;
    let error = wire.client().rows("vlans", &[], &by_number(), None, |_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("the server returns the same page for every `page`"), "{error}");
    assert_eq!(wire.requests().len(), 2);
}
