//! Jobs on the fake network.

use super::*;

/// A job on a lab.
pub(crate) trait InLab: Job {
    fn of(lab: Handle) -> Self;
}

/// Declares jobs on labs: a name, how the target is made, and more of what `#[job]` takes.
macro_rules! lab_jobs {
    ($($job:ident: [$($target:tt)*] = $make:expr $(, $key:ident $(= $value:tt)? $(($($list:tt)*))?)*;)*) => {$(
        #[diffsync_core::job(source = crate::fake_network::Store, target = $($target)*, dryrun_default = false
            $(, $key $(= $value)? $(($($list)*))?)*)]
        pub(crate) struct $job {
            lab: crate::fake_network::Handle,
        }

        impl diffsync_core::Job for $job {
            async fn source_adapter(
                &self,
                _: &diffsync_core::job::JobContext,
            ) -> Result<crate::fake_network::Store, diffsync_core::job::JobError> {
                Ok(crate::fake_network::Store(self.lab.clone()))
            }

            async fn target_adapter(&self, _: &diffsync_core::job::JobContext) -> Result<$($target)*, diffsync_core::job::JobError> {
                Ok($make(self.lab.clone()))
            }
        }

        impl crate::fake_network::InLab for $job {
            fn of(lab: crate::fake_network::Handle) -> Self {
                Self { lab }
            }
        }
    )*};
}
pub(crate) use lab_jobs;

lab_jobs! {
    SyncNets: [Rack] = Rack::one_by_one;
    SyncBatches: [Rack] = (|lab| Rack::one_by_one(lab).in_batches());
    SyncBulk: [Bulk] = (|lab| Bulk(lab, 4));
    SyncLargeBulk: [Bulk] = (|lab| Bulk(lab, 1_000));
}

/// Options of a run that writes, with no limit on deletes and rejected records, and that asks nothing twice.
pub(crate) fn apply() -> RunOptions {
    let mut options = guarded();
    options.retry.times = 0;
    unguarded::<Net>(options)
}

/// Options of a run that writes, with the limits that there are by themselves.
pub(crate) fn guarded() -> RunOptions {
    let mut options = RunOptions::new(&<SyncNets as diffsync_core::job::JobSpec>::INFO);
    options.max_rejected = 1.0;
    options
}
