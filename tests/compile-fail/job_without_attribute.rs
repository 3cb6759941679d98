//! A job is declared with `#[job]`.

use diffsync::prelude::*;
use diffsync_tests::regions::File;

struct Regions;

impl Job for Regions {
    async fn source_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn main() {}
