//! Guards: a run that would change more than it may writes nothing, or holds that back.

use diffsync_core::job::JobSpec;
use diffsync_core::model::{Flags, Limit, OnGuard, Operation};
use diffsync_core::plan::Refusal;
use diffsync_core::report::{RunError, Status};
use diffsync_core::run::RunOptions;

use crate::fake_network::{Handle, InLab, Rack, RunResult, SyncNets, apply, guarded, lab, lab_jobs};
use crate::net::Net;

lab_jobs! {
    AtMostTwo: [Rack] = Rack::one_by_one, max_creates = 2, max_updates = 2, max_deletes = 2;
    AtMostHalf: [Rack] = Rack::one_by_one, max_creates = "50%", max_updates = "50%", max_deletes = "50%";
    HoldsBack: [Rack] = Rack::one_by_one, max_creates = 2, max_updates = 2, max_deletes = 2, on_guard = hold;
}

/// Tags of these numbers and this color.
fn tags(numbers: std::ops::Range<usize>, color: &str) -> String {
    numbers.map(|number| format!("tag t{number} color={color};")).collect()
}

fn refused(ended: &RunResult) -> bool {
    matches!(&ended.report.error, Some(RunError::Refused(Refusal::Guards(_))))
}

/// Runs a sync of tags and expects that it is refused, or not. What is created, updated and deleted is numbered from
/// the end, from the beginning, and in between.
#[track_caller]
fn check<J: InLab>(target: usize, [creates, updates, deletes]: [usize; 3], breach: Option<&str>) {
    let source = format!(
        "{}{}{}",
        tags(0..updates, "new"),
        tags(updates..target - deletes, "old"),
        tags(target..target + creates, "new")
    );
    let lab = lab(&source, &tags(0..target, "old"));
    let ended = lab.run::<J>(guarded());
    let breaches: Vec<_> = ended.report.breaches.iter().map(ToString::to_string).collect();
    match breach {
        None => {
            assert_eq!((breaches, ended.report.status), (vec![], Status::Completed));
            assert_eq!(lab.calls().len(), creates + updates + deletes);
        }
        Some(breach) => {
            assert_eq!((breaches, ended.report.status), (vec![breach.to_owned()], Status::Refused));
            assert_eq!(lab.calls(), [""; 0]);
            assert!(refused(&ended) && ended.report.error_text().unwrap().contains(breach));
        }
    }
}

#[test]
fn a_count_is_a_limit_that_may_be_reached_and_not_passed() {
    let breach = |operation, count| {
        format!("tag: it would {operation} {count} records where the target holds 6, and 2 are allowed")
    };
    check::<AtMostTwo>(6, [2, 2, 2], None);
    check::<AtMostTwo>(6, [3, 0, 0], Some(&breach("create", 3)));
    check::<AtMostTwo>(6, [0, 3, 0], Some(&breach("update", 3)));
    check::<AtMostTwo>(6, [0, 0, 3], Some(&breach("delete", 3)));
}

#[test]
fn a_percentage_is_of_what_the_target_holds_from_ten_records_up() {
    let breach =
        |operation| format!("tag: it would {operation} 6 records where the target holds 10, and 50% are allowed");
    check::<AtMostHalf>(10, [5, 5, 5], None);
    check::<AtMostHalf>(10, [6, 0, 0], Some(&breach("create")));
    check::<AtMostHalf>(10, [0, 6, 0], Some(&breach("update")));
    check::<AtMostHalf>(10, [0, 0, 6], Some(&breach("delete")));
    check::<AtMostHalf>(11, [5, 5, 5], None);
    check::<AtMostHalf>(9, [9, 4, 5], None);
}

#[test]
fn three_tenths_of_a_model_may_be_deleted_where_nobody_says_anything() {
    check::<SyncNets>(10, [40, 7, 3], None);
    let breach = "tag: it would delete 4 records where the target holds 10, and 30% are allowed";
    check::<SyncNets>(10, [0, 0, 4], Some(breach));
    check::<SyncNets>(9, [0, 0, 8], None);
}

