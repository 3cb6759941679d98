//! The foreign keys that act when rows of our tables are deleted or changed, as the catalogue of the database has them.

use crate::sql::dialect::{Connection, Engine};
use crate::sql::model::encoding::Row;
use crate::sql::model::schema::SqlTable;
use crate::sql::model::tables::ModelTables;
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::session::server::Server;

/// The action of a foreign key on its rows when the row that they refer to is deleted or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It refuses, or leaves them as they are.
    Nothing,
    /// They are deleted or changed as well.
    Cascade,
    /// Its columns get null or their default.
    Empty,
}

/// A foreign key that refers to one of our tables.
#[derive(Debug)]
pub(crate) struct ReferringKey {
    /// The table of ours that it refers to.
    pub(crate) parent: &'static str,
    /// The table that it is in, if it is one of ours.
    pub(crate) child: Option<&'static str>,
    /// Whether it is a link of the data set: the core then knows the rows.
    pub(crate) is_link: bool,
    /// The table that it is in, as it is shown, and quoted.
    pub(crate) table: String,
    pub(crate) quoted: String,
    /// Its columns and those that they refer to.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
    /// Why its rows cannot be counted, if they cannot.
    pub(crate) hidden: Option<&'static str>,
}

// Each query returns the number of the foreign key, its schema, table and column, the schema, table and column that it refers
// to, its actions, the default schema of either table, why its rows are hidden, and whether names of tables ignore case.
// MariaDB hides the actions from a login that has rights on single tables only, and still shows the foreign keys: they are then
// assumed to do the most. If they do less, the database itself refuses to delete a row that others refer to.
const MYSQL: &str = "
    SELECT CAST(CONCAT(k.table_schema, '.', k.table_name, '.', k.constraint_name) AS CHAR),
           CAST(k.table_schema AS CHAR), CAST(k.table_name AS CHAR), CAST(k.column_name AS CHAR),
           CAST(k.referenced_table_schema AS CHAR), CAST(k.referenced_table_name AS CHAR),
           CAST(k.referenced_column_name AS CHAR), CAST(COALESCE(r.delete_rule, 'CASCADE') AS CHAR),
           CAST(COALESCE(r.update_rule, 'CASCADE') AS CHAR),
           CAST(DATABASE() AS CHAR), CAST(DATABASE() AS CHAR), NULL,
           CAST(@@lower_case_table_names <> 0 AS CHAR)
    FROM information_schema.key_column_usage k LEFT JOIN information_schema.referential_constraints r
         ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
         AND k.table_name = r.table_name
    WHERE k.referenced_table_name IS NOT NULL AND (r.constraint_name IS NULL
          OR r.delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
          OR r.update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
    ORDER BY 1, k.ordinal_position";
const POSTGRES: &str = "
    SELECT f.oid::text, n.nspname::text, c.relname::text, a.attname::text,
           pn.nspname::text, p.relname::text, pa.attname::text,
           CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END,
           CASE f.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END,
           CASE WHEN pg_table_is_visible(f.confrelid) THEN pn.nspname::text END,
           CASE WHEN pg_table_is_visible(f.conrelid) THEN n.nspname::text END,
           CASE WHEN NOT (has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT'))
                THEN 'unreadable'
                WHEN row_security_active(c.oid) THEN 'guarded' END,
           '0'::text
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
         CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (own, other, at)
         JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.own
         JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = k.other
    WHERE f.contype = 'f' AND f.conparentid = 0
          AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
    ORDER BY f.oid, k.at";
const SQLITE: &str = "
    SELECT m.name || '.' || f.id, 'main', m.name, f.[from], 'main', f.[table],
           coalesce(f.[to], (SELECT name FROM pragma_table_info(f.[table]) WHERE pk = f.seq + 1)),
           f.on_delete, f.on_update, 'main', 'main', NULL, '1'
    FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table' AND (f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
                                OR f.on_update IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
    ORDER BY m.name, f.id, f.seq";

/// How many columns each row of the catalogue has.
const WIDTH: usize = 13;

const UNREADABLE: &str = "the login may not read that table";
const GUARDED: &str = "row-level security may hide rows of that table from the login";

/// The foreign keys that act on rows which refer to our tables.
pub(crate) async fn query_foreign_keys(
    models: &ModelTables,
    server: &Server,
    connection: &mut dyn Connection,
) -> Result<Vec<ReferringKey>, sqlx::Error> {
    let engine = server.dialect().engine();
    let sql = match engine {
        Engine::MySql => MYSQL,
        Engine::Postgres => POSTGRES,
        Engine::Sqlite => SQLITE,
    };

    let mut rows: Vec<[String; WIDTH]> = Vec::new();
    let mut each = |row: &dyn Row| {
        rows.push(std::array::from_fn(|position| match row.value(position, ValueKind::Text) {
            Ok(Value::Text(text)) => text.into_owned(),
            _ => String::new(),
        }));
    };

    connection.query(sql, &[], &mut each).await?;

    let mut found: Vec<ReferringKey> = Vec::new();
    for key in rows.chunk_by(|[one, ..], [other, ..]| one == other) {
        let Some([_, schema, table, _, to_schema, to_table, _, on_delete, on_update, meant, of_child, _, folds]) =
            key.first()
        else {
            continue;
        };

        let folds = folds == "1";
        let Some((parent, _)) = own_table(models, to_schema, to_table, meant, folds) else { continue };
        let columns: Vec<(String, String)> =
            key.iter().map(|[_, _, _, column, _, _, to, ..]| (column.clone(), to.clone())).collect();
        let child = own_table(models, schema, table, of_child, folds);
        let name = |name: &str| server.dialect().quotes().column(name);
        // A privilege may be one of single columns.
        let is_hidden = |why: &str| key.iter().any(|[.., hidden, _]| hidden == why);
        found.push(ReferringKey {
            parent: parent.name,
            child: child.map(|(child, _)| child.name),
            is_link: child.is_some_and(|(child, at)| is_link(models, server, child, at, parent, &columns)),
            table: if schema == of_child { table.clone() } else { format!("{schema}.{table}") },
            quoted: format!("{}.{}", name(schema), name(table)),
            columns,
            on_delete: action(on_delete),
            on_update: action(on_update),
            hidden: if is_hidden("unreadable") { Some(UNREADABLE) } else { is_hidden("guarded").then_some(GUARDED) },
        });
    }

    // The catalogue of MySQL does not show which tables the login may read, but an error aborts no transaction there.
    if engine == Engine::MySql {
        for key in &mut found {
            let columns = key.columns.iter().map(|(column, _)| server.dialect().quotes().column(column));
            let columns = columns.collect::<Vec<_>>().join(", ");
            match connection.execute(&format!("SELECT {columns} FROM {} WHERE FALSE", key.quoted)).await {
                Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42000" | "28000")) => {
                    key.hidden = Some(UNREADABLE);
                }
                answer => answer?,
            }
        }
    }

    Ok(found)
}

/// The table of the data set that is called so, and which it is.
fn own_table(
    models: &ModelTables,
    schema: &str,
    table: &str,
    meant: &str,
    folds: bool,
) -> Option<(&'static SqlTable, usize)> {
    let same = |one: &str, other: &str| one == other || (folds && one.to_lowercase() == other.to_lowercase());
    let is = |own: &&'static SqlTable| match own.name.split_once('.') {
        Some((own_schema, own)) => same(own_schema, schema) && same(own, table),
        None => same(schema, meant) && same(own.name, table),
    };
    let at = models.tables.iter().position(is)?;
    Some((models.tables.get(at)?, at))
}

