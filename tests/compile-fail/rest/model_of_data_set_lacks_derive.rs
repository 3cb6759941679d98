use diffsync::prelude::*;
use diffsync::rest::Rest;
use diffsync::rest::RestModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "regions")]
struct Region {
    #[sync(id)]
    slug: String,
}

#[derive(SyncModel, Clone)]
struct Country {
    #[sync(id)]
    slug: String,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    countries: Table<Country>,
}

#[job(source = Rest<World>, target = Rest<World>)]
struct ApiToApi;

impl Job for ApiToApi {
    async fn source_adapter(&self, _: &JobContext) -> Result<Rest<World>, JobError> {
        Err(JobError::new("not here"))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Rest<World>, JobError> {
        Err(JobError::new("not here"))
    }
}

fn main() {}
