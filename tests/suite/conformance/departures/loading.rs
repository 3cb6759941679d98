//! Sides that are not as they should be.

use diffsync_core::report::Status;
use diffsync_core::{Dataset, Plan, SyncModel, Table};
use serde_json::{Value, json};

use super::{Network, Site, first_sync, network, ours};
use crate::conformance::memory::{Memory, run, synced};
use crate::conformance::peer::{Question, peer};
use crate::conformance::records::Records;

/// What is wrong with the two sides of a plan.
fn problems<D: Dataset>(plan: &Plan<D>) -> Vec<String> {
    plan.problems().iter().map(ToString::to_string).collect()
}

fn tree<D: Dataset>(plan: &Plan<D>) -> Value {
    serde_json::to_value(plan.tree()).expect("a plain document")
}

#[test]
fn duplicates_are_rejected_all_at_once_where_the_peer_ends_at_the_first() {
    let Some(peer) = peer() else { return };
    let mut source = network(&["a", "b", "c"], &[], &[]);
    let target = network(&["b"], &[], &[]);
    // The peer gets a list; our tables keep the second of a kind apart.
    let mut question = Question::of(&source, &target);
    for name in ["b", "c"] {
        question = question.with_record("site", json!({ "name": name, "note": "again" }));
        source.sites.insert(Site { name: name.into(), note: "again".into() });
    }

    let theirs = peer.ask(&question);
    assert_eq!(theirs["exception"], json!("ObjectAlreadyExists"));
    assert_eq!(theirs["message"], json!("('Object b already present', site \"b\")"));

    let plan = Plan::new(source, target);
    assert_eq!(problems(&plan), ["source: site \"b\" occurs 2 times", "source: site \"c\" occurs 2 times"]);
    assert_eq!(tree(&plan), json!({ "site": { "a": { "+": { "note": "old" } } } }));
    assert_eq!(plan.diff().summary().total.rejected, 2);
}

#[test]
fn an_orphan_of_the_source_is_rejected_where_the_peer_ends_or_looks_away() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[("sw", "nowhere")], &[("sw", "eth0")]);
    let target = network(&["a"], &[("sw", "a")], &[("sw", "eth0")]);

    let strict = peer.ask(&Question::of(&source, &target));
    assert_eq!((&strict["exception"], &strict["step"]), (&json!("ObjectNotFound"), &json!("load source")));
    // Left unattached it is as if it were not there, and the target's is deleted.
    let lax = peer.ask(&Question::of(&source, &target).keeping_orphans());
    assert_eq!(first_sync(&lax), ["delete device sw", "delete port sw/eth0"]);

    let plan = Plan::new(source, target);
    assert_eq!(problems(&plan), ["source: device \"sw\" is under site \"nowhere\", which does not exist"]);
    assert_eq!(tree(&plan), json!({}));
    assert_eq!(plan.diff().summary().total.rejected, 2, "the port goes with its device");
}

#[test]
fn an_orphan_of_the_target_is_repaired_where_the_peer_fails_to_create_it_in_every_run() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[("sw", "a")], &[("sw", "eth0")]);
    let target = network(&["a"], &[("sw", "nowhere")], &[("sw", "eth0")]);

    let strict = peer.ask(&Question::of(&source, &target));
    assert_eq!((&strict["exception"], &strict["step"]), (&json!("ObjectNotFound"), &json!("load target")));
    let lax = peer.ask(&Question::of(&source, &target).keeping_orphans().syncs(3));
    assert_eq!(lax["syncs"].as_array().map(Vec::len), Some(3));
    for sync in 0..3 {
        let errors = &lax["syncs"][sync]["errors"];
        assert_eq!(*errors, json!(["Failed to create device {'name': 'sw'} - it already exists!"]));
    }

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.operations, ["update device sw"]);
    assert_eq!(ours.report.status, Status::Completed);
    assert_eq!(ours.report.problems().len(), 1, "it is a warning");
}

#[test]
fn an_orphan_that_only_the_target_has_is_deleted_where_the_peer_never_sees_it() {
    let Some(peer) = peer() else { return };
    let source = network(&["a"], &[("sw", "a")], &[]);
    let target = network(&["a"], &[("sw", "a"), ("lost", "nowhere")], &[]);

    let theirs = peer.ask(&Question::of(&source, &target).keeping_orphans());
    assert_eq!((&theirs["diff"], &theirs["summary"]["skip"]), (&json!({}), &json!(0)));

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.operations, ["delete device lost"]);
}

#[test]
fn a_source_that_loaded_nothing_is_refused_where_the_peer_deletes_everything() {
    let Some(peer) = peer() else { return };
    let target = network(&["a"], &[("sw", "a")], &[("sw", "eth0")]);

    let theirs = peer.ask(&Question::of(&Network::default(), &target));
    assert_eq!(theirs["contents"], json!({ "site": [], "device": [], "port": [] }));

    let target = Memory::new(target);
    let report = run(&Memory::new(Network::default()).silent(), &target);
    assert_eq!(report.status, Status::Refused);
    assert_eq!(target.data().rows().len(), 3);
}

#[derive(SyncModel, Clone)]
struct Region {
    #[sync(id)]
    name: String,
    #[sync(parent = Self)]
    parent: Option<String>,
}

#[derive(Dataset, Default)]
struct Regions {
    regions: Table<Region>,
}

synced!(SyncRegions: Regions { regions });

/// Regions as `(name, parent)`, the topmost under `""`.
fn regions(regions: &[(&str, &str)]) -> Regions {
    let region = |&(name, parent): &(&str, &str)| Region {
        name: name.into(),
        parent: Some(parent.to_owned()).filter(|parent| !parent.is_empty()),
    };
    Regions { regions: regions.iter().map(region).collect() }
}

/// The peer takes all records of a model that stands at the top for topmost, also those that have a parent.
#[test]
fn a_model_that_nests_in_itself_is_compared_once_where_the_peer_compares_it_at_every_level() {
    let Some(peer) = peer() else { return };
    let source = regions(&[("eu", ""), ("de", "eu"), ("berlin", "de")]);
    let target = Regions::default();

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!(theirs["summary"]["create"], json!(6));
    assert_eq!(theirs["syncs"][0]["errors"].as_array().map(Vec::len), Some(2));

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.summary["create"], json!(3));
    assert_eq!(ours.operations, ["create region eu", "create region de", "create region berlin"]);
    assert_eq!(
        ours.diff,
        json!({ "region": { "eu": { "+": { "parent": null }, "region": { "de": { "+": { "parent": "eu" }, "region": {
            "berlin": { "+": { "parent": "de" } } } } } } } })
    );
}

#[test]
fn a_loop_is_rejected_where_the_peer_goes_round_until_it_breaks() {
    let Some(peer) = peer() else { return };
    let source = regions(&[("eu", ""), ("left", "right"), ("right", "left")]);
    let target = regions(&[]);

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!((&theirs["exception"], &theirs["step"]), (&json!("RecursionError"), &json!("diff")));

    let plan = Plan::new(source, target);
    assert_eq!(problems(&plan), ["source: region \"left\" leads to itself: left -> right -> left"]);
    assert_eq!(tree(&plan), json!({ "region": { "eu": { "+": { "parent": null } } } }));
}