#[test]
fn an_empty_table_may_be_filled() {
    check::<AtMostTwo>(0, [100, 0, 0], None);
}

#[test]
fn an_empty_source_deletes_nothing_however_few_there_are() {
    let run = |options| lab("tenant a", "tag only; tenant a").run::<SyncNets>(options);
    // The table is loaded, and empty.
    let lab_of_empty = || lab("tenant a", "tag only; tenant a").source_then(|net| net.tags.mark_loaded());
    let ended = lab_of_empty().run::<SyncNets>(guarded());
    assert_eq!(
        ended.report.breaches.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["tag: the source holds none, and it would delete 1 of the target's 1"]
    );
    assert_eq!(ended.report.status, Status::Refused);
    let ended = run(guarded().allow("tag", Operation::Delete, Limit::Count(1)));
    assert_eq!((ended.report.status, ended.counts().as_str()), (Status::Completed, "1 deleted, 1 unchanged"));
    let ended = run(guarded().allow("tag", Operation::Delete, Limit::Count(0)));
    assert_eq!(ended.report.status, Status::Refused);
}

#[test]
fn all_limits_that_are_passed_are_said_together_and_each_model_has_its_own() {
    let lab = lab("tag a; tag b; tag c; tenant a", "tag x; tag y; tag z; tenant a; tenant b");
    let ended = lab.run::<AtMostTwo>(guarded());
    let breaches: Vec<_> =
        ended.report.breaches.iter().map(|breach| (breach.model, breach.operation, breach.count)).collect();
    assert_eq!(breaches, [("tag", Operation::Create, 3), ("tag", Operation::Delete, 3)]);
    assert_eq!(ended.counts(), "1 unchanged, 7 not_attempted");
}

#[test]
fn a_dry_run_is_refused_alike() {
    let mut options = guarded();
    options.dry_run = true;
    let lab = lab("tag a; tag b; tag c", "tag x");
    assert_eq!(lab.run::<AtMostTwo>(options).report.status, Status::Refused);
}

#[test]
fn a_lift_is_a_new_ceiling_for_one_model_and_one_operation() {
    let run = |model, operation, limit| {
        let lab = lab("tag a; tag b; tag c; tag d", "tag z");
        let ended = lab.run::<AtMostTwo>(guarded().allow(model, operation, Limit::Count(limit)));
        (ended.report.status, ended.report.limit_overrides.len())
    };
    assert_eq!(run("tag", Operation::Create, 4), (Status::Completed, 1));
    assert_eq!(run("tag", Operation::Create, 3), (Status::Refused, 1));
    assert_eq!(run("tag", Operation::Delete, 4), (Status::Refused, 1));
    assert_eq!(run("tenant", Operation::Create, 4), (Status::Refused, 1));
}

#[test]
fn a_lift_can_be_below_the_limit_and_the_last_one_counts() {
    let run = |limits: &[usize]| {
        let lab = lab("tag a; tag b", "tag a");
        let allow = |options: RunOptions, limit: &usize| options.allow("tag", Operation::Create, Limit::Count(*limit));
        lab.run::<AtMostTwo>(limits.iter().fold(guarded(), allow)).report.status
    };
    assert_eq!(run(&[0]), Status::Refused);
    assert_eq!(run(&[0, 1]), Status::Completed);
    assert_eq!(run(&[1, 0]), Status::Refused);
}

#[test]
fn a_lift_or_a_filter_of_a_model_that_is_not_there_is_an_error() {
    let ended = lab("tag a", "tag b").run::<SyncNets>(apply().allow("tagg", Operation::Delete, Limit::Count(1)));
    assert_eq!(ended.report.status, Status::Failed);
    let text = ended.report.error_text().unwrap();
    assert_eq!(text, "the job has no model `tagg`; did you mean `tag`?");
}

