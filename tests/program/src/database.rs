//! A target that is a table of a database.

use diffsync::prelude::*;
use diffsync::sql::Sql;

use crate::given::{Given, items};

/// An item.
#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "items")]
pub(crate) struct Item {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) number: i64,
}

impl Item {
    fn new(name: String, value: String, number: i64) -> Self {
        Self { name, value, number }
    }
}

items!();

/// Writes items to a table.
#[job(source = Given<Stock>, target = Sql<Stock>, kind = data_target, target_label = "Database")]
struct PushDatabase {
    groups: String,
    #[var(default = 200)]
    size: u32,
    database: Url,
}

impl Job for PushDatabase {
    async fn source_adapter(&self, _: &JobContext) -> Result<Given<Stock>, JobError> {
        Ok(Given::new(&self.groups, self.size))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<Stock>, JobError> {
        Ok(Sql::open(&self.database)?.create_tables())
    }
}
