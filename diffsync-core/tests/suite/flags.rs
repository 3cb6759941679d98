//! Flags: what a run leaves alone, on all four levels, with what lives under it.

use diffsync_core::model::Flags;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, Plan, SyncModel, Table};

use crate::fake_network::{Handle, RunResult, SyncNets, apply, lab};
use crate::net::{DeviceId, LocationId, Net};
use crate::world::counted;

const SOURCE: &str = "location x kind=new; location new; device d in=new; interface d/eth0; tag red";
const TARGET: &str = "location x kind=old; location old; device o in=old; interface o/eth0; tag blue";

fn flagged(flags: Flags) -> RunOptions {
    let mut options = apply();
    options.flags = flags;
    options
}

#[track_caller]
fn check(lab: &Handle, options: RunOptions, calls: &[&str], counts: &str) -> RunResult {
    let ended = lab.run::<SyncNets>(options);
    assert_eq!((lab.calls(), ended.counts()), (calls.iter().map(ToString::to_string).collect(), counts.to_owned()));
    ended
}

#[test]
fn a_run_can_leave_out_all_creates() {
    let calls =
        ["update location x", "delete interface o__eth0", "delete device o", "delete location old", "delete tag blue"];
    let ended =
        check(&lab(SOURCE, TARGET), flagged(Flags::SKIP_UNMATCHED_SRC), &calls, "1 updated, 4 deleted, 4 left_out");
    assert_eq!(ended.report.status, Status::Completed, "what is left out was wanted so");
}

#[test]
fn a_run_can_leave_out_all_deletes() {
    let calls =
        ["create tag red", "create location new", "update location x", "create device d", "create interface d__eth0"];
    check(&lab(SOURCE, TARGET), flagged(Flags::SKIP_UNMATCHED_DST), &calls, "4 created, 1 updated, 4 left_out");
}

#[test]
fn a_run_can_leave_out_both() {
    check(&lab(SOURCE, TARGET), flagged(Flags::SKIP_UNMATCHED_BOTH), &["update location x"], "1 updated, 8 left_out");
}

#[test]
fn a_table_can_be_ignored_with_all_that_lives_under_it() {
    for on_source in [true, false] {
        let ignore = |net: &mut Net| net.locations.set_flags(Flags::IGNORE);
        let lab = lab(SOURCE, TARGET);
        let lab = if on_source { lab.source_then(ignore) } else { lab.target_then(ignore) };
        check(&lab, apply(), &["create tag red", "delete tag blue"], "1 created, 1 deleted, 7 left_out");
    }
}

#[test]
fn a_record_can_be_ignored_with_all_that_lives_under_it() {
    for (location, calls, counts) in [
        ("new", 6, "1 created, 1 updated, 4 deleted, 3 left_out"),
        ("old", 6, "4 created, 1 updated, 1 deleted, 3 left_out"),
        ("x", 8, "4 created, 4 deleted, 1 left_out"),
        ("nowhere", 9, "4 created, 1 updated, 4 deleted"),
    ] {
        for on_source in [true, false] {
            let ignore = move |net: &mut Net| net.locations.flag(LocationId::new(location), Flags::IGNORE);
            let lab = lab(SOURCE, TARGET);
            let lab = if on_source { lab.source_then(ignore) } else { lab.target_then(ignore) };
            let ended = lab.run::<SyncNets>(apply());
            assert_eq!((lab.calls().len(), ended.counts().as_str()), (calls, counts), "{location}");
        }
    }
}

#[test]
fn a_record_that_is_not_created_takes_along_what_lives_under_it_and_what_refers_to_it() {
    let lab = lab(
        "location x; device d in=x; interface d/eth0; address 1 on=d/eth0; device e in=x master=d; device f in=x",
        "location x; device f in=x primary=1; address 1",
    )
    .source_then(|net| net.devices.flag(DeviceId::new("d"), Flags::SKIP_UNMATCHED_SRC));
    // The address would be put on an interface that will not be there, and is left as it is.
    check(&lab, apply(), &["update device f"], "1 updated, 1 unchanged, 4 left_out");
}

#[test]
fn a_record_that_is_not_deleted_keeps_what_lives_under_it_and_what_it_refers_to() {
    let lab = lab(
        "tag t",
        "tag t; tenant a; tenant b; location x; device d in=x tenant=a; interface d/eth0; device e in=x tenant=b",
    )
    .target_then(|net| net.devices.flag(DeviceId::new("d"), Flags::SKIP_UNMATCHED_DST));
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.counts(), "2 deleted, 1 unchanged, 2 blocked, 2 left_out");
    assert_eq!(ended.undone(), ["delete location x: blocked", "delete tenant a: blocked"]);
}

