//! What the derives of the adapters make.

use diffsync_adapters::file::Folder;
use diffsync_adapters::rest::Rest;
use diffsync_adapters::sql::Sql;
use diffsync_adapters::{FileModel, RestModel, SqlModel};
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, SyncModel, Table};

/// A site, kept everywhere.
#[derive(SyncModel, FileModel, RestModel, SqlModel, Debug, Clone)]
#[file(path = "sites.csv")]
#[rest(path = "dcim/sites", owner(field = "custom_fields.managed_by", value = "diffsync"))]
#[sql(table = "public.sites", owner(column = "managed_by", value = "diffsync"))]
pub struct Site {
    /// Its name.
    #[sync(id)]
    #[file(rename = "Name")]
    pub name: String,
    /// What it is for.
    #[rest(blank)]
    #[sql(column = "descr")]
    pub description: Option<String>,
    /// The number that a database gave it.
    #[sync(local)]
    #[rest(key)]
    #[sql(key)]
    pub id: Option<i64>,
}

/// A device in a site.
#[derive(SyncModel, FileModel, RestModel, SqlModel, Debug, Clone)]
#[file(path = "devices.json")]
#[rest(path = "dcim/devices")]
#[sql(table = "devices")]
pub struct Device {
    /// Its name.
    #[sync(id)]
    pub name: String,
    /// Where it stands.
    #[sync(parent = Site)]
    #[rest(lookup = "site -> dcim/sites(name)")]
    #[sql(lookup = "site_id -> sites(name)")]
    pub site: String,
    /// What is said of it.
    #[rest(lookup = "tags -> extras/tags(name)")]
    #[sql(as = json)]
    pub r#type: Vec<String>,
    /// Who may log in.
    pub password: Secret<String>,
    /// The number that a server gave it.
    #[sync(local)]
    #[rest(key)]
    pub remote: Option<String>,
}

/// Sites and devices.
#[derive(Dataset, Default, Debug)]
pub struct Network {
    /// The sites.
    pub sites: Table<Site>,
    /// The devices.
    pub devices: Table<Device>,
}

/// Each of the adapters takes them.
#[must_use]
pub fn adapters(folder: Folder<Network>, database: Sql<Network>, api: Rest<Network>) -> usize {
    fn written_by<T>(_: T) -> usize
    where
        Network: diffsync_core::adapter::WrittenBy<T>,
    {
        Network::SCHEMAS.len()
    }
    written_by(folder) + written_by(database) + written_by(api)
}
