//! `SQLite`.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use diffsync_core::adapter::{AdapterError, TargetErrorKind};
use diffsync_core::memory::MemoryScope;
use diffsync_core::value::{Url, redact_url};
use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Row as _};

use self::affinity::Affinity;
use super::quoting::Quotes;
use super::statement_limits::StatementLimits;
use super::url_options::refuse_unknown;
use super::{
    Column, Connection, Database, DbFuture, Delete, Engine, Find, GIVEN, Insert, Inserted, Read, TableBehavior,
    TypedColumn, UniqueKey, UniqueKeyRow, Update,
};
use crate::resource;
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind};

mod affinity;
mod row;

/// The limits of a statement: one value less than possible, which is left for the owner. Bound values are copied, so their
/// size is limited to spare memory.
const STATEMENT_LIMITS: StatementLimits =
    StatementLimits { values: 32_765, bytes: 64 << 20, largest: (1_000_000_000, "SQLite accepts at most"), byte: 1 };

const QUOTES: Quotes = Quotes('"');

/// The options that the driver knows.
const OPTIONS: [&str; 4] = ["mode", "cache", "immutable", "vfs"];

/// A file with a database in it.
pub(crate) struct Sqlite {
    options: SqliteConnectOptions,
}

impl Sqlite {
    pub(crate) fn at(url: &Url) -> Result<Self, AdapterError> {
        refuse_unknown(url, &OPTIONS)?;
        let unusable =
            |why: &str| AdapterError::new(format!("`{}` {why}, as in `sqlite://inventory.db`", redact_url(url)));
        let options = SqliteConnectOptions::from_str(url.as_str())
            .map_err(|error| {
                AdapterError::context(format!("`{}` is not the URL of an SQLite database", redact_url(url)), error)
            })?
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5))
            .row_buffer_size(1_000)
            // 64 MiB for pages, so that those of an index are not read again for every batch.
            .pragma("cache_size", "-65536")
            .disable_statement_logging();

        let file = options.get_filename();

        // One in memory is gone with its connection.
        let in_memory =
            url.as_str().contains(":memory:") || url.query().is_some_and(|query| query.contains("mode=memory"));
        if in_memory || file.as_os_str().is_empty() || file.is_dir() {
            return Err(unusable("must be a file"));
        }

        if file.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(unusable("must be in a folder that exists"));
        }

        Ok(Self { options })
    }
}

impl Database for Sqlite {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn quotes(&self) -> Quotes {
        QUOTES
    }

    fn resource(&self) -> String {
        resource::of_path(self.options.get_filename())
    }

    fn exists(&self) -> bool {
        self.options.get_filename().exists()
    }

    fn can_be_created(&self) -> Result<(), String> {
        let folder = self.options.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // It is gone with its handle.
        let probe = tempfile::tempfile_in(folder);
        probe.map(drop).map_err(|_| format!("the folder `{}` may not be written", folder.display()))
    }

