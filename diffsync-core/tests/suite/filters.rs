//! Filters: the part of a diff that a run is about. What is left out is counted, and what needs it is left out too.

use diffsync_core::model::Operation;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;

use crate::fake_network::{SyncNets, apply, lab};

fn only(records: &[&str], operations: &[Operation]) -> RunOptions {
    let mut options = apply();
    options.filter.records = records.iter().map(|filter| filter.parse().unwrap()).collect();
    options.filter.operations = operations.to_vec();
    options
}

const SOURCE: &str =
    "location nl kind=new; location de; device ams1 in=nl; device ams2 in=nl; interface ams1/eth0; tag red";
const TARGET: &str = "location nl kind=old; location fr; device par1 in=fr; interface par1/eth0; tag blue; note same";

#[track_caller]
fn check(records: &[&str], operations: &[Operation], calls: &[&str], counts: &str) {
    let lab = lab(&format!("{SOURCE}; note same"), TARGET);
    let ended = lab.run::<SyncNets>(only(records, operations));
    assert_eq!((lab.calls(), ended.counts().as_str()), (calls.iter().map(ToString::to_string).collect(), counts));
}

#[test]
fn a_run_about_some_models_leaves_the_others_out() {
    check(&["tag"], &[], &["create tag red", "delete tag blue"], "1 created, 1 deleted, 1 unchanged, 8 left_out");
    check(
        &["tag", "location=nl"],
        &[],
        &["create tag red", "update location nl", "delete tag blue"],
        "1 created, 1 updated, 1 deleted, 1 unchanged, 7 left_out",
    );
}

#[test]
fn a_pattern_chooses_records_of_a_model_by_their_identifiers() {
    check(&["device=ams*"], &[], &["create device ams1", "create device ams2"], "2 created, 1 unchanged, 8 left_out");
    check(
        &["device=ams?", "interface=ams1__*"],
        &[],
        &["create device ams1", "create device ams2", "create interface ams1__eth0"],
        "3 created, 1 unchanged, 7 left_out",
    );
    check(&["device=nothing"], &[], &[], "1 unchanged, 10 left_out");
}

#[test]
fn operations_can_be_chosen() {
    let creates = [
        "create tag red",
        "create location de",
        "create device ams1",
        "create device ams2",
        "create interface ams1__eth0",
    ];
    let deletes = ["delete interface par1__eth0", "delete device par1", "delete location fr", "delete tag blue"];
    check(&[], &[Operation::Create], &creates, "5 created, 1 unchanged, 5 left_out");
    check(&[], &[Operation::Update], &["update location nl"], "1 updated, 1 unchanged, 9 left_out");
    check(&[], &[Operation::Delete], &deletes, "4 deleted, 1 unchanged, 6 left_out");
    check(&["tag"], &[Operation::Delete], &["delete tag blue"], "1 deleted, 1 unchanged, 9 left_out");
}

#[test]
fn what_needs_a_record_that_is_left_out_is_left_out_too() {
    let lab = lab(
        "location x; tenant t; device d in=x tenant=t; interface d/eth0; device e in=x master=d; device f in=x; address 1 on=d/eth0",
        "location x; device f in=x; address 1",
    );
    let ended = lab.run::<SyncNets>(only(&["device", "interface", "address"], &[]));
    assert_eq!((ended.counts().as_str(), lab.calls().len()), ("2 unchanged, 5 left_out", 0));
    assert_eq!(ended.report.status, Status::Completed);
}

#[test]
fn what_hangs_on_a_record_whose_delete_is_left_out_keeps_what_it_names() {
    let lab = lab("tag t", "tag t; location x; device d in=x");
    let ended = lab.run::<SyncNets>(only(&["location"], &[]));
    assert_eq!(ended.undone(), ["delete location x: blocked"]);
    assert_eq!(ended.counts(), "1 unchanged, 1 blocked, 1 left_out");
}

#[test]
fn a_move_that_is_left_out_keeps_what_it_would_leave() {
    let lab = lab("location a; device d in=a", "location b; device d in=b");
    let ended = lab.run::<SyncNets>(only(&["location"], &[]));
    assert_eq!(ended.undone(), ["delete location b: blocked"]);
    assert_eq!(ended.counts(), "1 created, 1 blocked, 1 left_out");
}

#[test]
fn what_a_filter_leaves_out_counts_for_no_guard() {
    let lab = lab("tag t; location x", "tag t; tag u; location x").source_then(|net| net.tags.mark_loaded());
    let mut options = crate::fake_network::guarded();
    options.filter.operations = vec![Operation::Create];
    assert_eq!(lab.run::<SyncNets>(options).report.breaches, []);
}
