//! A look at a database before anything is loaded from it.

use diffsync_core::{Checkup, Side};

use super::database::Connection;
use super::load::{Catalogue, column_of};
use super::schema::SqlTable;
use super::session::Session;

impl Session {
    /// Looks at the connection, the version, the tables and the rights.
    pub(crate) async fn check(&self, checkup: &mut Checkup) {
        let may_be_absent = self.create_tables && checkup.side() == Side::Target;
        if !self.database().exists() {
            let shown = self.shown();
            if may_be_absent {
                checkup.passed(
                    "connection",
                    format!("`{shown}` is not there yet, and is made when something is first written"),
                );
            } else {
                checkup.failed("connection", format!("there is no `{shown}`; give the file that holds the database"));
            }
            return;
        }
        let mut connection = match self.connection(false).await {
            Ok(connection) => connection,
            Err(error) => return checkup.failed("connection", self.unreachable(error).to_string()),
        };
        checkup.passed("connection", self.shown());
        match connection.version().await {
            Ok(version) => checkup.passed("version", version),
            Err(error) => return checkup.failed("version", self.unreachable(error).to_string()),
        }
        let to_write = checkup.side() == Side::Target;
        if may_be_absent && matches!(self.has_none(&mut *connection).await, Ok(true)) {
            checkup.passed("tables", "there are none yet; they are made when something is first written");
        } else {
            for table in &self.tables {
                self.check_table(&mut *connection, table, to_write, checkup).await;
            }
        }
        self.give_back(connection);
    }

    async fn check_table(
        &self,
        connection: &mut dyn Connection,
        table: &'static SqlTable,
        to_write: bool,
        checkup: &mut Checkup,
    ) {
        let what = format!("table {}", table.name);
        let columns = match Catalogue::default().columns(self, connection, table.name).await {
            Ok(columns) => columns,
            Err(error) => return checkup.failed(what, error.to_string()),
        };
        let wanted = table.columns().map(|(_, column, _)| column);
        let wanted = wanted.chain(table.lookups.iter().map(|lookup| lookup.leads.column));
        let wanted = wanted.chain(table.owner.map(|owner| owner.column));
        let missing: Vec<String> = wanted.filter_map(|column| column_of(&columns, table.name, column).err()).collect();
        if missing.is_empty() {
            checkup.passed(
                what,
                format!("all {} columns that are used are there", table.columns().count() + table.lookups.len()),
            );
        } else {
            checkup.failed(what, missing.join("; "));
        }
        let what = format!("rights on {}", table.name);
        match connection.lacks(table.name, to_write).await {
            Ok(lacks) if lacks.is_empty() => {
                checkup.passed(what, if to_write { "may be read and written" } else { "may be read" });
            }
            Ok(lacks) => checkup.failed(what, format!("the login may not {}; grant it", lacks.join(", "))),
            Err(error) => checkup.failed(what, self.unreadable(table.name, error).to_string()),
        }
    }
}
