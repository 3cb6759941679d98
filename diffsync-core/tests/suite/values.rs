//! What is compared, and what an update writes: no opinion, values set once, and what a target may hold beyond.

use crate::fake_network::{SyncNets, apply, lab};

/// Runs a sync of two devices and expects these changes.
#[track_caller]
fn check(source: &str, target: &str, changes: &[&str], then: &str) {
    let device = |values: &str| format!("location x; device d in=x {values}");
    let lab = lab(&device(source), &device(target));
    lab.run::<SyncNets>(apply());
    let changes: Vec<_> = changes.iter().map(|change| format!("device d {change}")).collect();
    assert_eq!(lab.changes(), changes);
    assert_eq!(lab.target().shown(), crate::net::net(&device(then)).shown());
    let again = lab.run::<SyncNets>(apply());
    assert_eq!(again.counts(), "2 unchanged", "a second run has nothing to do");
}

#[test]
fn none_where_there_may_be_no_opinion_changes_nothing() {
    check("", "serial=old", &[], "serial=old");
    check("serial=new", "", &[r#"{"serial":"new"}"#], "serial=new");
    check("serial=new", "serial=old", &[r#"{"serial":"new"}"#], "serial=new");
}

#[test]
fn none_anywhere_else_clears() {
    let lab = lab("tag red", "tag red color=ff0000");
    lab.run::<SyncNets>(apply());
    assert_eq!(lab.changes(), [r#"tag red {"color":null}"#]);
}

#[test]
fn what_is_set_at_creation_only_is_not_compared() {
    check("password=new", "password=old", &[], "password=old");
    check("password=new serial=1", "password=old", &[r#"{"serial":"1"}"#], "password=old serial=1");
}

#[test]
fn what_is_set_at_creation_only_is_set_at_creation() {
    let lab = lab("location x; device d in=x password=new", "location x");
    lab.run::<SyncNets>(apply());
    assert_eq!(lab.target().devices.get("d").unwrap().password.as_deref(), Some("new"));
}

#[test]
fn a_target_may_hold_more_and_keeps_it() {
    check("features=a", "features=a,b", &[], "features=a,b");
    check("", "features=a,b", &[], "features=a,b");
    check("features=c,a", "features=a,b", &[r#"{"features":["a","b","c"]}"#], "features=a,b,c");
}

#[test]
fn the_order_of_references_makes_no_update() {
    let lab =
        lab("tag a; tag b; location x; device d in=x tags=a,b", "tag a; tag b; location x; device d in=x tags=b,a");
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "4 unchanged");
}

crate::fake_network::lab_jobs! {
    WithoutNotes: [crate::fake_network::Rack] = crate::fake_network::Rack::one_by_one, skip(Note);
    WithoutTenants: [crate::fake_network::Rack] = crate::fake_network::Rack::one_by_one, ignore(device.tenant);
    WithoutColors: [crate::fake_network::Rack] = crate::fake_network::Rack::one_by_one, ignore(tag.color);
}
use crate::net::Note;

#[test]
fn a_model_that_the_job_skips_is_left_out_on_both_sides() {
    let lab = lab("note a; note b text=new; tag red", "note b text=old; note c");
    let ended = lab.run::<WithoutNotes>(apply());
    assert_eq!((ended.counts().as_str(), lab.calls()), ("1 created, 3 left_out", vec!["create tag red".to_owned()]));
    let skipped: Vec<_> = ended.report.skipped.iter().map(|skipped| (skipped.model, &*skipped.reason)).collect();
    assert_eq!(skipped, [("note", "the job leaves it out"); 2]);
}

#[test]
fn an_attribute_that_the_job_ignores_is_not_compared_and_not_written() {
    let lab = lab("tag red color=new; tag blue color=new", "tag red color=old");
    let ended = lab.run::<WithoutColors>(apply());
    assert_eq!((ended.counts().as_str(), lab.calls()), ("1 created, 1 unchanged", vec!["create tag blue".to_owned()]));
}

#[test]
fn a_reference_that_is_not_compared_keeps_what_it_names() {
    let lab = lab("location x; device d in=x serial=2", "location x; tenant old; device d in=x serial=1 tenant=old");
    let ended = lab.run::<WithoutTenants>(apply());
    assert_eq!(ended.undone(), ["delete tenant old: blocked"]);
    assert_eq!(ended.counts(), "1 updated, 1 unchanged, 1 blocked");
}