fn held(lab: &Handle) -> RunResult {
    let mut options = RunOptions::new(&HoldsBack::INFO);
    options.max_rejected = 1.0;
    lab.run::<HoldsBack>(options)
}

#[test]
fn what_passes_a_limit_can_be_held_back_and_the_rest_done() {
    let lab = lab("tag a; tag b; tag c; tenant t; tenant x code=1", "tenant u; tenant x");
    let ended = held(&lab);
    // The table of tags is empty in the target, so that guard does not act.
    assert_eq!((ended.report.status, ended.counts().as_str()), (Status::Completed, "4 created, 1 updated, 1 deleted"));
    lab.set_source("tag d; tag e; tag f; tag a color=red; tenant t; tenant x code=1");
    let ended = held(&lab);
    assert_eq!(
        (ended.report.status, ended.counts().as_str()),
        (Status::Partial, "1 updated, 2 deleted, 2 unchanged, 3 held")
    );
    assert_eq!(ended.report.breaches.len(), 1);
    assert_eq!(ended.report.summary().unwrap().total.held, 3);
    let tree = ended.report.plan().unwrap().tree().to_string();
    assert_eq!(tree.matches("+ tag").count(), 3);
    assert_eq!(tree.matches(" (held back)").count(), 3, "{tree}");
}

#[test]
fn what_needs_a_record_that_is_held_back_is_blocked() {
    let lab = lab(
        "location a; location b; location c; location x; device d in=a; interface d/eth0; device e in=x",
        "location x; device e in=x; interface e/eth0",
    );
    let ended = held(&lab);
    assert_eq!(ended.counts(), "1 deleted, 2 unchanged, 2 blocked, 3 held");
    assert_eq!(ended.report.status, Status::Partial);
}

#[test]
fn what_a_record_that_is_held_back_lives_under_stays() {
    let devices: String = (0..3).map(|number| format!("device d{number} in=y;")).collect();
    let ended = held(&lab("location x", &format!("location x; location y; {devices}")).source_then(|net| {
        net.devices.mark_loaded();
    }));
    assert_eq!(ended.counts(), "1 unchanged, 1 blocked, 3 held");
}

#[test]
fn what_is_held_back_does_not_go_with_its_parent_either() {
    let lab = lab("location x", "location x; device d in=x; interface d/a; interface d/b; interface d/c")
        .target_then(|net| net.devices.set_flags(Flags::SKIP_CHILDREN_ON_DELETE))
        .cascading(|_| true);
    let mut options = guarded().allow("device", Operation::Delete, Limit::Count(1));
    options.on_guard = OnGuard::Hold;
    let ended = lab.run::<SyncNets>(options);
    assert_eq!(ended.counts(), "1 unchanged, 1 blocked, 3 held");
    assert_eq!(lab.calls(), [""; 0]);
}

#[test]
fn what_goes_with_its_parent_counts_as_deleted() {
    let lab = lab(
        "location x; device e in=x; interface e/a",
        "location x; device d in=x; interface d/a; interface d/b; interface d/c",
    )
    .target_then(|net| net.devices.set_flags(Flags::SKIP_CHILDREN_ON_DELETE));
    let ended = lab.run::<AtMostTwo>(guarded());
    assert_eq!(ended.report.breaches.iter().map(|breach| breach.count).collect::<Vec<_>>(), [3]);
    assert!(refused(&ended));
}

#[test]
fn what_is_not_asked_of_the_target_does_not_count() {
    let target = "tag a; tag b; tag c; tag d";
    for flags in [Flags::SKIP_UNMATCHED_DST, Flags::PREVENT_DESTROY] {
        let lab = lab("tag a", target).target_then(move |net: &mut Net| net.tags.set_flags(flags));
        assert_eq!(lab.run::<AtMostTwo>(guarded()).report.breaches, []);
    }
}

