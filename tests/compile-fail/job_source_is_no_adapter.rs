//! A job's source is an adapter.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

struct Nothing;

#[job(source = Nothing, target = File)]
struct Regions;

impl Job for Regions {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nothing, JobError> {
        Ok(Nothing)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn main() {}
