//! The adapters of a job as one line, for tests that are not about its hooks.

/// Implements `Job` for a job whose adapters are what the closures return: `opens!(Copying: Folder<Sites> = |job|
/// Folder::new(&job.source), Folder<Sites> = |job| Folder::new(&job.target))`.
macro_rules! opens {
    ($job:ty: $source:ty = |$from:pat_param| $open_source:expr, $target:ty = |$to:pat_param| $open_target:expr) => {
        impl ::diffsync_core::Job for $job {
            async fn source_adapter(
                &self,
                _: &::diffsync_core::job::JobContext,
            ) -> Result<$source, ::diffsync_core::job::JobError> {
                let $from = self;
                Ok($open_source)
            }

            async fn target_adapter(
                &self,
                _: &::diffsync_core::job::JobContext,
            ) -> Result<$target, ::diffsync_core::job::JobError> {
                let $to = self;
                Ok($open_target)
            }
        }
    };
}
