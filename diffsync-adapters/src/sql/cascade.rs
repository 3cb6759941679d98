//! What the database deletes or empties by itself together with a row: looked for before the row is deleted.
//!
//! A foreign key may say `ON DELETE CASCADE` or `SET NULL`. Where the data set holds it as a link, the core knows what hangs on
//! a record. All others would lose rows that are in no diff.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use diffsync_core::TargetError;

use super::SqlModel;
use super::database::{Connection, Engine, Grid};
use super::form::Row;
use super::load::column_of;
use super::matching::{Matching, matching};
use super::rows::By;
use super::schema::SqlTable;
use super::session::Session;
use super::value::{Kind, Value};
use super::write::{Answers, Trouble};

/// A foreign key that acts when a row of one of our tables is deleted.
#[derive(Debug)]
pub(crate) struct Cascade {
    /// The table of ours that it refers to.
    parent: &'static str,
    /// The table that it is in, as it is shown, and quoted.
    table: String,
    quoted: String,
    /// Its columns and those that they refer to.
    columns: Vec<(String, String)>,
    /// Whether the rows are deleted; if not, the columns are emptied.
    deletes: bool,
}

impl Cascade {
    /// What would happen, to how many rows if that is known.
    fn said(&self, count: Option<u64>) -> String {
        let Self { table, columns, deletes, .. } = self;
        let rows = match count {
            None => "rows".to_owned(),
            Some(1) => "1 row".to_owned(),
            Some(count) => format!("{count} rows"),
        };
        if *deletes {
            return format!("delete {rows} of `{table}`");
        }
        let columns = columns.iter().map(|(column, _)| format!("`{column}`")).collect::<Vec<_>>().join(", ");
        format!("empty {columns} in {rows} of `{table}`")
    }

    /// The condition by which a row `c` of its table refers to the row `t`.
    fn refers(&self, session: &Session) -> String {
        let quotes = session.database().quotes();
        let same = |(column, to): &(String, String)| format!("c.{} = t.{}", quotes.column(column), quotes.column(to));
        self.columns.iter().map(same).collect::<Vec<_>>().join(" AND ")
    }
}

impl Session {
    /// What the database would do to rows that are not in the data set when it deletes rows of this table: one sentence.
    pub(crate) async fn cascades_said(
        &self,
        connection: &mut dyn Connection,
        table: &SqlTable,
    ) -> Result<Option<String>, sqlx::Error> {
        let all = self.cascades(connection).await?;
        let of_table: Vec<String> =
            all.iter().filter(|cascade| cascade.parent == table.name).map(|cascade| cascade.said(None)).collect();
        Ok((!of_table.is_empty()).then(|| of_table.join(" and ")))
    }

