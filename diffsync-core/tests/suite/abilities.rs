//! What a target is able to do, adapters that are one of two, and deletes that come first.

use diffsync_core::Adapter;
use diffsync_core::adapter::{Either, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::model::{Flags, Limit, Operation, Operations};
use diffsync_core::report::Status;

use crate::fake_network::{Answer, Bulk, Handle, Rack, Store, SyncNets, apply, guarded, lab, lab_jobs};
use crate::net::Net;

lab_jobs! {
    NoCreates: [Rack] = (|lab| Rack::one_by_one(lab).without(Operations::CREATE));
    NoUpdates: [Rack] = (|lab| Rack::one_by_one(lab).without(Operations::UPDATE));
    NoDeletes: [Rack] = (|lab| Rack::one_by_one(lab).without(Operations::DELETE));
    NoDeletesInBatches: [Rack] = (|lab| Rack::one_by_one(lab).without(Operations::DELETE).in_batches());
}

const SOURCE: &str = "location x kind=new; location y; device d in=y; interface d/eth0; tag t";
const TARGET: &str = "location x kind=old; location z; device e in=z; interface e/eth0; tag t";

#[test]
fn what_the_target_cannot_create_is_never_attempted_and_blocks_what_needs_it() {
    let lab = lab(SOURCE, TARGET);
    let ended = lab.run::<NoCreates>(apply());
    assert_eq!(ended.counts(), "1 updated, 3 deleted, 1 unchanged, 3 unsupported");
    assert!(lab.calls().iter().all(|call| !call.starts_with("create")), "{:?}", lab.calls());
    let tree = ended.report.plan().unwrap().tree().to_string();
    assert!(tree.contains("+ location y (not supported by the target)\n"), "{tree}");
    assert_eq!(ended.report.summary().unwrap().total.unsupported, 3);
}

#[test]
fn what_the_target_cannot_update_is_left_as_it_is_and_blocks_nothing() {
    let lab = self::lab("location x kind=new; device d in=x", "location x kind=old");
    let ended = lab.run::<NoUpdates>(apply());
    assert_eq!((ended.counts().as_str(), ended.report.status), ("1 created, 1 unsupported", Status::Completed));
}

#[test]
fn what_the_target_cannot_delete_stays_with_what_it_names() {
    for run in [Handle::run::<NoDeletes>, Handle::run::<NoDeletesInBatches>] {
        let lab = lab(SOURCE, TARGET);
        let ended = run(&lab, apply());
        assert_eq!(ended.counts(), "3 created, 1 updated, 1 unchanged, 3 unsupported");
        assert_eq!(ended.report.status, Status::Completed);
        assert!(lab.calls().iter().all(|call| !call.starts_with("delete")), "{:?}", lab.calls());
    }
}

#[test]
fn a_move_that_the_target_cannot_do_keeps_what_it_would_leave() {
    let ended = lab("location a; device d in=a", "location b; device d in=b").run::<NoUpdates>(apply());
    assert_eq!(ended.undone(), ["delete location b: blocked", "update device d: unsupported"]);
}

#[test]
fn what_the_target_cannot_delete_takes_nothing_along() {
    let lab = lab("tag t", "tag t; location x; location y in=x; device d in=y")
        .target_then(|net: &mut Net| net.locations.set_flags(Flags::SKIP_CHILDREN_ON_DELETE));
    assert_eq!(lab.run::<NoDeletes>(apply()).counts(), "1 unchanged, 3 unsupported");
}

#[test]
fn what_the_target_cannot_do_counts_for_no_guard() {
    let lab = lab("tag a; tag b", "tag z; tag y");
    let options = guarded().allow("tag", Operation::Delete, Limit::Count(0));
    assert_eq!(lab.run::<NoDeletes>(options).report.breaches, []);
}

/// One of two targets of different abilities, batches and all, as a variable would say.
fn either(bulk: bool) -> fn(Handle) -> Either<Rack, Bulk> {
    if bulk {
        |lab| Either::Right(Bulk(lab, 4))
    } else {
        |lab| Either::Left(Rack::one_by_one(lab).without(Operations::DELETE))
    }
}

mod either_of_two {
    use super::*;

    /// A job whose target is made by the test.
    macro_rules! job_of_either {
        ($job:ident, $bulk:literal) => {
            #[diffsync_core::job(source = Either<Store, Store>, target = Either<Rack, Bulk>, dryrun_default = false)]
            pub(super) struct $job {
                lab: Handle,
            }

            impl diffsync_core::Job for $job {
                async fn source_adapter(
                    &self,
                    _: &diffsync_core::job::JobContext,
                ) -> Result<Either<Store, Store>, diffsync_core::job::JobError> {
                    let shelf = Store(self.lab.clone());
                    Ok(if $bulk { Either::Right(shelf) } else { Either::Left(shelf) })
                }

                async fn target_adapter(
                    &self,
                    _: &diffsync_core::job::JobContext,
                ) -> Result<Either<Rack, Bulk>, diffsync_core::job::JobError> {
                    Ok(either($bulk)(self.lab.clone()))
                }
            }

            impl crate::fake_network::InLab for $job {
                fn of(lab: Handle) -> Self {
                    Self { lab }
                }
            }
        };
    }
    job_of_either!(OfRack, false);
    job_of_either!(OfBulk, true);
}

#[test]
fn an_adapter_that_is_one_of_two_does_as_that_one() {
    let lab = lab(SOURCE, TARGET);
    let ended = lab.run::<either_of_two::OfRack>(apply());
    assert_eq!(ended.counts(), "3 created, 1 updated, 1 unchanged, 3 unsupported");
    assert_eq!((lab.batch_sizes().len(), lab.completed()), (0, 1));
    let ended = lab.run::<either_of_two::OfBulk>(apply());
    assert_eq!(ended.counts(), "3 deleted, 5 unchanged");
    assert_eq!((lab.batch_sizes().len(), lab.completed()), (3, 2));
    let lab = self::lab("tag a color=red; tag b color=red; tag c", "tag a; tag b");
    assert_eq!(lab.run::<either_of_two::OfBulk>(apply()).counts(), "1 created, 2 updated");
    assert_eq!(lab.batch_sizes(), [1, 2]);
}

/// An adapter that writes at the end, and has a page for each record.
struct File;

impl Adapter for File {
    type Data = Net;

    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut Net, _: &LoadContext<'_>) -> Result<(), diffsync_core::adapter::AdapterError> {
        data.tags.mark_loaded();
        Ok(())
    }

    fn record_url(&self, model: &str, id: &str) -> Option<diffsync_core::value::Url> {
        format!("https://file/{model}/{id}").parse().ok()
    }
}

