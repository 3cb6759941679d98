//! The traps that a sync can fall into, each by its name.

use diffsync_core::Plan;
use diffsync_core::model::{Flags, OnGuard};
use diffsync_core::plan::Refusal;
use diffsync_core::report::{RunError, Status};

use crate::abilities::NoDeletes;
use crate::fake_network::{Answer, Batches, SyncBulk, SyncNets, apply, guarded, lab, lab_of};
use crate::net::{LocationId, Net, Tag, net};
use crate::world::{counted, region};

#[test]
fn a_child_that_moved_under_another_parent_is_an_update() {
    let lab = lab(
        "location a; location b; device d in=b; interface d/eth0",
        "location a; location b; device d in=a; interface d/eth0",
    );
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 updated, 3 unchanged");
    assert_eq!(lab.changes(), [r#"device d {"location":"b"}"#]);
}

#[test]
fn a_move_that_failed_keeps_the_old_parent() {
    for answer in [Answer::Fail, Answer::Hang, Answer::Panic] {
        let lab = lab("location b; device d in=b", "location a; device d in=a").failing(&[("update device d", answer)]);
        let ended = lab.run::<SyncNets>(apply());
        assert_eq!(ended.outcome("delete location a"), Some("blocked"));
        assert!(lab.target().locations.contains("a") && !lab.calls().contains(&"delete location a".to_owned()));
    }
}

#[test]
fn a_failed_record_is_not_counted_as_done() {
    let lab = lab("tag a; tag b color=red; location x", "tag b; tag c").answering(|_, _| Answer::Fail);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("4 failed", Status::Partial));
    assert_eq!((ended.report.counts.written(), ended.report.counts.records()), (0, 4));
    assert_eq!(lab.completed(), 0, "nothing was written");
}

/// Identifiers that look alike, in a data set of their own.
mod identifiers {
    use diffsync_core::{Dataset, SyncModel, Table};

    #[derive(SyncModel)]
    pub(super) struct Numbered {
        #[sync(id)]
        pub(super) number: u32,
    }

    #[derive(SyncModel)]
    pub(super) struct Lettered {
        #[sync(id)]
        pub(super) number: String,
    }

    #[derive(SyncModel)]
    pub(super) struct Pair {
        #[sync(id)]
        pub(super) one: String,
        #[sync(id)]
        pub(super) other: String,
    }

    #[derive(SyncModel, Default)]
    pub(super) struct Measured {
        #[sync(id)]
        pub(super) id: u8,
        pub(super) height: f64,
        pub(super) heights: Vec<Option<f32>>,
        pub(super) text: Option<String>,
        #[sync(create_only)]
        pub(super) secret: u8,
    }

    #[derive(Dataset, Default)]
    pub(super) struct Alike {
        pub(super) numbered: Table<Numbered>,
        pub(super) lettered: Table<Lettered>,
        pub(super) pairs: Table<Pair>,
        pub(super) measured: Table<Measured>,
    }
}
use identifiers::{Alike, Lettered, Measured, Numbered, Pair};

fn alike(fill: impl FnOnce(&mut Alike)) -> Alike {
    let mut alike = Alike::default();
    alike.numbered.mark_loaded();
    alike.lettered.mark_loaded();
    alike.pairs.mark_loaded();
    alike.measured.mark_loaded();
    fill(&mut alike);
    alike
}

#[track_caller]
fn check_alike(source: impl FnOnce(&mut Alike), target: impl FnOnce(&mut Alike), counts: &str) {
    let plan = Plan::new(alike(source), alike(target));
    assert_eq!(counted(plan.diff().summary().total), counts, "{}", plan.tree());
}

#[test]
fn a_number_is_not_the_text_of_it() {
    // They cannot even stand in one table; side by side they are two records.
    check_alike(
        |source| source.numbered.insert(Numbered { number: 1 }),
        |target| target.lettered.insert(Lettered { number: "1".into() }),
        "1 create, 1 delete",
    );
    check_alike(
        |source| source.lettered.insert(Lettered { number: "1".into() }),
        |target| target.lettered.insert(Lettered { number: "01".into() }),
        "1 create, 1 delete",
    );
}

#[test]
fn identifiers_of_several_parts_are_not_mixed_up() {
    let pair = |one: &str, other: &str| Pair { one: one.into(), other: other.into() };
    check_alike(
        |source| source.pairs.insert(pair("a__b", "c")),
        |target| target.pairs.insert(pair("a", "b__c")),
        "1 create, 1 delete",
    );
    let plan = Plan::new(
        alike(|source| source.pairs.insert(pair("a__b", "c"))),
        alike(|target| target.pairs.insert(pair("a", "b__c"))),
    );
    assert_eq!(plan.tree().to_string(), "+ pair \"a__b\"__c\n- pair a__\"b__c\"\n");
}

#[test]
fn a_parent_is_not_deleted_although_the_delete_of_its_child_failed() {
    let lab = lab("tag t", "tag t; location a; location b in=a; device d in=b; interface d/eth0")
        .failing(&[("delete interface d__eth0", Answer::Fail)]);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.counts(), "1 unchanged, 1 failed, 3 blocked");
    assert_eq!(lab.calls(), ["delete interface d__eth0"]);
}