    /// Deletes records, except those with which the database would delete or empty rows that the data set does not hold.
    pub(crate) async fn remove_apart<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        old: &[&M],
    ) -> Result<Answers<()>, Trouble> {
        let refused = self.cascading(connection, old).await?;
        if refused.is_empty() {
            return self.remove(connection, old).await;
        }
        let free: Vec<&M> =
            old.iter().enumerate().filter(|(at, _)| !refused.contains_key(at)).map(|(_, old)| *old).collect();
        let mut written = if free.is_empty() { Vec::new() } else { self.remove(connection, &free).await? }.into_iter();
        let answer = |at: usize| match refused.get(&at) {
            Some(reason) => Err(TargetError::new(reason.as_str())),
            None => written.next().unwrap_or_else(|| Err(TargetError::new("there is no answer for the record"))),
        };
        Ok((0..old.len()).map(answer).collect())
    }

    /// Why records, by their positions, are not deleted.
    async fn cascading<M: SqlModel>(
        &self,
        connection: &mut dyn Connection,
        old: &[&M],
    ) -> Result<BTreeMap<usize, String>, Trouble> {
        let mut refused = BTreeMap::new();
        if M::TABLE.cascades {
            return Ok(refused);
        }
        let all = self.cascades(connection).await?;
        let of_table: Vec<&Cascade> = all.iter().filter(|cascade| cascade.parent == M::TABLE.name).collect();
        if of_table.is_empty() {
            return Ok(refused);
        }

        let quotes = self.database().quotes();
        let referring =
            |cascade: &Cascade| format!("(SELECT {{}} FROM {} AS c WHERE {})", cascade.quoted, cascade.refers(self));
        let items: Vec<String> = of_table.iter().map(|cascade| referring(cascade).replace("{}", "count(*)")).collect();
        let any = of_table.iter().map(|cascade| format!("EXISTS {}", referring(cascade).replace("{}", "1")));
        let any = any.collect::<Vec<_>>().join(" OR ");

        let located = self.located(connection, old).await?;
        let mut groups: BTreeMap<By, (Grid<'_>, Vec<usize>)> = BTreeMap::new();
        for record in 0..old.len() {
            // What is wrong with one that is not found is said when it is deleted.
            if let Ok((by, values)) = located.by(record)
                && !values.is_empty()
            {
                let (grid, records) = groups.entry(by).or_insert_with(|| (Grid::new(values.len()), Vec::new()));
                grid.values.extend(values);
                records.push(record);
            }
        }

        let columns = self.columns(connection, M::TABLE.name).await?;
        let from = format!("{} AS t", quotes.table(M::TABLE.name));
        for (by, (grid, records)) in &groups {
            let mut typed = Vec::with_capacity(by.columns.len());
            for name in &by.columns {
                let column = column_of(&columns, M::TABLE.name, name).map_err(|error| self.amiss(&error))?;
                typed.push((format!("t.{}", quotes.column(name)), column.ty.clone()));
            }
            let mut filter = format!("({any})");
            for null in &by.nulls {
                let _ = write!(filter, " AND t.{} IS NULL", quotes.column(null));
            }
            let wanted = Matching { items: &items, from: &from, by: &typed, filter: Some(&filter) };
            let mut each = |at: usize, row: &dyn Row| {
                let count = |position| match row.value(position, Kind::Int64) {
                    Ok(Value::Int(count)) => u64::try_from(count).unwrap_or_default(),
                    _ => 0,
                };
                let what = of_table.iter().enumerate().filter(|(position, _)| count(*position) > 0);
                let what = what.map(|(position, cascade)| cascade.said(Some(count(position)))).collect::<Vec<_>>();
                if let Some(record) = records.get(at) {
                    refused.insert(*record, refusal(M::TABLE.name, &what.join(" and ")));
                }
            };
            matching(self.database().engine(), connection, &wanted, grid, &mut each).await?;
        }
        Ok(refused)
    }

    /// The foreign keys that act when rows of our tables are deleted, and that are no link of the data set. The catalogue is
    /// asked once in a run.
    async fn cascades(&self, connection: &mut dyn Connection) -> Result<Arc<Vec<Cascade>>, sqlx::Error> {
        let mut known = self.cascades.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.find_cascades(connection).await?);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    async fn find_cascades(&self, connection: &mut dyn Connection) -> Result<Vec<Cascade>, sqlx::Error> {
        // Each gives the number of the foreign key, the schema and the table it is in, its column, the schema, the table and the
        // column it refers to, its action, and the schema that is meant where none is said.
        const MYSQL: &str = "
            SELECT CAST(CONCAT(k.table_schema, '.', k.table_name, '.', k.constraint_name) AS CHAR),
                   CAST(k.table_schema AS CHAR), CAST(k.table_name AS CHAR), CAST(k.column_name AS CHAR),
                   CAST(k.referenced_table_schema AS CHAR), CAST(k.referenced_table_name AS CHAR),
                   CAST(k.referenced_column_name AS CHAR), CAST(r.delete_rule AS CHAR), CAST(DATABASE() AS CHAR)
            FROM information_schema.referential_constraints r JOIN information_schema.key_column_usage k
                 ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
                 AND k.table_name = r.table_name
            WHERE r.delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
            ORDER BY 1, k.ordinal_position";
        const POSTGRES: &str = "
            SELECT f.oid::text, n.nspname::text, c.relname::text, a.attname::text,
                   pn.nspname::text, p.relname::text, pa.attname::text,
                   CASE f.confdeltype WHEN 'c' THEN 'CASCADE' ELSE 'SET NULL' END,
                   CASE WHEN pg_table_is_visible(f.confrelid) THEN pn.nspname::text END,
                   CASE WHEN pg_table_is_visible(f.conrelid) THEN n.nspname::text END
            FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
                 CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (own, other, at)
                 JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.own
                 JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = k.other
            WHERE f.contype = 'f' AND f.confdeltype IN ('c', 'n', 'd') AND f.conparentid = 0
            ORDER BY f.oid, k.at";
        const SQLITE: &str = "
            SELECT m.name || '.' || f.id, 'main', m.name, f.[from], 'main', f.[table],
                   coalesce(f.[to], (SELECT name FROM pragma_table_info(f.[table]) WHERE pk = f.seq + 1)), f.on_delete, 'main'
            FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
            WHERE m.type = 'table' AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
            ORDER BY m.name, f.id, f.seq";
        let engine = self.database().engine();
        let sql = match engine {
            Engine::MySql => MYSQL,
            Engine::Postgres => POSTGRES,
            Engine::Sqlite => SQLITE,
        };
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut each = |row: &dyn Row| {
            let text = |position| match row.value(position, Kind::Text) {
                Ok(Value::Text(text)) => text.into_owned(),
                _ => String::new(),
            };
            let width = if engine == Engine::Postgres { 10 } else { 9 };
            rows.push((0..width).map(text).collect());
        };
        connection.ask(sql, &[], &mut each).await?;

        let mut cascades = Vec::new();
        for key in rows.chunk_by(|one, other| one.first() == other.first()) {
            let Some([_, schema, table, _, to_schema, to_table, _, action, meant, rest @ ..]) =
                key.first().map(Vec::as_slice)
            else {
                continue;
            };
            let of_child = rest.first().unwrap_or(meant);
            let Some((parent, _)) = self.own(to_schema, to_table, meant) else { continue };
            let columns: Vec<(String, String)> =
                key.iter().filter_map(|row| Some((row.get(3)?.clone(), row.get(6)?.clone()))).collect();
            let child = self.own(schema, table, of_child);
            if child.is_some_and(|(child, at)| self.is_link(child, at, parent, &columns)) {
                continue;
            }
            let shown = if schema == of_child { table.clone() } else { format!("{schema}.{table}") };
            let name = |name: &str| self.database().quotes().column(name);
            let quoted = format!("{}.{}", name(schema), name(table));
            cascades.push(Cascade { parent: parent.name, table: shown, quoted, columns, deletes: action == "CASCADE" });
        }
        Ok(cascades)
    }

    /// The table of the data set that is called so, and which it is.
    fn own(&self, schema: &str, table: &str, meant: &str) -> Option<(&'static SqlTable, usize)> {
        let same = |one: &str, other: &str| match self.database().engine() {
            Engine::Sqlite => one.eq_ignore_ascii_case(other),
            Engine::Postgres | Engine::MySql => one == other,
        };
        let is = |own: &&'static SqlTable| match own.name.split_once('.') {
            Some((own_schema, own)) => same(own_schema, schema) && same(own, table),
            None => schema == meant && same(own.name, table),
        };
        let at = self.tables.iter().position(is)?;
        Some((self.tables.get(at)?, at))
    }

    /// Whether a foreign key of a model's table is a link to the other model: the core then knows what hangs on a record.
    fn is_link(&self, child: &SqlTable, at: usize, parent: &SqlTable, columns: &[(String, String)]) -> bool {
        let Some(schema) = self.schemas.get(at) else { return false };
        let models = self.tables.iter().zip(&self.schemas).filter(|(table, _)| table.name == parent.name);
        let models: Vec<&str> = models.map(|(_, schema)| schema.name).collect();
        let is_linked = |fields: &[usize]| {
            let names: Vec<&str> = fields.iter().filter_map(|field| Some(child.fields.get(*field)?.name)).collect();
            let links = schema.links.iter().filter(|link| models.contains(&link.model));
            links.into_iter().any(|link| link.fields.iter().all(|field| names.contains(field)))
        };
        columns.iter().all(|(column, _)| {
            let lookup = child.lookups.iter().find(|lookup| lookup.leads.column == column);
            let field = child.columns().find(|(_, name, _)| name == column).map(|(position, ..)| [position]);
            lookup.is_some_and(|lookup| is_linked(lookup.fields)) || field.is_some_and(|field| is_linked(&field))
        })
    }
}

fn refusal(table: &str, what: &str) -> String {
    format!(
        "with the row of `{table}` the database would {what}, which the data set does not hold: see to them first, or put \
         `#[sql(cascades)]` on the model"
    )
}
