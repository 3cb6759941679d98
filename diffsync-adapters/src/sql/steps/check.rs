//! The health check of a database.

use std::fmt::Write;

use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::schema::{Comparison, ModelSchema};

use super::required_columns::RequiredTable;
use super::selection::select_expression;
use super::{cascade, create_tables, equal_identifiers, required_columns};
use crate::sql::catalogue::{Catalogue, column_of};
use crate::sql::context::SqlContext;
use crate::sql::dialect::Connection;
use crate::sql::model::schema::SqlTable;

/// Checks the connection, the version, the tables and the rights.
pub(crate) async fn check(context: &SqlContext, health: &mut HealthCheck) {
    let may_be_absent = context.create_tables && health.side() == Side::Target;
    if !context.database().exists() {
        let shown = context.server().shown();
        if !may_be_absent {
            return health.failed("connection", format!("there is no `{shown}`; give the path of the database file"));
        }

        match context.database().can_be_created() {
            Ok(()) => {
                health.passed("connection", format!("`{shown}` does not exist yet; it is created at the first write"));
            }
            Err(reason) => health.failed("connection", format!("`{shown}` does not exist yet, and {reason}")),
        }

        check_lookups(context, None, health).await;
        return;
    }

    let mut connection = match context.session.connection(false).await {
        Ok(connection) => connection,
        Err(error) => return health.failed("connection", context.server().unreachable(&error).to_string()),
    };

    health.passed("connection", context.server().shown());
    if let Some(look) = context.database().begin_check()
        && let Err(error) = connection.execute(look).await
    {
        return health.failed("connection", context.server().unreachable(&error).to_string());
    }

    match connection.version().await {
        Ok(version) => health.passed("version", version),
        Err(error) => return health.failed("version", context.server().unreachable(&error).to_string()),
    }

    let to_write = health.side() == Side::Target;
    let are_absent =
        may_be_absent && matches!(create_tables::no_table_exists(context, &mut *connection).await, Ok(true));
    let mut unmade = Vec::new();
    if are_absent {
        check_create_privileges(context, &mut *connection, health).await;
        unmade = check_lookups(context, Some(&mut *connection), health).await;
    }

    let is_absent = |used: &RequiredTable| are_absent && used.is_own || unmade.contains(&used.table);
    for used in required_columns::required_columns(context).iter().filter(|used| !is_absent(used)) {
        check_table(context, &mut *connection, used, to_write && used.is_own, health).await;
    }

    if to_write && !are_absent {
        for (table, schema) in context.models.tables.iter().zip(&context.models.schemas) {
            check_identifiers(context, &mut *connection, table, schema, health).await;
            check_cascades(context, &mut *connection, table, health).await;
        }
    }

    if context.database().begin_check().is_none() || connection.execute("ROLLBACK").await.is_ok() {
        context.session.give_back(connection);
    }
}

/// Reports columns in which the database considers identifiers equal that differ in the model, and how to change the model.
async fn check_identifiers(
    context: &SqlContext,
    connection: &mut dyn Connection,
    table: &'static SqlTable,
    schema: &ModelSchema,
    health: &mut HealthCheck,
) {
    // Errors of the table were reported above.
    let Ok(identity) = equal_identifiers::identity_columns(context, connection, table).await else { return };
    if identity.coarse.is_empty() {
        return;
    }

    let mut text = format!(
        "{}: a record that the database considers equal to one of its rows is not created, and that row is not deleted",
        identity.why
    );
    let compared_by_case = identity.coarse.iter().filter(|(_, found)| found.ignores_case);
    let compared_by_case = compared_by_case.filter_map(|(position, _)| schema.identifiers.get(*position));
    let by_case = compared_by_case.filter(|field| field.comparison != Comparison::IgnoreCase);
    let by_case: Vec<String> = by_case.map(|field| format!("`{}`", field.name)).collect();
    if !by_case.is_empty() {
        let _ = write!(text, "; put `compare = ignore_case` on {} if case does not matter", by_case.join(" and "));
    }

    health.passed(format!("identifiers of {}", table.name), text);
}