/// Whether two names are those of one column.
pub(crate) fn is_column(server: &Server, one: &str, other: &str) -> bool {
    match server.dialect().engine() {
        Engine::Postgres => one == other,
        Engine::MySql | Engine::Sqlite => one.to_lowercase() == other.to_lowercase(),
    }
}

/// Whether a foreign key of a model's table is a link to the other model: the core then knows what hangs on a record.
fn is_link(
    models: &ModelTables,
    server: &Server,
    child: &SqlTable,
    at: usize,
    parent: &SqlTable,
    columns: &[(String, String)],
) -> bool {
    let Some(schema) = models.schemas.get(at) else { return false };
    let models = models.tables.iter().zip(&models.schemas).filter(|(table, _)| table.name == parent.name);
    let models: Vec<&str> = models.map(|(_, schema)| schema.name).collect();
    let is_linked = |fields: &[usize]| {
        let names: Vec<&str> = fields.iter().filter_map(|field| Some(child.fields.get(*field)?.name)).collect();
        let links = schema.links.iter().filter(|link| models.contains(&link.model));
        links.into_iter().any(|link| link.fields.iter().all(|field| names.contains(field)))
    };

    columns.iter().all(|(column, _)| {
        let lookup = child.lookups.iter().find(|lookup| is_column(server, lookup.foreign_key.column, column));
        let field =
            child.columns().find(|(_, name, _)| is_column(server, name, column)).map(|(position, ..)| [position]);
        lookup.is_some_and(|lookup| is_linked(lookup.fields)) || field.is_some_and(|field| is_linked(&field))
    })
}

fn action(rule: &str) -> Action {
    match rule {
        "CASCADE" => Action::Cascade,
        "SET NULL" | "SET DEFAULT" => Action::Empty,
        _ => Action::Nothing,
    }
}