#[test]
fn what_an_adapter_says_of_itself_is_what_the_one_of_two_says() {
    let lab = lab("", "");
    let (file, shelf) = (Either::<File, Store>::Left(File), Either::<File, Store>::Right(Store(lab)));
    assert!(file.writes_at_complete() && !shelf.writes_at_complete());
    assert_eq!(file.record_url("tag", "a").unwrap().as_str(), "https://file/tag/a");
    assert_eq!(shelf.record_url("tag", "a"), None);
    let mut data = Net::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(file.load(&mut data, &LoadContext::standalone(Side::Source))).unwrap();
    assert_eq!(*data.tags.state(), diffsync_core::data::LoadState::Loaded);
}

#[test]
fn a_unique_value_is_freed_before_it_is_wanted() {
    let lab = lab("tenant new code=7; tenant kept", "tenant old code=7; tenant kept");
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(
        (ended.counts().as_str(), ended.report.status),
        ("1 created, 1 deleted, 1 unchanged", Status::Completed)
    );
    assert_eq!(lab.calls(), ["delete tenant old", "create tenant new"]);
}

#[test]
fn what_hangs_on_a_record_that_goes_first_goes_before_it() {
    let lab =
        lab("location x; tenant new code=7", "location x; tenant old code=7; device d in=x tenant=old; interface d/a");
    assert_eq!(lab.run::<SyncNets>(apply()).report.status, Status::Completed);
    assert_eq!(lab.calls(), ["delete interface d__a", "delete device d", "delete tenant old", "create tenant new"]);
}

#[test]
fn what_something_still_hangs_on_waits_for_its_usual_turn() {
    // The device must have its new tenant before the old one can go.
    let lab =
        lab("location x; tenant new; device d in=x tenant=new", "location x; tenant old; device d in=x tenant=old");
    assert_eq!(lab.run::<SyncNets>(apply()).report.status, Status::Completed);
    assert_eq!(lab.calls(), ["create tenant new", "update device d", "delete tenant old"]);

    // A device that names another that stays a while keeps its tenant.
    let lab = self::lab(
        "location x; tenant new; device e in=x",
        "location x; tenant old; device d in=x tenant=old; interface d/a; device e in=x master=d",
    );
    assert_eq!(lab.run::<SyncNets>(apply()).report.status, Status::Completed);
    assert_eq!(
        lab.calls(),
        ["create tenant new", "update device e", "delete interface d__a", "delete device d", "delete tenant old"]
    );
}

#[test]
fn a_record_that_went_first_is_not_asked_for_its_references() {
    let lab = lab(
        "location x; tenant new",
        "location x; tenant old; device d in=x tenant=old primary=1; address 1; address 2",
    );
    assert_eq!(lab.run::<SyncNets>(apply()).report.status, Status::Completed);
    assert_eq!(
        lab.calls(),
        ["delete device d", "delete tenant old", "create tenant new", "delete address 1", "delete address 2"]
    );
}

#[test]
fn a_delete_that_failed_at_first_is_not_tried_again_in_its_turn() {
    let lab = lab("tenant new", "tenant old; tenant older").failing(&[("delete tenant old", Answer::Fail)]);
    let ended = lab.run::<SyncNets>(apply());
    assert_eq!(ended.undone(), ["delete tenant old: failed"]);
    assert_eq!(lab.calls(), ["delete tenant old", "delete tenant older", "create tenant new"]);
}