    fn connect(&self, create: bool) -> DbFuture<'_, Box<dyn Connection>> {
        let options = self.options.clone().create_if_missing(create);
        Box::pin(async move {
            if create && !self.exists() {
                self.can_be_created().map_err(|reason| sqlx::Error::Configuration(reason.into()))?;
            }
            Ok(Box::new(options.connect().await?) as Box<dyn Connection>)
        })
    }

    fn select_expression(&self, _: &Column, qualified: &str, _: ValueKind) -> Result<String, String> {
        // A column may hold anything, so each value is looked at.
        Ok(qualified.to_owned())
    }

    fn text_expression(&self, expression: &str) -> String {
        format!("CASE typeof({expression}) WHEN 'blob' THEN hex({expression}) ELSE CAST({expression} AS TEXT) END")
    }

    fn column_type(&self, kind: ValueKind, _: bool) -> String {
        match kind {
            ValueKind::Bool => "BOOLEAN",
            ValueKind::Int16 | ValueKind::Int32 | ValueKind::Int64 | ValueKind::Unsigned64 => "INTEGER",
            ValueKind::Float32 | ValueKind::Float64 => "REAL",
            ValueKind::Text | ValueKind::Json | ValueKind::Uuid => "TEXT",
            ValueKind::Bytes => "BLOB",
        }
        .into()
    }

    fn key_kind(&self, _: &Column) -> ValueKind {
        // Numbers, texts and bytes are read as what they are.
        ValueKind::Int64
    }

    fn key_type(&self, kind: ValueKind) -> String {
        if kind.is_int() {
            return "INTEGER PRIMARY KEY".into();
        }
        // A UUID of version 4, from random bytes.
        "TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || \
         substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))"
            .into()
    }

    fn allows_forward_references(&self) -> bool {
        true
    }

    fn begin_snapshot(&self) -> &'static [&'static str] {
        &["BEGIN"]
    }

    fn begin(&self) -> &'static str {
        // It is to wait for the lock here, where it can.
        "BEGIN IMMEDIATE"
    }

    fn rolled_back(&self, _: &dyn sqlx::error::DatabaseError) -> bool {
        // It is a library: what it did not carry out is undone when its connection is closed.
        true
    }

    fn describe_missing_privileges(&self, _: &[&str]) -> String {
        // There is no login, and nothing else that could be missing.
        "the file may not be written".into()
    }

    fn describe_error(&self, error: &dyn sqlx::error::DatabaseError) -> String {
        match primary_code(error) {
            5 | 6 => format!("another program is writing it, so try again: {error}"),
            _ => error.to_string(),
        }
    }

    fn error_kind(&self, error: &dyn sqlx::error::DatabaseError) -> TargetErrorKind {
        match primary_code(error) {
            // Busy, locked.
            5 | 6 => TargetErrorKind::Transient,
            // No table or column, no rights, read-only, an error of the disk, damaged, full, not to be opened, no database.
            1 | 3 | 8 | 10 | 11 | 13 | 14 | 23 | 26 => TargetErrorKind::Fatal,
            _ => TargetErrorKind::Record,
        }
    }

    fn stores_exactly(&self, column: &Column, _: ValueKind, value: &Value<'_>) -> bool {
        Affinity::of(&column.ty).stores_exactly(value)
    }

    fn default_batch_size(&self) -> usize {
        // Each transaction waits for the disk, and writes the pages of an index anew: few large ones are faster.
        20_000
    }

    fn concurrency_limit(&self) -> Option<usize> {
        // It writes one transaction at a time.
        Some(1)
    }
}

/// The primary code of an error.
fn primary_code(error: &dyn sqlx::error::DatabaseError) -> u32 {
    error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default() & 0xff
}

fn arguments<'v>(values: impl IntoIterator<Item = &'v Value<'v>>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Bool(value) => arguments.add(*value),
            Value::Int(value) => arguments.add(*value),
            Value::Unsigned(value) => Err(format!("{value} does not fit into an integer of SQLite").into()),
            // It would be null.
            Value::Float(value) if value.is_nan() => Err("SQLite cannot store NaN".into()),
            Value::Float(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(&**value),
            Value::Bytes(value) => arguments.add(&**value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }

    Ok(arguments)
}

/// `(?,?),(?,?)`, with a prefix in each row.
fn placeholders(rows: usize, width: usize, first: impl Fn(usize) -> String) -> String {
    let row = vec!["?"; width].join(",");
    let mut sql = String::with_capacity(rows * (row.len() + 12));
    for number in 0..rows {
        sql.push_str(if number == 0 { "(" } else { ",(" });
        sql.push_str(&first(number));
        sql.push_str(&row);
        sql.push(')');
    }

    sql
}

/// The condition that a column has the value at this place of `v`.
fn equal(qualified: &str, column: &TypedColumn, at: usize) -> String {
    let exactly =
        if column.compared_exactly { format!(" AND {qualified} COLLATE BINARY = v.column{at}") } else { String::new() };
    format!("{qualified} = v.column{at}{exactly}")
}

/// The condition that columns have the values of one of these rows, and what begins the statement for it.
fn among(by: &[TypedColumn], before: &str, values: &str) -> (String, String) {
    let columns = |exactly: &str| {
        let column = |column: &TypedColumn| {
            let exactly = if column.compared_exactly { exactly } else { "" };
            format!("{before}{}{exactly}", QUOTES.column(column.name))
        };
        by.iter().map(column).collect::<Vec<_>>().join(", ")
    };

    if !by.iter().any(|column| column.compared_exactly) {
        return (String::new(), format!("({}) IN (VALUES {values})", columns("")));
    }
    // The first comparison finds the rows by an index, the second is the exact one.
    let given = format!("(SELECT * FROM {GIVEN})");
    let found = format!("({}) IN {given} AND ({}) IN {given}", columns(""), columns(" COLLATE BINARY"));
    (format!("WITH {GIVEN} AS (VALUES {values}) "), found)
}

/// The clause that makes a constraint with `ON CONFLICT REPLACE` reject a row, instead of deleting the row that has the
/// value. It is left out if the table has triggers, since it would override the clauses of their statements; rows are then
/// counted.
fn or_abort(behavior: &TableBehavior) -> &'static str {
    if behavior.may_alter_values { "" } else { " OR ABORT" }
}

