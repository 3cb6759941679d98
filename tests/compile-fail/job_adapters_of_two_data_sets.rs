//! Both adapters of a job load the same data set.

use diffsync::prelude::*;
use diffsync_tests::regions::{File, Region};

#[derive(Dataset, Default)]
struct Moon {
    regions: Table<Region>,
}

struct Telescope;

impl Adapter for Telescope {
    type Data = Moon;

    async fn load(&self, _: &mut Moon, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        Ok(())
    }
}

#[job(source = Telescope, target = File)]
struct Regions;

impl Job for Regions {
    async fn source_adapter(&self, _: &JobContext) -> Result<Telescope, JobError> {
        Ok(Telescope)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn main() {}
