//! Saved plans of records that name each other in every way, and are compared in every way.

use diffsync_core::plan_file::DriftPolicy;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::draw::{Draw, network};
use crate::fake_network::{Answer, Handle, SyncNets, apply, lab, lab_of};
use crate::net::{Net, net};
use crate::net_properties::{Which, answers};
use crate::plan_file::{apply_plan, inverse, key, saved};

fn dry_run() -> RunOptions {
    let mut options = apply();
    options.dry_run = true;
    options
}

fn plan(lab: &Handle) -> String {
    saved::<SyncNets>(&lab.run::<SyncNets>(dry_run()).report, &dry_run())
}

/// Runs a sync, and gives what takes it back.
fn undo_of(lab: &Handle) -> String {
    let mut options = apply();
    options.undo = Some(key());
    let ended = lab.run::<SyncNets>(options.clone());
    assert_eq!(ended.report.undo.as_ref().unwrap().unrestorable, [], "{:?}", ended.report);
    inverse::<SyncNets>(&ended.report, &options)
}

/// Makes a plan, carries it out, expects it to be done then, and takes it back.
fn check(source: &str, target: &str) {
    let direct = lab(source, target);
    direct.run::<SyncNets>(apply());
    let by_plan = lab(source, target);
    let text = plan(&by_plan);
    let carrying = || apply_plan(apply(), &text, DriftPolicy::Refuse);
    let ended = by_plan.run::<SyncNets>(carrying());
    assert_eq!(ended.report.status, Status::Completed, "{:?} {text}", ended.report);
    assert_eq!(by_plan.target().shown(), direct.target().shown());
    let again = by_plan.run::<SyncNets>(carrying()).report;
    assert_eq!(again.error_text().as_deref(), Some("everything in the plan is done already"), "{:?}", again.drift);

    let lab = lab(source, target);
    let undo = undo_of(&lab);
    // What is to be there again is all that taking back needs, and it is in the file; the lab counts it.
    lab.set_source(target);
    let ended = lab.run::<SyncNets>(apply_plan(apply(), &undo, DriftPolicy::Refuse));
    assert_eq!(ended.report.status, Status::Completed, "{:?} {undo}", ended.report);
    assert_eq!(lab.target().shown(), net(target).shown());
}

#[test]
fn deferred_references_are_set_changed_and_taken_back() {
    check(
        "location l; device d in=l primary=1 peers=e; device e in=l peers=d; interface d/a; address 1 on=d/a",
        "location l; device e in=l",
    );
    check(
        "location l; device d in=l primary=2; interface d/a; address 1 on=d/a; address 2 on=d/a",
        "location l; device d in=l primary=1; interface d/a; address 1 on=d/a; address 2 on=d/a",
    );
    // The circle is cleared before it is deleted, and made again.
    check("location l", "location l; device d in=l primary=1; interface d/a; address 1 on=d/a");
}

#[test]
fn a_reference_that_was_cleared_before_a_delete_that_failed_is_set_again() {
    let target = "location l; device d in=l primary=1; interface d/a; address 1 on=d/a";
    let lab = lab("location l", target).failing(&[("delete address 1", Answer::Fail)]);
    let mut options = apply();
    options.undo = Some(key());
    let ended = lab.run::<SyncNets>(options.clone());
    assert_eq!(lab.target().devices.get("d").unwrap().primary, None, "{:?}", ended.report);
    let undo = inverse::<SyncNets>(&ended.report, &options);
    lab.mend();
    lab.set_source(target);
    lab.run::<SyncNets>(apply_plan(apply(), &undo, DriftPolicy::Refuse));
    assert_eq!(lab.target().shown(), net(target).shown());
}

#[test]
fn references_parents_and_nests_round_trip() {
    check(
        "tenant t; tag a; location nl; location ams in=nl; device d in=ams tenant=t tags=a; device e in=ams master=d",
        "tenant u; tag b; location de; location ams in=de; device e in=ams tenant=u tags=b",
    );
}

#[test]
fn what_the_source_has_no_opinion_on_is_left_and_what_it_has_is_taken_back() {
    check("location l; device d in=l serial=2", "location l; device d in=l");
    check("location l; device d in=l serial=2", "location l; device d in=l serial=1");
    check("location l kind=x; device d in=l", "location l; device d in=l serial=1");
}

