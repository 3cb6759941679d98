//! Sets are sent in one order.

use std::collections::HashSet;
use std::sync::Arc;

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::{Bulk, Dialect, Rest};
use diffsync_core::job::JobSpec;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};

use super::runs::{Given, Handed};
use super::wire::{Wire, json, reply};

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "things")]
struct Thing {
    #[sync(id)]
    name: String,
    tags: HashSet<String>,
    size: u8,
    // Without a key, a record could only be created.
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

#[derive(Dataset, Default)]
struct Things {
    things: Table<Thing>,
}

#[job(source = Given<Things>, target = Rest<Things>)]
struct ToApi {
    things: Handed<Things>,
    api: Handed<Rest<Things>>,
}

opens!(ToApi: Given<Things> = |job| Given(Handed::new(job.things.take())), Rest<Things> = |job| job.api.take());

fn thing(name: &str) -> Thing {
    Thing { name: name.into(), tags: ["e", "b", "d", "a", "f", "c"].map(str::to_owned).into(), size: 1, id: None }
}

#[tokio::test]
async fn a_set_is_sent_in_one_order() {
    const TAGS: &str = r#"["a","b","c","d","e","f"]"#;
    let wire = Wire::answering(|_, request| match request.split(' ').next() {
        Some("POST") => reply(201, "", &format!(r#"{{"id": 2, "name": "new", "tags": {TAGS}, "size": 1}}"#)),
        Some("PATCH") => json(&format!(r#"{{"id": 1, "name": "old", "tags": {TAGS}, "size": 1}}"#)),
        _ => json(r#"[{"id": 1, "name": "old", "tags": ["x"], "size": 1}]"#),
    });
    let wire = wire.await;
    let things = Things { things: [thing("new"), thing("old")].into_iter().collect() };
    let api = Rest::new(wire.client(), Dialect::default());
    let job = ToApi { things: Handed::new(things), api: Handed::new(api) };
    let report = Run::execute(Arc::new(job), RunOptions::new(&ToApi::INFO).apply(), Vec::new()).await;
    assert_eq!((report.status, report.counts.written()), (Status::Completed, 2), "{:?}", report.error_text());
    let sent: Vec<_> = wire.requests().into_iter().filter(|request| !request.starts_with("GET")).collect();
    assert!(sent.len() == 2 && sent.iter().all(|request| request.contains(TAGS)), "{sent:?}");
}

/// A record with a field that the API only returns.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "counters")]
struct Counter {
    #[sync(id)]
    name: String,
    #[rest(read_only)]
    count: u8,
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

#[derive(Dataset, Default)]
struct Counters {
    counters: Table<Counter>,
}

#[job(source = Given<Counters>, target = Rest<Counters>)]
struct CountersToApi {
    counters: Handed<Counters>,
    api: Handed<Rest<Counters>>,
}

opens!(
    CountersToApi: Given<Counters> = |job| Given(Handed::new(job.counters.take())),
    Rest<Counters> = |job| job.api.take()
);

#[tokio::test]
async fn a_change_of_what_the_api_only_shows_fails_its_record() {
    for is_list in [false, true] {
        let wire = Wire::answering(|_, _| json(r#"[{"id": 1, "name": "a", "count": 1}]"#)).await;
        let counter = Counter { name: "a".into(), count: 2, id: None };
        let mut dialect = Dialect::default();
        dialect.bulk = if is_list { Bulk::all(10) } else { Bulk::default() };
        let job = CountersToApi {
            counters: Handed::new(Counters { counters: std::iter::once(counter).collect() }),
            api: Handed::new(Rest::new(wire.client(), dialect)),
        };
        let report = Run::execute(Arc::new(job), RunOptions::new(&CountersToApi::INFO).apply(), Vec::new()).await;
        assert_eq!((report.counts.updated, report.counts.failed), (0, 1), "{:?}", super::runs::failures(&report));
        assert!(super::runs::failures(&report)[0].contains("`count`"), "{:?}", super::runs::failures(&report));
    }
}