#[test]
fn what_lives_under_a_record_that_cannot_be_used_counts_as_such() {
    let locations: String = (0..200).map(|number| format!("location l{number};")).collect();
    let source = format!("{locations}; device a in=l0; device b in=l1");
    let rejecting = |limit| {
        let lab = lab(&source, &locations).source_then(|net| {
            net.locations.reject(crate::net::LocationId::new("l0"), "it is odd");
        });
        let mut options = apply();
        options.max_rejected = limit;
        lab.run::<SyncNets>(options).report
    };
    // One location of two hundred is little, and one device of two is not.
    let report = rejecting(0.01);
    assert_eq!(report.status, Status::Refused);
    let refusal = report.error_text().unwrap();
    assert!(
        refusal.starts_with("1 of 2 device records of the source cannot be used, more than the 1 % allowed"),
        "{refusal}"
    );
    assert_eq!(rejecting(0.5).status, Status::Partial);
}

/// A model with limits of its own, which go before those of the job.
mod of_a_model {
    use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
    use diffsync_core::job::JobSpec;
    use diffsync_core::report::Status;
    use diffsync_core::run::RunOptions;
    use diffsync_core::{Adapter, Dataset, SyncModel, Table, Target, job};

    use crate::fake_target::run_job;

    #[derive(SyncModel, Clone)]
    #[sync(max_creates = 1, max_deletes = "100%")]
    struct Limited {
        #[sync(id)]
        number: u32,
    }

    #[derive(SyncModel, Clone)]
    struct Unlimited {
        #[sync(id)]
        number: u32,
    }

    #[derive(Dataset, Default)]
    struct Numbers {
        limited: Table<Limited>,
        unlimited: Table<Unlimited>,
    }

    struct Listed([std::ops::Range<u32>; 2]);

    impl Adapter for Listed {
        type Data = Numbers;

        async fn load(&self, data: &mut Numbers, _: &LoadContext<'_>) -> Result<(), AdapterError> {
            data.limited.extend(self.0[0].clone().map(|number| Limited { number }));
            data.unlimited.extend(self.0[1].clone().map(|number| Unlimited { number }));
            Ok(())
        }
    }

    macro_rules! targets {
        ($($model:ident)*) => {$(
            impl Target<$model> for Listed {
                async fn create(&self, new: &$model, _: &WriteContext<'_, Numbers>) -> Result<$model, TargetError> {
                    Ok(new.clone())
                }

                async fn update(
                    &self,
                    old: &$model,
                    _: &<$model as SyncModel>::Patch,
                    _: &WriteContext<'_, Numbers>,
                ) -> Result<$model, TargetError> {
                    Ok(old.clone())
                }

                async fn delete(&self, _: &$model, _: &WriteContext<'_, Numbers>) -> Result<(), TargetError> {
                    Ok(())
                }
            }
        )*};
    }
    targets!(Limited Unlimited);

    #[job(source = Listed, target = Listed, max_creates = 3, max_deletes = "10%", dryrun_default = false)]
    struct SyncNumbers {
        limited: u32,
        unlimited: u32,
        first: u32,
    }

    opens!(
        SyncNumbers: Listed = |job| Listed([job.first..job.limited, job.first..job.unlimited]),
        Listed = |_| Listed([0..10, 0..10])
    );

    #[test]
    fn the_limits_of_a_model_go_before_those_of_the_job() {
        let breached = |first, limited, unlimited| {
            let report =
                run_job(SyncNumbers { limited, unlimited, first }, RunOptions::new(&SyncNumbers::INFO), Vec::new());
            assert_eq!(report.status == Status::Completed, report.breaches.is_empty());
            report.breaches.iter().map(|breach| breach.model).collect::<Vec<_>>()
        };
        assert_eq!(breached(0, 11, 13), [""; 0]);
        assert_eq!(breached(0, 12, 13), ["limited"]);
        assert_eq!(breached(0, 11, 14), ["unlimited"]);
        assert_eq!(breached(9, 10, 10), ["unlimited"]);
        assert_eq!(breached(1, 10, 10), [""; 0]);
    }
}