/// Reports what the database deletes or empties together with rows of a table.
async fn check_cascades(
    context: &SqlContext,
    connection: &mut dyn Connection,
    table: &SqlTable,
    health: &mut HealthCheck,
) {
    let what = format!("deletes in {}", table.name);
    match cascade::describe_cascades(context, connection, table).await {
        Ok(None) => {}
        Ok(Some(effect)) if table.cascades => {
            health.passed(what, format!("the database may also {effect}, which the model allows"));
        }
        Ok(Some(effect)) => health.passed(
            what,
            format!(
                "the database would also {effect}, which the data set does not hold: a record with such rows is not \
                 deleted, unless `#[sql(cascades)]` is on the model"
            ),
        ),
        Err(error) => health.failed(what, context.server().unreadable(table.name, &error).to_string()),
    }
}

/// Checks that the tables and columns of lookups exist or will be created, and returns the tables for which they do not.
async fn check_lookups(
    context: &SqlContext,
    connection: Option<&mut dyn Connection>,
    health: &mut HealthCheck,
) -> Vec<&'static str> {
    match create_tables::missing_lookup_targets(context, connection).await {
        Ok(unmade) => {
            let failed = |(table, reason)| {
                health.failed(format!("table {table}"), reason);
                table
            };
            unmade.into_iter().map(failed).collect()
        }
        Err(error) => {
            health.failed("tables", error.to_string());
            Vec::new()
        }
    }
}

async fn check_create_privileges(context: &SqlContext, connection: &mut dyn Connection, health: &mut HealthCheck) {
    let mut missing_privileges = Vec::new();
    for table in &context.models.tables {
        match connection.missing_create_privileges(table.name).await {
            Ok(missing) => {
                for right in missing {
                    if !missing_privileges.contains(&right) {
                        missing_privileges.push(right);
                    }
                }
            }
            Err(error) => return health.failed("tables", context.server().unreadable(table.name, &error).to_string()),
        }
    }

    if missing_privileges.is_empty() {
        health.passed("tables", "none exist yet; they are created at the first write");
    } else {
        health.failed(
            "tables",
            format!("none exist yet, and {}", context.database().describe_missing_privileges(&missing_privileges)),
        );
    }
}

async fn check_table(
    context: &SqlContext,
    connection: &mut dyn Connection,
    RequiredTable { table, columns: used, .. }: &RequiredTable,
    to_write: bool,
    health: &mut HealthCheck,
) {
    let what = format!("table {table}");
    let columns = match Catalogue::default().columns(context.server(), connection, table).await {
        Ok(columns) => columns,
        Err(error) => return health.failed(what, error.to_string()),
    };

    let mut amiss = Vec::new();
    for used in used {
        match column_of(&columns, table, used.name) {
            Ok(column) => {
                let read =
                    used.fields.iter().map(|field| select_expression(context.database(), table, column, "t", field));
                amiss.extend(read.filter_map(Result::err));
            }
            Err(missing) => amiss.push(missing),
        }
    }

    if amiss.is_empty() {
        health.passed(what, format!("all {} used columns exist", used.len()));
    } else {
        health.failed(what, amiss.join("; "));
    }

    let what = format!("rights on {table}");
    match connection.missing_privileges(table, to_write).await {
        Ok(missing_privileges) if missing_privileges.is_empty() => {
            health.passed(what, if to_write { "may be read and written" } else { "may be read" });
        }
        Ok(missing_privileges) => {
            health.failed(what, context.database().describe_missing_privileges(&missing_privileges));
        }
        Err(error) => health.failed(what, context.server().unreadable(table, &error).to_string()),
    }

    if to_write {
        check_insert_method(context, connection, table, health).await;
    }
}

/// Reports whether rows are inserted by `COPY`, if the database has it.
async fn check_insert_method(
    context: &SqlContext,
    connection: &mut dyn Connection,
    table: &str,
    health: &mut HealthCheck,
) {
    let what = format!("writing {table}");
    match connection.behavior(table).await.map(|behavior| behavior.copy_support) {
        Ok(None) => {}
        Ok(Some(Ok(()))) => health.passed(what, "rows are inserted by `COPY`"),
        Ok(Some(Err(why))) => health.passed(what, format!("rows are inserted by `INSERT`, since {why}")),
        Err(error) => health.failed(what, context.server().unreadable(table, &error).to_string()),
    }
}
