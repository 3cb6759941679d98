//! References: what a record names is written before it, and deleted after it.

use diffsync_core::report::Status;

use crate::fake_network::{Answer, SyncNets, apply, lab};

/// Runs a sync and expects these calls, in this order, and that a second run has nothing to do.
#[track_caller]
fn check(source: &str, target: &str, calls: &[&str]) {
    let lab = lab(source, target);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(lab.calls(), calls);
    assert_eq!(ended.report.status, Status::Completed, "{:?}", ended.report);
    assert_eq!(lab.target().shown(), lab.source().shown());
    let again = lab.run::<SyncNets>(apply());
    assert_eq!((lab.calls().len(), again.report.status), (calls.len(), Status::Completed));
}

#[test]
fn a_tenant_is_written_before_its_devices_and_deleted_after_them() {
    let both = "device d in=x tenant=acme; location x; tenant acme";
    check(both, "", &["create tenant acme", "create location x", "create device d"]);
    check("", both, &["delete device d", "delete tenant acme", "delete location x"]);
}

#[test]
fn a_reference_that_names_nothing_needs_nothing() {
    check(
        "device d in=x; location x; address 10.0.0.1",
        "",
        &["create location x", "create device d", "create address 10.0.0.1"],
    );
}

#[test]
fn each_of_many_references_is_written_first() {
    let both = "device d in=x tags=red,blue; location x; tag blue; tag red";
    check(both, "", &["create tag blue", "create tag red", "create location x", "create device d"]);
    check("location x; tag red", both, &["delete device d", "delete tag blue"]);
}

#[test]
fn a_record_that_names_another_of_its_model_is_written_after_it() {
    let both = "location x; device a in=x master=b; device b in=x master=c; device c in=x";
    check(both, "location x", &["create device c", "create device b", "create device a"]);
    check("location x", both, &["delete device a", "delete device b", "delete device c"]);
}

#[test]
fn a_reference_over_several_fields_is_one() {
    let both =
        "location x; address 10.0.0.1 on=d/eth0; interface d/eth0; interface e/eth0; device d in=x; device e in=x";
    check(
        both,
        "location x",
        &[
            "create device d",
            "create device e",
            "create interface d__eth0",
            "create interface e__eth0",
            "create address 10.0.0.1",
        ],
    );
    let kept = "location x; interface e/eth0; device e in=x";
    check(kept, both, &["delete address 10.0.0.1", "delete interface d__eth0", "delete device d"]);
}

#[test]
fn locations_four_levels_deep_load_in_any_order_and_are_created_level_by_level() {
    let deep = [
        "location room in=floor",
        "location floor in=house",
        "location house in=town",
        "location town",
        "location hall in=floor",
    ];
    let mut orders = vec![deep.to_vec(), deep.iter().rev().copied().collect()];
    orders.extend((1..5).map(|by| {
        let mut order = deep.to_vec();
        order.rotate_left(by);
        order
    }));
    for order in orders {
        for concurrency in [1, 8] {
            let lab = lab(&order.join(";"), "");
            let mut options = apply();
            options.concurrency = std::num::NonZeroUsize::new(concurrency);
            assert_eq!(lab.run::<SyncNets>(options.clone()).counts(), "5 created");
            let mut calls = lab.calls();
            calls[3..].sort();
            assert_eq!(calls[..3], ["create location town", "create location house", "create location floor"]);
            assert_eq!(calls[3..], ["create location hall", "create location room"]);
            lab.set_source("tag red");
            lab.forget_calls();
            assert_eq!(lab.run::<SyncNets>(options).counts(), "1 created, 5 deleted");
            let calls = lab.calls();
            assert_eq!(calls[3..], ["delete location floor", "delete location house", "delete location town"]);
        }
    }
}

#[test]
fn a_location_moves_under_one_that_is_new_and_out_of_one_that_goes() {
    check(
        "location new; location a in=new; location b in=a",
        "location old; location a in=old; location b in=old",
        &["create location new", "update location a", "update location b", "delete location old"],
    );
}

#[test]
fn a_model_that_comes_after_another_waits_for_all_of_it() {
    let both = "note n; device d in=x; location x";
    check(both, "", &["create location x", "create device d", "create note n"]);
    check("", both, &["delete note n", "delete device d", "delete location x"]);
}

#[test]
fn a_model_that_comes_after_another_does_not_need_it() {
    let lab = lab("note n; device d in=x; location x", "").failing(&[("create device d", Answer::Fail)]);
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "2 created, 1 failed");
}

#[test]
fn a_reference_that_changes_is_changed_before_what_it_named_goes() {
    check(
        "location x; device d in=x tenant=new; tenant new",
        "location x; device d in=x tenant=old; tenant old",
        &["create tenant new", "update device d", "delete tenant old"],
    );
}

#[test]
fn a_dangling_reference_of_the_source_rejects_the_record_and_what_needs_it() {
    let lab = lab(
        "location x; device d in=x tenant=nobody; interface d/eth0; address 10.0.0.1 on=d/eth0; address 10.0.0.2",
        "location x",
    );
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.counts(), "1 created, 1 unchanged, 3 rejected");
    assert_eq!(lab.calls(), ["create address 10.0.0.2"]);
    let problems: Vec<_> = ended.report.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [r#"source: device "d" refers to tenant "nobody", which does not exist"#]);
}
