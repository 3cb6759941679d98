//! A look at a database before anything is loaded from it.

use std::fmt::Write;

use diffsync_core::schema::{Comparison, ModelSchema};
use diffsync_core::{Checkup, Side};

use super::database::Connection;
use super::load::{Catalogue, column_of, selected};
use super::schema::SqlTable;
use super::session::Session;
use super::used::Used;

impl Session {
    /// Looks at the connection, the version, the tables and the rights.
    pub(crate) async fn check(&self, checkup: &mut Checkup) {
        let may_be_absent = self.create_tables && checkup.side() == Side::Target;
        if !self.database().exists() {
            let shown = self.shown();
            if !may_be_absent {
                return checkup
                    .failed("connection", format!("there is no `{shown}`; give the file that holds the database"));
            }
            match self.database().may_be_made() {
                Ok(()) => checkup.passed(
                    "connection",
                    format!("`{shown}` is not there yet, and is made when something is first written"),
                ),
                Err(reason) => checkup.failed("connection", format!("`{shown}` is not there yet, and {reason}")),
            }
            self.check_lookups(None, checkup).await;
            return;
        }
        let mut connection = match self.connection(false).await {
            Ok(connection) => connection,
            Err(error) => return checkup.failed("connection", self.unreachable(&error).to_string()),
        };
        checkup.passed("connection", self.shown());
        if let Some(look) = self.database().look()
            && let Err(error) = connection.run(look).await
        {
            return checkup.failed("connection", self.unreachable(&error).to_string());
        }
        match connection.version().await {
            Ok(version) => checkup.passed("version", version),
            Err(error) => return checkup.failed("version", self.unreachable(&error).to_string()),
        }
        let to_write = checkup.side() == Side::Target;
        let are_absent = may_be_absent && matches!(self.has_none(&mut *connection).await, Ok(true));
        let mut unmade = Vec::new();
        if are_absent {
            self.check_making(&mut *connection, checkup).await;
            unmade = self.check_lookups(Some(&mut *connection), checkup).await;
        }
        let is_absent = |used: &Used| are_absent && used.is_own || unmade.contains(&used.table);
        for used in self.used().iter().filter(|used| !is_absent(used)) {
            self.check_table(&mut *connection, used, to_write && used.is_own, checkup).await;
        }
        if to_write && !are_absent {
            for (table, schema) in self.tables.iter().zip(&self.schemas) {
                self.check_identifiers(&mut *connection, table, schema, checkup).await;
                self.check_cascades(&mut *connection, table, checkup).await;
            }
        }
        if self.database().look().is_none() || connection.run("ROLLBACK").await.is_ok() {
            self.give_back(connection);
        }
    }

    /// Says where the database takes identifiers for the same that the model tells apart, and what to write on the model.
    async fn check_identifiers(
        &self,
        connection: &mut dyn Connection,
        table: &'static SqlTable,
        schema: &ModelSchema,
        checkup: &mut Checkup,
    ) {
        // What is wrong with the table was said.
        let Ok(identity) = self.identity_columns(connection, table).await else { return };
        if identity.coarse.is_empty() {
            return;
        }
        let mut said = format!(
            "{}: a record that the database takes for one it has is not created, and that one is not deleted",
            identity.why
        );
        let compared_by_case = identity.coarse.iter().filter(|(_, found)| found.ignores_case);
        let compared_by_case = compared_by_case.filter_map(|(position, _)| schema.identifiers.get(*position));
        let by_case = compared_by_case.filter(|field| field.comparison != Comparison::IgnoreCase);
        let by_case: Vec<String> = by_case.map(|field| format!("`{}`", field.name)).collect();
        if !by_case.is_empty() {
            let _ = write!(said, "; put `compare = ignore_case` on {} if case does not matter", by_case.join(" and "));
        }
        checkup.passed(format!("identifiers of {}", table.name), said);
    }

    /// Says what the database deletes or empties together with rows of a table.
    async fn check_cascades(&self, connection: &mut dyn Connection, table: &SqlTable, checkup: &mut Checkup) {
        let what = format!("deletes in {}", table.name);
        match self.cascades_said(connection, table).await {
            Ok(None) => {}
            Ok(Some(said)) if table.cascades => {
                checkup.passed(what, format!("the database may also {said}, which the model allows"));
            }
            Ok(Some(said)) => checkup.passed(
                what,
                format!(
                    "the database would also {said}, which the data set does not hold: a record with such rows is not \
                     deleted, unless `#[sql(cascades)]` is on the model"
                ),
            ),
            Err(error) => checkup.failed(what, self.unreadable(table.name, &error).to_string()),
        }
    }

    /// Looks whether all that lookups lead to is there or made with the tables, and returns the tables that are amiss.
    async fn check_lookups(&self, connection: Option<&mut dyn Connection>, checkup: &mut Checkup) -> Vec<&'static str> {
        match self.unmade(connection).await {
            Ok(unmade) => {
                let failed = |(table, reason)| {
                    checkup.failed(format!("table {table}"), reason);
                    table
                };
                unmade.into_iter().map(failed).collect()
            }
            Err(error) => {
                checkup.failed("tables", error.to_string());
                Vec::new()
            }
        }
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
                Err(error) => return checkup.failed("tables", self.unreadable(table.name, &error).to_string()),
            }
        }
        if lacks.is_empty() {
            checkup.passed("tables", "there are none yet; they are made when something is first written");
        } else {
            checkup.failed("tables", format!("there are none yet, and {}", self.database().refusal(&lacks)));
        }
    }

    async fn check_table(
        &self,
        connection: &mut dyn Connection,
        Used { table, columns: used, .. }: &Used,
        to_write: bool,
        checkup: &mut Checkup,
    ) {
        let what = format!("table {table}");
        let columns = match Catalogue::default().columns(self, connection, table).await {
            Ok(columns) => columns,
            Err(error) => return checkup.failed(what, error.to_string()),
        };
        let mut amiss = Vec::new();
        for used in used {
            match column_of(&columns, table, used.name) {
                Ok(column) => {
                    let read = used.fields.iter().map(|field| selected(self.database(), table, column, "t", field));
                    amiss.extend(read.filter_map(Result::err));
                }
                Err(missing) => amiss.push(missing),
            }
        }
        if amiss.is_empty() {
            checkup.passed(what, format!("all {} columns that are used are there", used.len()));
        } else {
            checkup.failed(what, amiss.join("; "));
        }
        let what = format!("rights on {table}");
        match connection.lacks(table, to_write).await {
            Ok(lacks) if lacks.is_empty() => {
                checkup.passed(what, if to_write { "may be read and written" } else { "may be read" });
            }
            Ok(lacks) => checkup.failed(what, self.database().refusal(&lacks)),
            Err(error) => checkup.failed(what, self.unreadable(table, &error).to_string()),
        }
        if to_write {
            self.check_way(connection, table, checkup).await;
        }
    }

    /// Says which way rows are inserted, where there are two.
    async fn check_way(&self, connection: &mut dyn Connection, table: &str, checkup: &mut Checkup) {
        let what = format!("writing {table}");
        match connection.nature(table).await.map(|nature| nature.copies) {
            Ok(None) => {}
            Ok(Some(Ok(()))) => checkup.passed(what, "rows are inserted by `COPY`"),
            Ok(Some(Err(why))) => checkup.passed(what, format!("rows are inserted by `INSERT`, since {why}")),
            Err(error) => checkup.failed(what, self.unreadable(table, &error).to_string()),
        }
    }
}
