//! Models that say themselves whose their records are.

use std::sync::Arc;
use std::time::Duration;

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::Rest;
use diffsync_core::job::JobSpec;
use diffsync_core::plan::OutcomeCounts;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};
use serde_json::{Value, json};

use super::fake::{Fake, dialect};
use super::runs::{Given, Handed, failures, rows};

/// The owner is a field.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "locations", owner(field = "custom_fields.managed_by", value = "diffsync"))]
struct Site {
    #[sync(id)]
    name: String,
    #[rest(blank)]
    note: Option<String>,
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

/// The owner is an item of a list.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "devices", owner(field = "tags -> tags(name)", value = "owned"))]
struct Host {
    #[sync(id)]
    name: String,
    #[rest(field = "custom_fields.external_id", optional)]
    external: Option<u64>,
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

#[derive(Dataset, Default)]
struct Marked {
    sites: Table<Site>,
    hosts: Table<Host>,
}

/// Writes owned records to an API.
#[job(source = Given<Marked>, target = Rest<Marked>, max_deletes = "100%")]
struct MarkedToApi {
    marked: Handed<Marked>,
    api: Handed<Rest<Marked>>,
}

opens!(MarkedToApi: Given<Marked> = |job| Given(Handed::new(job.marked.take())), Rest<Marked> = |job| job.api.take());

/// Brings the API in line with records of these names.
async fn completed(names: &[&str], api: Rest<Marked>) -> OutcomeCounts {
    let mut marked = Marked::default();
    let of = |name: &&str| (*name).to_owned();
    marked.sites.extend(names.iter().map(|name| Site { name: of(name), note: Some("ours".into()), id: None }));
    marked.hosts.extend(names.iter().map(|name| Host { name: of(name), external: Some(1), id: None }));
    let job = MarkedToApi { marked: Handed::new(marked), api: Handed::new(api) };
    let mut options = RunOptions::new(&MarkedToApi::INFO).apply();
    options.retry.first_pause = Duration::from_millis(2);
    let report = Run::execute(Arc::new(job), options, Vec::new()).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()));
    report.counts
}

#[tokio::test]
async fn a_model_that_names_its_owner_is_stamped_and_only_what_is_stamped_is_deleted() {
    let fake = Fake::start().await;
    let (system, client) = fake.system();
    let api = || Rest::new(client.clone(), dialect());
    fake.with(&system, |system| {
        for (id, name) in [(1, "theirs"), (2, "changed")] {
            system.add("locations", json!({"id": id, "name": name, "note": ""}));
            system.add("devices", json!({"id": id, "name": name, "tags": [{"id": 1}]}));
        }
    });
    let counts = completed(&["mine", "changed"], api()).await;
    assert_eq!((counts.created, counts.updated, counts.left_out), (2, 2, 2));
    fake.with(&system, |system| {
        let stamped = |row: &Value| {
            let is_listed = row["tags"].as_array().is_some_and(|tags| tags.contains(&json!({"id": 3})));
            is_listed || row["custom_fields"]["managed_by"] == "diffsync"
        };
        for collection in ["locations", "devices"] {
            let stamps: Vec<bool> = rows(system, collection).iter().map(stamped).collect();
            assert_eq!(stamps, [false, true, true], "{:?}", rows(system, collection));
        }
    });
    let counts = completed(&["changed"], api()).await;
    assert_eq!((counts.deleted, counts.left_out, counts.unchanged), (2, 2, 2));
}
