//! The adapters and jobs that an example needs but is not about: one line each instead of their whole `impl`.

use std::future::Future;
use std::sync::Arc;

use diffsync::report::RunReport;
use diffsync::run::RunOptions;
use diffsync::{Job, Run};

/// An adapter that loads nothing, or what the closure puts into the data set: `loads!(Cmdb: Network)`,
/// `loads!(Cmdb: Network, |cmdb, network| network.devices.extend(cmdb.0.clone()))`.
#[macro_export]
macro_rules! loads {
    ($adapter:ty: $data:ty) => {
        $crate::loads!($adapter: $data, |_adapter, _data| ());
    };
    ($adapter:ty: $data:ty, |$this:ident, $loaded:ident| $fill:expr) => {
        impl ::diffsync::Adapter for $adapter {
            type Data = $data;

            async fn load(
                &self,
                $loaded: &mut $data,
                _: &::diffsync::adapter::LoadContext<'_>,
            ) -> ::std::result::Result<(), ::diffsync::adapter::AdapterError> {
                let $this = self;
                $fill;
                ::std::result::Result::Ok(())
            }
        }
    };
}

/// A target that answers every write with the record it was given: `accepts!(Ipam: Network)`.
#[macro_export]
macro_rules! accepts {
    ($target:ty: $data:ty) => {
        impl<M: ::diffsync::model::SyncModel + ::std::clone::Clone> ::diffsync::Target<M> for $target {
            async fn create(
                &self,
                new: &M,
                _: &::diffsync::adapter::WriteContext<'_, $data>,
            ) -> ::std::result::Result<M, ::diffsync::adapter::TargetError> {
                ::std::result::Result::Ok(new.clone())
            }

            async fn update(
                &self,
                old: &M,
                patch: &M::Patch,
                _: &::diffsync::adapter::WriteContext<'_, $data>,
            ) -> ::std::result::Result<M, ::diffsync::adapter::TargetError> {
                ::std::result::Result::Ok(::diffsync::ModelExt::patched(old, patch))
            }

            async fn delete(
                &self,
                _: &M,
                _: &::diffsync::adapter::WriteContext<'_, $data>,
            ) -> ::std::result::Result<(), ::diffsync::adapter::TargetError> {
                ::std::result::Result::Ok(())
            }
        }
    };
}

/// A job's adapters, which are unit structs or what the closures return: `opens!(CmdbToIpam: Cmdb, Ipam)`,
/// `opens!(CmdbToIpam: Cmdb = |job| Cmdb(job.sites), Ipam = |_job| Ipam)`.
#[macro_export]
macro_rules! opens {
    ($job:ty: $source:ident, $target:ident) => {
        $crate::opens!($job: $source = |_job| $source, $target = |_job| $target);
    };
    ($job:ty: $source:ty = |$from:ident| $open_source:expr, $target:ty = |$to:ident| $open_target:expr) => {
        impl ::diffsync::Job for $job {
            async fn source_adapter(
                &self,
                _: &::diffsync::job::JobContext,
            ) -> ::std::result::Result<$source, ::diffsync::job::JobError> {
                let $from = self;
                ::std::result::Result::Ok($open_source)
            }

            async fn target_adapter(
                &self,
                _: &::diffsync::job::JobContext,
            ) -> ::std::result::Result<$target, ::diffsync::job::JobError> {
                let $to = self;
                ::std::result::Result::Ok($open_target)
            }
        }
    };
}

/// Runs a future to its end.
///
/// # Panics
///
/// Panics where no runtime can be started.
#[allow(clippy::expect_used, reason = "an example without a runtime has failed")]
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(future)
}

/// Runs a job to its end, without an observer.
pub fn run<J: Job>(job: J, options: RunOptions) -> RunReport {
    block_on(Run::execute(Arc::new(job), options, Vec::new()))
}
