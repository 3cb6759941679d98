//! Records and variables with secrets.

use std::path::PathBuf;

use diffsync::file::Folder;
use diffsync::prelude::*;
use diffsync::rest::{Client, Dialect, Rest, RestModel};
use diffsync::sql::Sql;

/// A login with its password.
#[derive(SyncModel, FileModel, RestModel, SqlModel, Clone)]
#[file(path = "logins.json")]
#[rest(path = "logins")]
#[sql(table = "logins")]
pub(crate) struct Login {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) password: Secret<String>,
}

/// The logins.
#[derive(Dataset, Default)]
pub(crate) struct Logins {
    pub(crate) logins: Table<Login>,
}

/// Writes logins to an API.
#[job(source = Folder<Logins>, target = Rest<Logins>, kind = data_target)]
struct LoginsToApi {
    folder: PathBuf,
    api: Url,
    #[var(env = "API_TOKEN")]
    token: Secret<String>,
}

impl Job for LoginsToApi {
    async fn source_adapter(&self, _: &JobContext) -> Result<Folder<Logins>, JobError> {
        Ok(Folder::new(&self.folder))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Rest<Logins>, JobError> {
        Ok(Rest::new(Client::builder(self.api.clone()).token_auth(&self.token).build()?, Dialect::default()))
    }
}

/// Writes logins to a table.
#[job(source = Folder<Logins>, target = Sql<Logins>, kind = data_target)]
struct LoginsToDatabase {
    folder: PathBuf,
    #[var(env = "LOGINS_URL")]
    database: Url,
}

impl Job for LoginsToDatabase {
    async fn source_adapter(&self, _: &JobContext) -> Result<Folder<Logins>, JobError> {
        Ok(Folder::new(&self.folder))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<Logins>, JobError> {
        Ok(Sql::open(&self.database)?.create_tables())
    }
}
