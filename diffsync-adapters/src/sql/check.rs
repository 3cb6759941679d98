//! A look at a database before anything is loaded from it.

use diffsync_core::{Checkup, Side};

use super::database::Connection;
use super::load::{Catalogue, column_of};
use super::schema::{Leads, Part};
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
        let are_absent = may_be_absent && matches!(self.has_none(&mut *connection).await, Ok(true));
        if are_absent {
            self.check_making(&mut *connection, checkup).await;
        }
        for used in self.used().iter().filter(|used| !(are_absent && used.is_own)) {
            self.check_table(&mut *connection, used, to_write && used.is_own, checkup).await;
        }
        self.give_back(connection);
    }

    async fn check_making(&self, connection: &mut dyn Connection, checkup: &mut Checkup) {
        let mut lacks = Vec::new();
        for table in &self.tables {
            match connection.lacks_to_make(table.name).await {
                Ok(missing) => {
                    for right in missing {
                        if !lacks.contains(&right) {
                            lacks.push(right);
                        }
                    }
                }
                Err(error) => return checkup.failed("tables", self.unreadable(table.name, error).to_string()),
            }
        }
        if lacks.is_empty() {
            checkup.passed("tables", "there are none yet; they are made when something is first written");
        } else {
            let lacks = lacks.join(", ");
            checkup.failed("tables", format!("there are none yet, and the login may not {lacks}; grant it"));
        }
    }

    async fn check_table(
        &self,
        connection: &mut dyn Connection,
        Used { table, columns: wanted, .. }: &Used,
        to_write: bool,
        checkup: &mut Checkup,
    ) {
        let what = format!("table {table}");
        let columns = match Catalogue::default().columns(self, connection, table).await {
            Ok(columns) => columns,
            Err(error) => return checkup.failed(what, error.to_string()),
        };
        let missing = wanted.iter().filter_map(|column| column_of(&columns, table, column).err());
        let missing: Vec<String> = missing.collect();
        if missing.is_empty() {
            checkup.passed(what, format!("all {} columns that are used are there", wanted.len()));
        } else {
            checkup.failed(what, missing.join("; "));
        }
        let what = format!("rights on {table}");
        match connection.lacks(table, to_write).await {
            Ok(lacks) if lacks.is_empty() => {
                checkup.passed(what, if to_write { "may be read and written" } else { "may be read" });
            }
            Ok(lacks) => checkup.failed(what, format!("the login may not {}; grant it", lacks.join(", "))),
            Err(error) => checkup.failed(what, self.unreadable(table, error).to_string()),
        }
    }

    /// The tables of the models, and those that only lookups lead to.
    fn used(&self) -> Vec<Used> {
        let own = self.tables.iter().map(|table| {
            let columns = table.columns().map(|(_, column, _)| column);
            let columns = columns.chain(table.lookups.iter().map(|lookup| lookup.leads.column));
            let columns = columns.chain(table.owner.map(|owner| owner.column)).collect();
            Used { table: table.name, columns, is_own: true }
        });
        let mut used: Vec<Used> = own.collect();
        for lookup in self.tables.iter().flat_map(|table| table.lookups) {
            self.add_led_to(&lookup.leads, &mut used);
        }
        used
    }

    fn add_led_to(&self, leads: &'static Leads, used: &mut Vec<Used>) {
        let parts = leads.parts.iter().map(|part| match part {
            Part::Column(column) => *column,
            Part::Lookup(further) => further.column,
        });
        let columns = [self.key_of(leads)].into_iter().chain(parts);
        match used.iter_mut().find(|used| used.table == leads.table) {
            Some(used) => {
                let columns: Vec<_> = columns.filter(|column| !used.columns.contains(column)).collect();
                used.columns.extend(columns);
            }
            None => used.push(Used { table: leads.table, columns: columns.collect(), is_own: false }),
        }
        for part in leads.parts {
            if let Part::Lookup(further) = part {
                self.add_led_to(further, used);
            }
        }
    }
}

/// A table that is used, and which columns of it.
struct Used {
    table: &'static str,
    columns: Vec<&'static str>,
    /// Whether it is that of a model, and not only one that lookups lead to.
    is_own: bool,
}