#[test]
fn what_the_target_may_hold_beyond_the_source_is_kept_and_taken_back_exactly() {
    check("location l; device d in=l features=a,b", "location l; device d in=l features=c");
    let lab = lab("location l; device d in=l features=a", "location l; device d in=l features=c");
    let undo = undo_of(&lab);
    assert!(undo.contains(r#""before":{"features":["c","a"]},"after":{"features":["c"]}"#), "{undo}");
}

#[test]
fn what_the_target_never_gives_back_is_no_change_of_it() {
    let source = "location l; device d in=l password=x";
    let made = lab(source, "location l");
    let text = plan(&made);
    let undo = undo_of(&made);
    let forgetting = |lab: Handle| {
        lab.target_then(|net| {
            net.devices.modify("d", |device| device.password = None);
        })
    };
    let lab = forgetting(made);
    let again = lab.run::<SyncNets>(apply_plan(apply(), &text, DriftPolicy::Refuse)).report;
    assert_eq!(again.error_text().as_deref(), Some("everything in the plan is done already"), "{:?}", again.drift);
    lab.set_source("location l");
    let ended = lab.run::<SyncNets>(apply_plan(apply(), &undo, DriftPolicy::Refuse));
    assert_eq!((ended.report.status, ended.counts().as_str()), (Status::Completed, "1 deleted, 1 unchanged"));
}

#[test]
fn what_another_order_holds_is_done_already() {
    let sides = ["tag a; tag b; location l; device d in=l tags=a,b", "tag a; tag b; location l; device d in=l"];
    let made = lab(sides[0], sides[1]);
    let text = plan(&made);
    let lab = lab(sides[0], "tag a; tag b; location l; device d in=l tags=b,a");
    let report = lab.run::<SyncNets>(apply_plan(apply(), &text, DriftPolicy::Refuse)).report;
    assert_eq!(report.error_text().as_deref(), Some("everything in the plan is done already"), "{:?}", report.drift);
}

#[test]
fn a_record_is_not_created_again_without_what_it_needs() {
    let lab = lab("location l", "location l; location c in=l; device d in=c; interface d/a");
    let undo = undo_of(&lab);
    // By now the outer place is gone as well, so that none of it can stand.
    let gone = crate::fake_network::lab("", "tag x");
    let ended = gone.run::<SyncNets>(apply_plan(apply(), &undo, DriftPolicy::Skip));
    let reasons: Vec<_> = ended.report.drift.iter().map(ToString::to_string).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.ends_with(": a record that it needs is missing")), "{reasons:?}");
    assert_eq!(gone.calls(), [""; 0]);
}

/// Carries out the plan that brings one random network in line with another, and takes a run back that failed in places.
fn check_drawn(mut draw: Draw) {
    let (source, target) = (network(&mut draw, true), network(&mut draw, true));
    let which = Which::draw(&mut draw);
    let at = |source: &Net, target: &Net| lab_of(source.copy(), target.copy());

    let direct = at(&source, &target);
    which.run(&direct, apply());
    let by_plan = at(&source, &target);
    let text = plan(&by_plan);
    let ended = which.run(&by_plan, apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!(ended.report.status, Status::Completed, "{:?} {text}", ended.report.drift);
    assert_eq!(by_plan.target().shown(), direct.target().shown());

    let seed = draw.below(10_000) as u64;
    let failing = answers(seed, if draw.happens(50) { 20 } else { 0 });
    let lab = at(&source, &target).answering(move |call, times| match failing(call, times) {
        Answer::Do => Answer::Do,
        _ => Answer::Fail,
    });
    let mut options = apply();
    options.undo = Some(key());
    let ended = which.run(&lab, options.clone());
    let undo = ended.report.undo.as_ref().unwrap();
    assert_eq!(undo.unrestorable, [], "{:?}", ended.report);
    let text = inverse::<SyncNets>(&ended.report, &options);
    // The lab counts what is to be there again as if it came from a source.
    let back = at(&target, &lab.target());
    let ended = which.run(&back, apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert!(ended.report.drift.is_empty(), "{:?} {text}", ended.report.drift);
    assert_eq!(back.target().shown(), target.shown(), "{text}");
}

proptest! {
    #[test]
    fn plans_and_taking_back_hold_for_any_two_networks(numbers in vec(any::<u16>(), 0..600)) {
        check_drawn(Draw::new(numbers));
    }
}