#[test]
fn an_empty_source_does_not_empty_the_target() {
    let target = "tag a; tag b; location x";
    // Nobody said that it is empty.
    let ended = lab("", target).run::<SyncNets>(guarded());
    assert_eq!(ended.report.status, Status::Refused);
    // The loader says so, and still.
    let lab = lab("", target).source_then(|net| {
        net.tags.mark_loaded();
        net.locations.mark_loaded();
    });
    let ended = lab.run::<SyncNets>(guarded());
    let models: Vec<_> = ended.report.breaches.iter().map(|breach| (breach.model, breach.limit)).collect();
    assert_eq!((models, ended.report.status), (vec![("tag", None), ("location", None)], Status::Refused));
    assert_eq!(lab.calls(), [""; 0]);
}

/// Both sides hold tags, and the target also notes that the source's loader does not look at.
fn half_loaded() -> crate::fake_network::Handle {
    lab("tag a", "tag a; note n").source_then(|net| {
        let mut only_tags = Net::default();
        only_tags.tags.insert(Tag { name: "a".into(), color: None });
        *net = only_tags;
    })
}

#[test]
fn a_loader_that_touched_only_one_table_is_refused() {
    let lab = half_loaded().target_then(|net| {
        let mut some = Net::default();
        some.tags.insert(Tag { name: "a".into(), color: None });
        some.notes.insert(crate::net::Note { name: "n".into(), text: None });
        *net = some;
    });
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(
        ended.report.error_text().unwrap(),
        "the source did not load note; its adapter's `load` must call `mark_loaded()` on the table of that model if there are no such records, or \
         `skip(reason)` if it cannot list them"
    );
    assert!(matches!(&ended.report.error, Some(RunError::Refused(Refusal::HalfLoaded(models))) if models.len() == 1));
    assert_eq!(lab.calls(), [""; 0]);
}

#[test]
fn a_table_that_was_loaded_with_nothing_is_loaded() {
    let mut source = Net::default();
    source.tags.extend([]);
    let mut target = Net::default();
    target.tags.insert(Tag { name: "a".into(), color: None });
    assert_eq!(counted(Plan::new(source, target).diff().summary().total), "1 delete");
}

#[test]
fn a_dangling_reference_on_the_targets_side_is_mended() {
    let lab = lab(
        "location x; tenant t; device d in=x tenant=t",
        "location x; device d in=x tenant=gone; device e in=x tenant=gone",
    );
    let ended = lab.run::<SyncNets>(apply());
    let problems: Vec<_> = ended.report.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["d", "e"].map(|device| format!("target: device {device:?} refers to tenant \"gone\", which does not exist"))
    );
    assert_eq!(
        (ended.counts().as_str(), ended.report.status),
        ("1 created, 1 updated, 1 deleted, 1 unchanged", Status::Completed)
    );
}

#[test]
fn a_percentage_does_not_act_on_a_table_of_three() {
    let lab = lab("tag a", "tag a; tag b; tag c");
    assert_eq!(lab.run::<SyncNets>(guarded()).counts(), "2 deleted, 1 unchanged");
}

#[test]
fn a_nan_is_a_nan() {
    let measured =
        |height, heights: &[Option<f32>]| Measured { height, heights: heights.to_vec(), ..Measured::default() };
    check_alike(
        |source| source.measured.insert(measured(f64::NAN, &[Some(f32::NAN), None])),
        |target| target.measured.insert(measured(-f64::NAN, &[Some(f32::NAN), None])),
        "1 same",
    );
    check_alike(
        |source| source.measured.insert(measured(f64::NAN, &[])),
        |target| target.measured.insert(measured(0.0, &[])),
        "1 update",
    );
}

