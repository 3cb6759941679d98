//! What nobody outside sees, and what is hardly used inside: generated code that is not used is no warning.

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobError};
use diffsync_core::value::Secret;
use diffsync_core::{Adapter, Dataset, Job, SyncModel, Table, Target, job};

#[derive(SyncModel)]
struct Region {
    #[sync(id)]
    slug: String,
    name: Option<String>,
}

#[derive(SyncModel)]
#[sync(parent(Region, slug = region))]
pub(super) struct Country {
    #[sync(id)]
    code: char,
    #[sync(id)]
    region: String,
    community: Secret<String>,
    weight: f32,
    #[sync(local)]
    remote_id: u64,
}

/// Nothing but an identifier.
#[derive(SyncModel)]
pub(crate) struct Word {
    #[sync(id)]
    r#fn: i8,
}

#[derive(Dataset, Default)]
struct World {
    regions: Table<Region>,
    countries: Table<Country>,
    words: Table<Word>,
}

struct Nowhere;

impl Adapter for Nowhere {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        world.regions.insert(Region { slug: "asia".into(), name: None });
        world.countries.insert(Country {
            code: 'c',
            region: "asia".into(),
            community: Secret::default(),
            weight: 1.0,
            remote_id: 7,
        });
        world.words.insert(Word { r#fn: 1 });
        Ok(())
    }
}

macro_rules! refuses {
    ($($model:ident, $patch:ident;)*) => {$(
        impl Target<$model> for Nowhere {
            async fn create(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                Err(TargetError::new("it is nowhere"))
            }

            async fn update(
                &self,
                _: &$model,
                _: &$patch,
                _: &WriteContext<'_, World>,
            ) -> Result<$model, TargetError> {
                Err(TargetError::new("it is nowhere"))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
                Err(TargetError::new("it is nowhere"))
            }
        }
    )*};
}

refuses! {
    Region, RegionPatch;
    Word, WordPatch;
}

impl Target<Country> for Nowhere {
    async fn create(&self, new: &Country, _: &WriteContext<'_, World>) -> Result<Country, TargetError> {
        Err(TargetError::new(format!("{} is nowhere", new.remote_id)))
    }

    async fn update(&self, _: &Country, _: &CountryPatch, _: &WriteContext<'_, World>) -> Result<Country, TargetError> {
        Err(TargetError::new("it is nowhere"))
    }

    async fn delete(&self, _: &Country, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        Err(TargetError::new("it is nowhere"))
    }
}

#[job(source = Nowhere, target = Nowhere)]
struct NowhereToNowhere;

impl Job for NowhereToNowhere {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nowhere, JobError> {
        Ok(Nowhere)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Nowhere, JobError> {
        Ok(Nowhere)
    }
}