/// Carries out a statement. One that comes again is kept prepared.
async fn changed(
    connection: &mut SqliteConnection,
    sql: String,
    values: &[Value<'_>],
    comes_again: bool,
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query_with(AssertSqlSafe(sql), arguments(values)?).persistent(comes_again);
    let done = query.execute(connection).await?;
    Ok(done.rows_affected())
}

/// The schema of a table, `main` by default, and the table's own name.
fn parts(table: &str) -> (&str, &str) {
    table.split_once('.').unwrap_or(("main", table))
}

impl Connection for SqliteConnection {
    fn execute<'a>(&'a mut self, sql: &'a str) -> DbFuture<'a, ()> {
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(sql)).execute(self).await.map(drop) })
    }

    fn rows<'a>(&'a mut self, sql: &'a str, each: &'a mut (dyn FnMut(&dyn Row) -> bool + Send)) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(self);
            while let Some(row) = rows.try_next().await? {
                let goes_on = each(&row);
                // The driver's thread has allocated it.
                MemoryScope::none().enter(|| drop(row));
                if !goes_on {
                    break;
                }
            }
            Ok(())
        })
    }

    fn query<'a>(
        &'a mut self,
        sql: &'a str,
        values: &'a [Value<'a>],
        each: &'a mut (dyn FnMut(&dyn Row) + Send),
    ) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let arguments = arguments(values)?;
            let mut rows = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch(self);
            while let Some(row) = rows.try_next().await? {
                each(&row);
            }
            Ok(())
        })
    }

    fn columns<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<Column>> {
        const SQL: &str = "SELECT name, type, pk, (SELECT count(*) FROM pragma_table_xinfo(?1, ?2) WHERE pk > 0)
                           FROM pragma_table_xinfo(?1, ?2)";
        Box::pin(async move {
            let (schema, name) = parts(table);
            let rows: Vec<(String, String, i64, i64)> =
                sqlx::query_as(SQL).bind(name).bind(schema).fetch_all(&mut *self).await?;
            let of = QUOTES.table(table);
            let column = |(name, ty, place, keys): (String, String, i64, i64)| {
                // An integer primary key is the row's number, and defaults to the largest number plus one.
                let counts = place == 1 && keys == 1 && ty.eq_ignore_ascii_case("INTEGER");
                let quoted = QUOTES.column(&name);
                let default = counts.then(|| format!("SELECT coalesce(max({quoted}), 0) FROM {of}"));
                Column { name, ty, default }
            };
            Ok(rows.into_iter().map(column).collect())
        })
    }

    fn tables(&mut self) -> DbFuture<'_, Vec<String>> {
        const SQL: &str =
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name";
        Box::pin(async move { sqlx::query_scalar(SQL).fetch_all(self).await })
    }

    fn behavior<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, TableBehavior> {
        Box::pin(async move {
            let (schema, name) = parts(table);
            let schema = QUOTES.column(schema);
            let sql = format!(
                "SELECT (SELECT count(*) FROM {schema}.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?1)),
                        (SELECT count(*) FROM {schema}.sqlite_schema WHERE type = 'view' AND lower(name) = lower(?1)),
                        (SELECT count(*) FROM {schema}.sqlite_schema
                         WHERE lower(name) = lower(?1) AND sql LIKE 'CREATE VIRTUAL%'),
                        (SELECT count(*) FROM {schema}.sqlite_schema
                         WHERE type = 'table' AND lower(name) = lower(?1) AND sql LIKE '%CONFLICT%REPLACE%')"
            );

            let (triggers, views, virtuals, replacing): (i64, i64, i64, i64) =
                sqlx::query_as(AssertSqlSafe(sql)).bind(name).fetch_one(self).await?;
            // The count of a statement does not include what a trigger does instead.
            let may_alter_values = triggers + views + virtuals > 0;
            // Without triggers, the statements override it with `OR ABORT`.
            let may_replace_rows = may_alter_values && replacing > 0;
            Ok(TableBehavior {
                may_alter_values,
                may_keep_deleted: may_alter_values,
                may_replace_rows,
                is_uncounted: views > 0,
                copy_support: None,
            })
        })
    }

    fn unique_keys<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<UniqueKey>> {
        // An index may have a collation of its own.
        const SQL: &str = "
            SELECT key, name, allows_nulls, is_part, is_exact, collated FROM (
                SELECT l.name AS key, i.seqno AS at, i.name AS name, coalesce(NOT c.[notnull], 0) AS allows_nulls,
                       i.name IS NOT NULL AS is_part, NOT l.partial AND i.name IS NOT NULL AS is_exact,
                       coalesce(' COLLATE [' || i.coll || ']', '') AS collated
                FROM pragma_index_list(?1, ?2) l JOIN pragma_index_xinfo(l.name, ?2) i
                     LEFT JOIN pragma_table_xinfo(?1, ?2) c ON c.name = i.name
                WHERE l.[unique] AND i.key
                UNION ALL SELECT '', pk, name, 0, 1, 1, '' FROM pragma_table_info(?1, ?2) WHERE pk > 0)
            ORDER BY key, at";
        Box::pin(async move {
            let (schema, name) = parts(table);
            let rows: Vec<UniqueKeyRow> = sqlx::query_as(SQL).bind(name).bind(schema).fetch_all(self).await?;
            Ok(UniqueKey::from_rows(&rows))
        })
    }

    fn insert<'a>(&'a mut self, insert: &'a Insert<'a>) -> DbFuture<'a, Inserted> {
        Box::pin(async move {
            let Insert { table, columns, key, behavior, rows, .. } = insert;
            let counted = key.and_then(|(column, _)| Some((column.name.as_str(), column.default.as_deref()?)));
            let mut last = 0;
            let mut names = QUOTES.columns(columns.iter().map(|column| column.name));
            if let Some((key, largest)) = counted {
                // Only one transaction writes at a time.
                last = sqlx::query_scalar(AssertSqlSafe(largest)).fetch_one(&mut *self).await?;
                last = last.max(self.counted(table).await?);
                names = format!("{}, {names}", QUOTES.column(key));
            }

            let or_abort = or_abort(behavior);
            let (mut taken, mut keys) = (0, Vec::new());
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let count = piece.len() / rows.width.max(1);
                let number = |row: usize| last.saturating_add_unsigned(row as u64 + 1);
                let placeholders = match counted {
                    Some(_) => placeholders(count, rows.width, |row| format!("{},", number(row))),
                    None => placeholders(count, rows.width, |_| String::new()),
                };

                let sql = format!("INSERT{or_abort} INTO {table} ({names}) VALUES {placeholders}");
                taken += changed(self, sql, piece, counted.is_none()).await?;
                keys.extend((0..count).map(|row| Value::Int(number(row))));
                last = last.saturating_add_unsigned(count as u64);
            }

            let rows = (!behavior.is_uncounted).then_some(taken);
            Ok(Inserted { rows, keys: counted.map(|_| keys), altered: None })
        })
    }

    fn update<'a>(&'a mut self, update: &'a Update<'a>) -> DbFuture<'a, u64> {
        Box::pin(async move {
            let Update { table, set, by, nulls, behavior, rows } = update;
            let or_abort = or_abort(behavior);
            let assigned = set.iter().enumerate();
            let assigned = assigned.map(|(at, column)| format!("{} = v.column{}", QUOTES.column(column.name), at + 1));
            let assigned = assigned.collect::<Vec<_>>().join(", ");
            let found = by.iter().enumerate();
            let found = found
                .map(|(at, column)| equal(&format!("t.{}", QUOTES.column(column.name)), column, set.len() + at + 1));
            let null = nulls.iter().map(|column| format!("t.{} IS NULL", QUOTES.column(column)));
            let found = found.chain(null).collect::<Vec<_>>().join(" AND ");
            let mut updated = 0;
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let values = placeholders(piece.len() / rows.width.max(1), rows.width, |_| String::new());
                let sql =
                    format!("UPDATE{or_abort} {table} AS t SET {assigned} FROM (VALUES {values}) AS v WHERE {found}");
                updated += changed(self, sql, piece, true).await?;
            }
            Ok(updated)
        })
    }

    fn delete<'a>(&'a mut self, delete: &'a Delete<'a>) -> DbFuture<'a, u64> {
        Box::pin(async move {
            let Delete { table, by, nulls, owner, rows } = delete;
            let null = nulls.iter().map(|column| format!(" AND {} IS NULL", QUOTES.column(column)));
            let mine = owner.iter().map(|(column, _)| format!(" AND {} = ?", QUOTES.column(column)));
            let rest = null.chain(mine).collect::<Vec<_>>().concat();
            let mut deleted = 0;
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let values = placeholders(piece.len() / rows.width.max(1), rows.width, |_| String::new());
                let (with, found) = among(by, "", &values);
                let sql = format!("{with}DELETE FROM {table} WHERE {found}{rest}");
                let owner = owner.map(|(_, owner)| Value::Text(owner.into()));
                let done = sqlx::query_with(AssertSqlSafe(sql), arguments(piece.iter().chain(owner.as_ref()))?);
                deleted += done.execute(&mut *self).await?.rows_affected();
            }
            Ok(deleted)
        })
    }

    fn read<'a>(&'a mut self, read: &'a Read<'a>, each: &'a mut (dyn FnMut(&dyn Row) + Send)) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let Read { select, by, nulls, rows, .. } = read;
            let qualified = |column: &str| format!("t.{}", QUOTES.column(column));
            let null: Vec<String> = nulls.iter().map(|column| format!("{} IS NULL", qualified(column))).collect();
            if rows.width == 0 {
                let sql = format!("{select} WHERE {}", null.join(" AND "));
                sqlx::query(AssertSqlSafe(sql)).fetch_all(self).await?.iter().for_each(|row| each(row));
                return Ok(());
            }

            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let values = placeholders(piece.len() / rows.width, rows.width, |_| String::new());
                let (with, found) = among(by, "t.", &values);
                let found = std::iter::once(&found).chain(&null).cloned().collect::<Vec<_>>().join(" AND ");
                let sql = format!("{with}{select} WHERE {found}");
                let query = sqlx::query_with(AssertSqlSafe(sql), arguments(piece)?);
                let mut found = query.fetch(&mut *self);
                while let Some(row) = found.try_next().await? {
                    each(&row);
                    // The driver's thread has allocated it.
                    MemoryScope::none().enter(|| drop(row));
                }
            }
            Ok(())
        })
    }

    fn find<'a>(&'a mut self, find: &'a Find<'a>) -> DbFuture<'a, Vec<(usize, Value<'static>)>> {
        Box::pin(async move {
            let Find { key, kind, from, by, rows } = find;
            let names = (0..by.len()).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
            let same = by.iter().enumerate().map(|(at, (column, _))| format!("{column} = {GIVEN}.c{at}"));
            let same = same.collect::<Vec<_>>().join(" AND ");
            let (mut found, mut before) = (Vec::new(), 0);
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let count = piece.len() / rows.width.max(1);
                let values = placeholders(count, rows.width, |row| format!("{},", before + row));
                let sql = format!(
                    "WITH {GIVEN} (n, {names}) AS (VALUES {values}) \
                     SELECT {GIVEN}.n, {key} FROM {GIVEN} JOIN {from} WHERE {same}"
                );

                for row in sqlx::query_with(AssertSqlSafe(sql), arguments(piece)?).fetch_all(&mut *self).await? {
                    let position: i64 = row.try_get(0)?;
                    let key = row.value(1, *kind).map_err(|error| sqlx::Error::Decode(error.into()))?;
                    found.push((usize::try_from(position).unwrap_or_default(), key.into_owned()));
                }
                before += count;
            }
            Ok(found)
        })
    }

    fn version(&mut self) -> DbFuture<'_, String> {
        Box::pin(async move {
            let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(self).await?;
            Ok(format!("SQLite {version}"))
        })
    }

    fn missing_privileges<'a>(&'a mut self, _: &'a str, to_write: bool) -> DbFuture<'a, Vec<&'static str>> {
        Box::pin(async move {
            if !to_write {
                return Ok(Vec::new());
            }
            // To write to a file that may not be written fails, even if the value does not change and is rolled back.
            let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *self).await?;
            sqlx::raw_sql("BEGIN").execute(&mut *self).await?;
            let probe = format!("PRAGMA user_version = {version}");
            let written = sqlx::raw_sql(AssertSqlSafe(probe)).execute(&mut *self).await;
            let ended = sqlx::raw_sql("ROLLBACK").execute(self).await;
            match written {
                Ok(_) => ended.map(|_| Vec::new()),
                Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with('8')) => {
                    Ok(vec!["write the file"])
                }
                Err(error) => Err(error),
            }
        })
    }

    fn missing_create_privileges<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<&'static str>> {
        self.missing_privileges(table, true)
    }
}

/// Queries for `SQLite` alone.
trait Counted {
    /// The largest row number ever used in a table that never reuses one.
    async fn counted(&mut self, table: &str) -> Result<i64, sqlx::Error>;
}

impl Counted for SqliteConnection {
    async fn counted(&mut self, table: &str) -> Result<i64, sqlx::Error> {
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'")
            .fetch_one(&mut *self)
            .await?;
        if kept == 0 {
            return Ok(0);
        }

        let name = table.rsplit('.').next().unwrap_or(table).trim_matches('"').replace("\"\"", "\"");
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?")
            .bind(name)
            .fetch_one(self)
            .await
    }
}
