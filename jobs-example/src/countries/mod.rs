//! The published list of countries, into the inventory: a tree of regions and countries.

mod file;

use std::path::PathBuf;

use diffsync::prelude::*;
use diffsync::sql::Sql;

use self::file::CountriesFile;

/// A region of the world.
#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "regions")]
pub(crate) struct Region {
    #[sync(id)]
    pub(crate) slug: String,
    pub(crate) name: String,
    /// The inventory's own number for it.
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

/// A country or territory.
#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "countries")]
pub(crate) struct Country {
    #[sync(id)]
    pub(crate) slug: String,
    #[sync(parent = Region)]
    #[sql(lookup = "region_id -> regions(slug)")]
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) subregion: String,
    /// People, in 2021.
    pub(crate) population: i64,
    /// Square kilometres.
    pub(crate) area: i64,
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

/// What the list and the inventory both hold.
#[derive(Dataset, Default)]
pub(crate) struct World {
    pub(crate) regions: Table<Region>,
    pub(crate) countries: Table<Country>,
}

/// Keeps the inventory's regions and countries in line with the published list.
#[job(
    source = CountriesFile,
    target = Sql<World>,
    name = "Countries to inventory",
    source_label = "Published list of countries",
    target_label = "Inventory",
)]
struct CountriesToInventory {
    /// The published list, a JSON file.
    #[var(default = "jobs-example/data/countries.json")]
    file: PathBuf,
    /// Where the inventory is; it is created by the first write.
    #[var(default = "sqlite://inventory.db", env = "INVENTORY_URL")]
    inventory: Url,
}

impl Job for CountriesToInventory {
    async fn source_adapter(&self, _: &JobContext) -> Result<CountriesFile, JobError> {
        Ok(CountriesFile { path: self.file.clone() })
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<World>, JobError> {
        Ok(Sql::open(&self.inventory)?.create_tables())
    }
}