#[test]
fn an_empty_text_is_not_none() {
    check_alike(
        |source| source.measured.insert(Measured { text: Some(String::new()), ..Measured::default() }),
        |target| target.measured.insert(Measured::default()),
        "1 update",
    );
}

#[test]
fn what_is_set_at_creation_only_may_differ() {
    check_alike(
        |source| source.measured.insert(Measured { secret: 1, ..Measured::default() }),
        |target| target.measured.insert(Measured { secret: 2, ..Measured::default() }),
        "1 same",
    );
}

#[test]
fn a_token_that_is_revoked_half_way_ends_the_run_and_the_next_one_does_the_rest() {
    let world: Vec<_> = (0..100_000).map(|number| region(&format!("r{number}"))).collect();
    let records = crate::world::Records { regions: world, ..Default::default() };
    let rig = crate::fake_target::Rig::new(records, crate::world::Records::default())
        .answering("create region r50000", crate::fake_target::Answer::Fatal)
        .into_shared();
    let report = rig.run(crate::fake_target::apply());
    assert_eq!((report.counts.created, report.counts.failed, report.counts.not_attempted), (50_000, 1, 49_999));
    assert_eq!((report.status, rig.calls().len()), (Status::Failed, 50_001));
    assert_eq!(
        report.error_text().unwrap(),
        "the run ended early after 1 of 100000 operations failed, the last with: it is gone"
    );
    crate::fake_target::locked(&rig.answers).clear();
    let report = rig.run(crate::fake_target::apply());
    assert_eq!((report.counts.created, report.counts.unchanged, report.status), (50_000, 50_000, Status::Completed));
}

#[test]
fn a_revoked_token_ends_batches_at_the_same_time() {
    let tags: String = (0..64).map(|number| format!("tag t{number};")).collect();
    let lab = lab(&tags, "").batching(Batches::Together).failing(&[("create tag t30", Answer::Fatal)]);
    let mut options = apply();
    options.concurrency = std::num::NonZeroUsize::new(4);
    let ended = lab.run::<SyncBulk>(options);
    let counts = ended.report.counts;
    assert_eq!((counts.failed, counts.created + counts.not_attempted), (4, 60));
    assert!(counts.not_attempted >= 60 - 28 - 12, "{counts:?}");
}

#[test]
fn a_target_that_cannot_delete_says_so_of_each_record() {
    let lab = lab("tag a", "tag a; tag b; location x; device d in=x");
    let ended = lab.run::<NoDeletes>(guarded());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("1 unchanged, 3 unsupported", Status::Completed));
    assert_eq!(lab.calls(), [""; 0]);
    assert_eq!(ended.report.plan().unwrap().tree().to_string().matches(" (not supported by the target)").count(), 3);
}

#[test]
fn a_unique_name_that_a_delete_frees_is_there_for_a_create() {
    let lab = lab("tenant b code=1", "tenant a code=1");
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 created, 1 deleted");
}

#[test]
fn flags_hold_whoever_executes_the_diff() {
    // All of them act when it is calculated: nothing of them is looked at later.
    let lab = lab("tag new", "tag old; location x").target_then(|net| {
        net.tags.set_flags(Flags::SKIP_UNMATCHED_BOTH);
        net.locations.flag(LocationId::new("x"), Flags::PREVENT_DESTROY);
    });
    let mut options = apply();
    options.on_guard = OnGuard::Hold;
    assert_eq!(lab.run::<SyncNets>(options).counts(), "1 held, 2 left_out");
    assert_eq!(lab.calls(), [""; 0]);
}

#[test]
fn a_duplicate_does_not_end_a_load() {
    let source = net("tag a; tag a; tag b; tag b; tag c");
    let target = net("tag a; tag d");
    let plan = Plan::new(source, target);
    assert_eq!(counted(plan.diff().summary().total), "1 create, 1 delete, 2 rejected");
    assert_eq!(plan.problems().len(), 2);
}

#[test]
fn what_was_reviewed_is_what_is_executed() {
    // The source changes between the diff and its execution, and nobody notices.
    let lab = lab_of(net("tag a"), net(""));
    let handle = lab.clone();
    let lab = lab.answering(move |_, _| {
        handle.set_source("tag z");
        Answer::Do
    });
    assert_eq!(lab.run::<SyncNets>(apply()).counts(), "1 created");
    assert_eq!(lab.target().names(), ["tag a"]);
}
