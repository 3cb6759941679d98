//! A folder of CSV files, into tables with foreign keys, and back.
//!
//! Neither side needs code: the models declare the names of the files and the tables, and how rows refer to each other.

use std::path::PathBuf;

use diffsync::file::Folder;
use diffsync::prelude::*;
use diffsync::sql::Sql;

/// A data centre.
#[derive(SyncModel, FileModel, SqlModel, Clone)]
#[file(path = "sites.csv")]
#[sql(table = "sites")]
pub(crate) struct Site {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) city: String,
    pub(crate) country: String,
    /// Power, in kW.
    pub(crate) power_kw: u32,
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

/// A rack in a site.
#[derive(SyncModel, FileModel, SqlModel, Clone)]
#[file(path = "racks.csv")]
#[sql(table = "racks")]
pub(crate) struct Rack {
    #[sync(id, parent = Site)]
    #[sql(lookup = "site_id -> sites(name)")]
    pub(crate) site: String,
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) units: u16,
    #[sync(local)]
    #[sql(key)]
    pub(crate) id: Option<i64>,
}

/// A device in a rack.
#[derive(SyncModel, FileModel, SqlModel, Clone)]
#[file(path = "devices.csv")]
#[sync(references(Rack, site = site, name = rack))]
#[sql(table = "devices", lookup("rack_id -> racks(site_id -> sites(name), name)", site, rack))]
pub(crate) struct Device {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) site: String,
    pub(crate) rack: String,
    /// The lowest unit that it takes.
    pub(crate) unit: u16,
    pub(crate) role: String,
    pub(crate) model: String,
    pub(crate) serial: String,
    pub(crate) in_service: Option<String>,
    pub(crate) notes: String,
}

/// What the folder and the database both hold.
#[derive(Dataset, Default)]
pub(crate) struct Network {
    pub(crate) sites: Table<Site>,
    pub(crate) racks: Table<Rack>,
    pub(crate) devices: Table<Device>,
}

/// Brings the tables of a database in line with a folder of CSV files.
#[job(source = Folder<Network>, target = Sql<Network>, name = "CSV to PostgreSQL", source_label = "CSV files", target_label = "PostgreSQL")]
struct CsvToPostgres {
    /// The folder with `sites.csv`, `racks.csv` and `devices.csv`.
    #[var(default = "jobs-example/data/network")]
    folder: PathBuf,
    /// The database. Missing tables are created.
    #[var(env = "DATABASE_URL")]
    database: Url,
}

impl Job for CsvToPostgres {
    async fn source_adapter(&self, _: &JobContext) -> Result<Folder<Network>, JobError> {
        Ok(Folder::new(&self.folder))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<Network>, JobError> {
        Ok(Sql::open(&self.database)?.create_tables())
    }
}

/// Writes the tables of a database to a folder of CSV files, in place.
#[job(source = Sql<Network>, target = Folder<Network>, name = "PostgreSQL to CSV", kind = data_target, source_label = "PostgreSQL", target_label = "CSV files")]
struct PostgresToCsv {
    /// The database.
    #[var(env = "DATABASE_URL")]
    database: Url,
    /// The folder. Missing files are created.
    folder: PathBuf,
}

impl Job for PostgresToCsv {
    async fn source_adapter(&self, _: &JobContext) -> Result<Sql<Network>, JobError> {
        Ok(Sql::open(&self.database)?)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Folder<Network>, JobError> {
        Ok(Folder::new(&self.folder))
    }
}