#[test]
fn what_nests_in_a_record_that_is_not_deleted_stays_with_it() {
    let lab = lab("tag t", "tag t; location a; location b in=a; location c in=b; location d; location e in=d")
        .target_then(|net| net.locations.flag(LocationId::new("a"), Flags::SKIP_UNMATCHED_DST));
    check(&lab, apply(), &["delete location e", "delete location d"], "2 deleted, 1 unchanged, 3 left_out");
}

#[test]
fn flags_of_all_levels_add_up() {
    let lab = lab(SOURCE, TARGET)
        .source_then(|net| net.tags.set_flags(Flags::SKIP_UNMATCHED_SRC))
        .target_then(|net| net.locations.flag(LocationId::new("x"), Flags::IGNORE));
    check(
        &lab,
        flagged(Flags::SKIP_UNMATCHED_DST),
        &["create location new", "create device d", "create interface d__eth0"],
        "3 created, 6 left_out",
    );
}

#[test]
fn a_record_that_must_not_be_deleted_is_held_aloud_and_its_parents_stay() {
    let lab = lab("tag t", "tag t; location a; location b in=a; device d in=b; interface d/eth0; device e in=b")
        .target_then(|net| net.devices.flag(DeviceId::new("d"), Flags::PREVENT_DESTROY));
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.undone(), ["delete location b: blocked", "delete location a: blocked", "delete device d: held"]);
    assert_eq!(ended.counts(), "2 deleted, 1 unchanged, 2 blocked, 1 held");
    assert_eq!(ended.report.status, Status::Partial);
    let tree = ended.report.plan().unwrap().tree().to_string();
    assert!(tree.contains("- device d (held back)\n"), "{tree}");
    assert_eq!(ended.report.summary().unwrap().total.held, 1);
    let reasons: Vec<_> = ended.report.failures().map(|failed| (failed.record, failed.reason)).collect();
    let expected = [
        ("d", "`prevent_destroy` held it back"),
        ("a", r#"because of location "b""#),
        ("b", r#"because of device "d""#),
    ];
    assert_eq!(reasons, expected.map(|(record, reason)| (record.to_owned(), reason.to_owned())));
}

#[test]
fn a_record_that_must_not_be_deleted_can_be_updated_and_created() {
    let lab = lab("location x kind=new; tag new", "location x kind=old");
    check(&lab, flagged(Flags::PREVENT_DESTROY), &["create tag new", "update location x"], "1 created, 1 updated");
}

/// A region, whose system deletes what lives under it.
#[derive(SyncModel, Clone, Debug)]
#[sync(flags(skip_children_on_delete))]
struct Region {
    #[sync(id)]
    name: String,
}

/// A zone, which must stay.
#[derive(SyncModel, Clone, Debug)]
#[sync(flags(prevent_destroy, skip_unmatched_src))]
struct Zone {
    #[sync(id)]
    name: String,
}

/// A city.
#[derive(SyncModel, Clone, Debug)]
#[sync(flags(skip_unmatched_dst))]
struct City {
    #[sync(id)]
    name: String,
    #[sync(parent = Zone)]
    zone: String,
}

/// A note under a region.
#[derive(SyncModel, Clone, Debug)]
struct Remark {
    #[sync(id)]
    name: String,
    #[sync(parent = Region)]
    region: String,
}

/// A draft.
#[derive(SyncModel, Clone, Debug)]
#[sync(flags(ignore))]
struct Draft {
    #[sync(id)]
    name: String,
}

#[derive(Dataset, Default)]
struct Atlas {
    remarks: Table<Remark>,
    regions: Table<Region>,
    cities: Table<City>,
    zones: Table<Zone>,
    drafts: Table<Draft>,
}

fn atlas(name: &str) -> Atlas {
    let name = || name.to_owned();
    let mut atlas = Atlas::default();
    atlas.remarks.insert(Remark { name: name(), region: name() });
    atlas.regions.insert(Region { name: name() });
    atlas.cities.insert(City { name: name(), zone: name() });
    atlas.zones.insert(Zone { name: name() });
    atlas.drafts.insert(Draft { name: name() });
    atlas
}

#[test]
fn the_flags_of_a_model_act_when_the_diff_is_calculated() {
    let plan = Plan::new(atlas("new"), atlas("old"));
    let summary = plan.diff().summary();
    let counts: Vec<_> = summary.models.iter().map(|model| (model.model, counted(model.counts))).collect();
    let expected = [
        ("remark", "1 create, 1 cascade"),
        ("region", "1 create, 1 delete"),
        // The new one would be in a zone that is not created.
        ("city", "2 left out"),
        ("zone", "1 held, 1 left out"),
        ("draft", "2 left out"),
    ];
    assert_eq!(counts, expected.map(|(model, counts)| (model, counts.to_owned())));
    assert_eq!(
        plan.tree().to_string(),
        "+ region new\n  + remark new\n- region old\n  - remark old (deleted with its parent)\n- zone old (held back)\n"
    );
}
