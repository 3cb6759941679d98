//! A job is registered by its name, so it is not generic.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions<T> {
    path: T,
}

impl Job for Regions<String> {
    async fn source_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn main() {}
