//! `MySQL` and `MariaDB`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::OnceLock;

use diffsync_core::adapter::{AdapterError, TargetErrorKind};
use diffsync_core::value::{Url, redact_url};
use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Decode, MySql as Driver, Row as _, TypeInfo, ValueRef};

use super::quoting::Quotes;
use super::statement_limits::StatementLimits;
use super::url_options::refuse_unknown;
use super::{
    Column, Connection, Database, DbFuture, Delete, Engine, Find, Insert, Inserted, Read, TableBehavior, TypedColumn,
    UniqueKey, UniqueKeyRow, Update,
};
use crate::resource;
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind, whole_or_text};

mod canonical;
mod insert;

/// How many values one statement may hold: one less than the protocol can, for what is bound beside the rows.
const VALUES: usize = 65_534;

/// How many bytes of values one statement holds, about, where the server takes more.
const BYTES: usize = 4 << 20;

const QUOTES: Quotes = Quotes('`');

/// The options that the driver knows.
const OPTIONS: [&str; 14] = [
    "sslmode",
    "ssl-mode",
    "sslca",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "charset",
    "collation",
    "statement-cache-capacity",
    "socket",
    "timezone",
    "time-zone",
];

/// A server.
pub(crate) struct MySql {
    options: MySqlConnectOptions,
    /// The collation of texts in created tables, once a server has reported which ones it offers.
    exact: OnceLock<String>,
}

/// The collations that distinguish all texts, including those that differ only in trailing spaces.
const EXACT: &str = "SELECT CAST(collation_name AS CHAR) FROM information_schema.collations
    WHERE collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin') LIMIT 1";

/// The nearest to them on servers that are older.
const PADDED: &str = "utf8mb4_bin";

impl MySql {
    pub(crate) fn at(url: &Url) -> Result<Self, AdapterError> {
        refuse_unknown(url, &OPTIONS)?;
        let unusable =
            |error| AdapterError::context(format!("`{}` is not the URL of a MySQL database", redact_url(url)), error);
        let options = MySqlConnectOptions::from_str(url.as_str()).map_err(unusable)?;
        Ok(Self { options: options.disable_statement_logging(), exact: OnceLock::new() })
    }
}

impl Database for MySql {
    fn engine(&self) -> Engine {
        Engine::MySql
    }

    fn resource(&self) -> String {
        let options = &self.options;
        let socket = options.get_socket().map(std::path::PathBuf::as_path);
        resource::of_database("mysql", options.get_host(), options.get_port(), socket, options.get_database())
    }

    fn quotes(&self) -> Quotes {
        QUOTES
    }

    fn connect(&self, _: bool) -> DbFuture<'_, Box<dyn Connection>> {
        Box::pin(async move {
            let mut connection = self.options.connect().await?;
            // Strict, or what does not fit is cut off without a word; and a key of 0 is stored as 0, not as the next number.
            let modes = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO')";
            sqlx::raw_sql(modes).execute(&mut connection).await?;
            if self.exact.get().is_none() {
                let offered: Option<String> = sqlx::query_scalar(EXACT).fetch_optional(&mut connection).await?;
                self.exact.get_or_init(|| offered.unwrap_or_else(|| PADDED.into()));
            }

            let (packet, version): (u64, String) =
                sqlx::query_as("SELECT CAST(@@max_allowed_packet AS UNSIGNED), CAST(VERSION() AS CHAR)")
                    .fetch_one(&mut connection)
                    .await?;
            let packet = usize::try_from(packet).unwrap_or(usize::MAX);
            // Something is sent beside the values.
            let largest = (packet.saturating_sub(4 << 10), "its packet (`max_allowed_packet`) accepts at most");
            let limits = StatementLimits { values: VALUES, bytes: BYTES.min(packet / 2), largest, byte: 1 };
            Ok(Box::new(Connected { driver: connection, limits, returns: returns(&version) }) as Box<dyn Connection>)
        })
    }

    fn select_expression(&self, column: &Column, qualified: &str, kind: ValueKind) -> Result<String, String> {
        let ty = column.ty.as_str();
        let is_int = matches!(ty, "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year");
        let is_float = matches!(ty, "float" | "double");
        let is_text =
            matches!(ty, "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set");
        let is_bytes = canonical::is_bytes(ty);
        let plain = match kind {
            ValueKind::Bool | ValueKind::Int16 | ValueKind::Int32 | ValueKind::Int64 | ValueKind::Unsigned64 => is_int,
            ValueKind::Float32 | ValueKind::Float64 => is_float,
            ValueKind::Text | ValueKind::Json | ValueKind::Uuid => is_text,
            ValueKind::Bytes => is_bytes,
        };

        if plain {
            return Ok(qualified.to_owned());
        }

        match kind {
            ValueKind::Bool if ty == "bit" => Ok(format!("CAST({qualified} AS UNSIGNED)")),
            ValueKind::Float32 | ValueKind::Float64 if ty == "decimal" => Ok(format!("({qualified} + 0e0)")),
            kind if kind.is_int() && ty == "decimal" => Ok(self.text_expression(qualified)),
            ValueKind::Text if !is_bytes => Ok(self.text_expression(qualified)),
            ValueKind::Json if ty == "json" => Ok(self.text_expression(qualified)),
            ValueKind::Uuid if ty == "uuid" => Ok(self.text_expression(qualified)),
            _ => Err(format!("is of type `{ty}`, where {} is expected", kind.noun())),
        }
    }

    fn text_expression(&self, expression: &str) -> String {
        text_expression(expression)
    }

    fn column_type(&self, kind: ValueKind, in_key: bool) -> String {
        let ty = match kind {
            ValueKind::Bool => "BOOLEAN",
            ValueKind::Int16 => "SMALLINT",
            ValueKind::Int32 => "INT",
            ValueKind::Int64 => "BIGINT",
            ValueKind::Unsigned64 => "BIGINT UNSIGNED",
            ValueKind::Float32 => "FLOAT",
            ValueKind::Float64 => "DOUBLE",
            ValueKind::Text if in_key => "VARCHAR(191)",
            ValueKind::Text => "LONGTEXT",
            ValueKind::Bytes if in_key => "VARBINARY(255)",
            ValueKind::Bytes => "LONGBLOB",
            ValueKind::Json => "JSON",
            ValueKind::Uuid => "CHAR(36)",
        };

        match kind {
            // A collation that considers two texts equal would reject the second of two records.
            ValueKind::Text | ValueKind::Uuid => {
                let exact = self.exact.get().map_or(PADDED, String::as_str);
                format!("{ty} CHARACTER SET utf8mb4 COLLATE {exact}")
            }
            _ => ty.into(),
        }
    }

    fn key_kind(&self, column: &Column) -> ValueKind {
        // A cast to text would damage bytes that are no text.
        if canonical::is_bytes(&column.ty) { ValueKind::Bytes } else { ValueKind::Text }
    }

    fn key_type(&self, kind: ValueKind) -> String {
        match kind {
            kind if kind.is_int() => "BIGINT AUTO_INCREMENT PRIMARY KEY".into(),
            kind => format!("{} DEFAULT (uuid()) PRIMARY KEY", self.column_type(kind, true)),
        }
    }

    fn begin_snapshot(&self) -> &'static [&'static str] {
        &["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"]
    }

    fn begin(&self) -> &'static str {
        "START TRANSACTION"
    }

    fn stores_exactly(&self, _: &Column, _: ValueKind, _: &Value<'_>) -> bool {
        // A trigger may change it, and shows only to a login with the right to make triggers.
        false
    }

    fn rolled_back(&self, error: &dyn sqlx::error::DatabaseError) -> bool {
        let number = error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
        // Going down, a lost connection, killed.
        !matches!(number, 0 | 1053 | 1158..=1161 | 1927 | 2006 | 2013 | 4031)
    }

    fn error_kind(&self, error: &dyn sqlx::error::DatabaseError) -> TargetErrorKind {
        match error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number) {
            // Too many connections, going down, killed, a lock, a deadlock, changed by another since it was read.
            1040 | 1053 | 1158..=1161 | 1203 | 1205 | 1213 | 1020 | 1927 | 2006 | 2013 | 3024 | 4031 => {
                TargetErrorKind::Transient
            }
            // Refused, no such database or table or column, no rights, read-only, full, what is missing.
            1021 | 1044 | 1045 | 1049 | 1054 | 1114 | 1142 | 1143 | 1146 | 1227 | 1290 | 1698 | 1792 | 1836 | 3118 => {
                TargetErrorKind::Fatal
            }
            _ => TargetErrorKind::Record,
        }
    }

    fn aborts_transaction(&self, error: &dyn sqlx::error::DatabaseError) -> bool {
        // A deadlock.
        error.try_downcast_ref::<MySqlDatabaseError>().is_some_and(|error| error.number() == 1213)
    }
}

/// An expression as text.
fn text_expression(expression: &str) -> String {
    format!("CAST({expression} AS CHAR)")
}

fn arguments<'v>(values: impl IntoIterator<Item = &'v Value<'v>>) -> Result<MySqlArguments, sqlx::Error> {
    let mut arguments = MySqlArguments::default();
    for value in values {
        let added = match value {
            // A text, which converts to every type: MariaDB stores no null of a numeric type in a `UUID`.
            Value::Null => arguments.add(None::<&str>),
            Value::Bool(value) => arguments.add(*value),
            Value::Int(value) => arguments.add(*value),
            Value::Unsigned(value) => arguments.add(*value),
            Value::Float(value) if !value.is_finite() => Err(format!("MySQL cannot store {value}").into()),
            Value::Float(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(&**value),
            Value::Bytes(value) => arguments.add(&**value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }

    Ok(arguments)
}

/// A connection, and what the server takes.
struct Connected {
    driver: MySqlConnection,
    limits: StatementLimits,
    /// Whether an insert returns what was stored.
    returns: bool,
}

/// Whether a server of this version has `INSERT … RETURNING`, as `MariaDB` since 10.5.
fn returns(version: &str) -> bool {
    // MariaDB puts this prefix before its version, for old clients.
    let number = version.trim_start_matches("5.5.5-");
    let mut parts = number.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    version.contains("MariaDB") && (parts.next(), parts.next()) >= (Some(10), Some(5))
}

/// `(?,?),(?,?)`.
fn placeholders(rows: usize, width: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    vec![row; rows].join(",")
}

/// The condition that finds rows by these columns. The values that are compared exactly are bound once more, at the end.
fn condition(by: &[TypedColumn], nulls: &[&'static str]) -> String {
    let found = by.iter().map(|column| format!("{} = ?", QUOTES.column(column.name)));
    let null = nulls.iter().map(|column| format!("{} IS NULL", QUOTES.column(column)));
    let exactly = by.iter().filter(|column| column.compared_exactly);
    let exactly = exactly.map(|column| format!("{} = {}", as_bytes(&QUOTES.column(column.name)), as_bytes("?")));
    found.chain(null).chain(exactly).collect::<Vec<_>>().join(" AND ")
}

/// The bytes of a text, in any character set and collation.
fn as_bytes(text: &str) -> String {
    format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)")
}

/// The values that are compared exactly, of rows that have these columns at their end.
fn exact_values<'v>(by: &[TypedColumn], rows: &'v [Value<'v>], width: usize) -> impl Iterator<Item = &'v Value<'v>> {
    let before = width.saturating_sub(by.len());
    let places: Vec<usize> =
        by.iter().enumerate().filter(|(_, column)| column.compared_exactly).map(|(at, _)| before + at).collect();
    rows.chunks(width.max(1)).flat_map(move |row| places.iter().filter_map(|at| row.get(*at)).collect::<Vec<_>>())
}

/// The schema of a table, if it is given, and the table's own name.
fn parts(table: &str) -> (Option<&str>, &str) {
    table.split_once('.').map_or((None, table), |(schema, table)| (Some(schema), table))
}

impl Connection for Connected {
    fn execute<'a>(&'a mut self, sql: &'a str) -> DbFuture<'a, ()> {
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.driver).await.map(drop) })
    }

    fn rows<'a>(&'a mut self, sql: &'a str, each: &'a mut (dyn FnMut(&dyn Row) -> bool + Send)) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.driver);
            while let Some(row) = rows.try_next().await? {
                if !each(&row) {
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
            let mut rows = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch(&mut self.driver);
            while let Some(row) = rows.try_next().await? {
                each(&row);
            }
            Ok(())
        })
    }

    fn columns<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<Column>> {
        const SQL: &str = "
            SELECT CAST(column_name AS CHAR), CAST(data_type AS CHAR), CAST(extra AS CHAR)
            FROM information_schema.columns
            WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position";
        Box::pin(async move {
            let (schema, name) = parts(table);
            let rows: Vec<(String, String, String)> =
                sqlx::query_as(SQL).bind(schema).bind(name).fetch_all(&mut self.driver).await?;
            let column = |(name, ty, extra): (String, String, String)| {
                let default = extra.contains("auto_increment").then_some(extra);
                Column { name, ty: ty.to_lowercase(), default }
            };
            Ok(rows.into_iter().map(column).collect())
        })
    }

    fn tables(&mut self) -> DbFuture<'_, Vec<String>> {
        const SQL: &str =
            "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1";
        Box::pin(async move { sqlx::query_scalar(SQL).fetch_all(&mut self.driver).await })
    }

    fn behavior<'a>(&'a mut self, _: &'a str) -> DbFuture<'a, TableBehavior> {
        // A trigger shows only to a login with the right to make triggers, so there may always be one. None can keep a row
        // that is deleted: a trigger must not write to its own table there.
        Box::pin(async { Ok(TableBehavior { may_alter_values: true, ..TableBehavior::default() }) })
    }

    fn unique_keys<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<UniqueKey>> {
        const SQL: &str = "
            SELECT CAST(s.index_name AS CHAR), CAST(s.column_name AS CHAR), COALESCE(c.is_nullable = 'YES', FALSE), TRUE,
                   s.sub_part IS NULL AND s.column_name IS NOT NULL, ''
            FROM information_schema.statistics s LEFT JOIN information_schema.columns c
                 ON c.table_schema = s.table_schema AND c.table_name = s.table_name AND c.column_name = s.column_name
            WHERE s.table_schema = COALESCE(?, DATABASE()) AND s.table_name = ? AND s.non_unique = 0
            ORDER BY s.index_name, s.seq_in_index";
        Box::pin(async move {
            let (schema, name) = parts(table);
            let rows: Vec<UniqueKeyRow> =
                sqlx::query_as(SQL).bind(schema).bind(name).fetch_all(&mut self.driver).await?;
            Ok(UniqueKey::from_rows(&rows))
        })
    }

    fn insert<'a>(&'a mut self, insert: &'a Insert<'a>) -> DbFuture<'a, Inserted> {
        Box::pin(async move {
            if self.returns { self.insert_returning(insert).await } else { self.insert_counting(insert).await }
        })
    }

    fn update<'a>(&'a mut self, update: &'a Update<'a>) -> DbFuture<'a, u64> {
        Box::pin(async move {
            let Update { table, set, by, nulls, rows, .. } = update;
            let assigned = set.iter().map(|column| format!("{} = ?", QUOTES.column(column.name)));
            let assigned = assigned.collect::<Vec<_>>().join(", ");
            let found = condition(by, nulls);
            let sql = format!("UPDATE {table} SET {assigned} WHERE {found}");
            let mut updated = 0;
            for row in rows.rows() {
                self.limits.row_bytes(row)?;
                let arguments = arguments(row.iter().chain(exact_values(by, row, rows.width)))?;
                let done = sqlx::query_with(AssertSqlSafe(sql.as_str()), arguments).execute(&mut self.driver).await?;
                updated += done.rows_affected();
            }
            Ok(updated)
        })
    }

    fn delete<'a>(&'a mut self, delete: &'a Delete<'a>) -> DbFuture<'a, u64> {
        Box::pin(async move {
            let Delete { table, by, nulls, owner, rows } = delete;
            let columns = QUOTES.columns(by.iter().map(|column| column.name));
            let null = nulls.iter().map(|column| format!(" AND {} IS NULL", QUOTES.column(column)));
            let mine = owner.iter().map(|(column, _)| format!(" AND {} = ?", QUOTES.column(column)));
            let rest = null.chain(mine).collect::<Vec<_>>().concat();
            let exact_columns = by.iter().filter(|column| column.compared_exactly);
            let exact_columns: Vec<String> =
                exact_columns.map(|column| as_bytes(&QUOTES.column(column.name))).collect();
            let exact_row = format!("({})", vec![as_bytes("?"); exact_columns.len()].join(", "));

            // Exactly compared values are bound twice.
            let halved =
                StatementLimits { values: self.limits.values / 2, bytes: self.limits.bytes / 2, ..self.limits };
            let limits = if exact_columns.is_empty() { self.limits } else { halved };

            let mut deleted = 0;
            for piece in limits.chunks(&rows.values, rows.width)? {
                let count = piece.len() / rows.width.max(1);
                let values = placeholders(count, rows.width);
                let mut sql = format!("DELETE FROM {table} WHERE ({columns}) IN ({values}){rest}");
                if !exact_columns.is_empty() {
                    let values = vec![exact_row.as_str(); count].join(", ");
                    // Writing to a text cannot fail.
                    let _ = write!(sql, " AND ({}) IN ({values})", exact_columns.join(", "));
                }

                let owner = owner.map(|(_, owner)| Value::Text(owner.into()));
                let bound = piece.iter().chain(owner.as_ref()).chain(exact_values(by, piece, rows.width));
                let done = sqlx::query_with(AssertSqlSafe(sql), arguments(bound)?);
                deleted += done.execute(&mut self.driver).await?.rows_affected();
            }
            Ok(deleted)
        })
    }

    fn read<'a>(&'a mut self, read: &'a Read<'a>, each: &'a mut (dyn FnMut(&dyn Row) + Send)) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let Read { select, by, nulls, rows, locks } = read;
            let lock = if *locks { " FOR UPDATE" } else { "" };
            let qualified = |column: &str| format!("t.{}", QUOTES.column(column));
            let null: Vec<String> = nulls.iter().map(|column| format!("{} IS NULL", qualified(column))).collect();
            if rows.width == 0 {
                let sql = format!("{select} WHERE {}{lock}", null.join(" AND "));
                sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.driver).await?.iter().for_each(|row| each(row));
                return Ok(());
            }

            let columns = by.iter().map(|column| qualified(column.name)).collect::<Vec<_>>().join(", ");
            for piece in self.limits.chunks(&rows.values, rows.width)? {
                let values = placeholders(piece.len() / rows.width, rows.width);
                let found = format!("({columns}) IN ({values})");
                let found = std::iter::once(&found).chain(&null).cloned().collect::<Vec<_>>().join(" AND ");
                let sql = format!("{select} WHERE {found}{lock}");
                let mut found = sqlx::query_with(AssertSqlSafe(sql), arguments(piece)?).fetch(&mut self.driver);
                while let Some(row) = found.try_next().await? {
                    each(&row);
                }
            }
            Ok(())
        })
    }

    fn find<'a>(&'a mut self, find: &'a Find<'a>) -> DbFuture<'a, Vec<(usize, Value<'static>)>> {
        Box::pin(async move {
            let Find { key, kind, from, by, rows } = find;
            let shown = by.iter().map(|(column, ty)| format!(", {}", canonical::shown(column, ty)));
            let shown = shown.collect::<Vec<_>>().concat();
            let key = if *kind == ValueKind::Bytes { (*key).to_owned() } else { self::text_expression(key) };
            let columns = by.iter().map(|(column, _)| column.as_str()).collect::<Vec<_>>().join(", ");
            // A collation may call other texts equal: the found value must be the requested one, in the form that
            // the types of the columns have for it.
            let canonical = |row: &[Value<'_>]| -> Vec<String> {
                row.iter().zip(*by).map(|(value, (_, ty))| canonical::of(ty, value)).collect()
            };

            let mut wanted: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
            for (at, row) in rows.rows().enumerate() {
                wanted.entry(canonical(row)).or_default().push(at);
            }
            let mut found = Vec::new();
            for piece in self.limits.chunks(&rows.values, rows.width)? {
                let values = placeholders(piece.len() / rows.width.max(1), rows.width);
                let sql = format!("SELECT {key}{shown} FROM {from} WHERE ({columns}) IN ({values})");
                for row in sqlx::query_with(AssertSqlSafe(sql), arguments(piece)?).fetch_all(&mut self.driver).await? {
                    let key = row.value(0, *kind).map_err(|error| sqlx::Error::Decode(error.into()))?.into_owned();
                    let parts: Vec<String> = (0..by.len()).map(|at| row.try_get(at + 1)).collect::<Result<_, _>>()?;
                    let parts: Vec<Value<'_>> = parts.into_iter().map(|part| Value::Text(part.into())).collect();
                    let parts = canonical(&parts);
                    let places = wanted.get(&parts).map_or(&[][..], Vec::as_slice);
                    found.extend(places.iter().map(|at| (*at, key.clone())));
                }
            }
            Ok(found)
        })
    }

    fn version(&mut self) -> DbFuture<'_, String> {
        Box::pin(async move {
            let version: String =
                sqlx::query_scalar("SELECT CAST(VERSION() AS CHAR)").fetch_one(&mut self.driver).await?;
            Ok(if version.contains("MariaDB") { version } else { format!("MySQL {version}") })
        })
    }

    fn missing_privileges<'a>(&'a mut self, table: &'a str, to_write: bool) -> DbFuture<'a, Vec<&'static str>> {
        // A statement without the necessary right is refused even if it affects no row.
        Box::pin(async move {
            let quoted = QUOTES.table(table);
            let columns = self.columns(table).await?;
            let column = columns.first().map(|column| QUOTES.column(&column.name)).unwrap_or_default();
            let mut probes = vec![("SELECT", format!("SELECT 1 FROM {quoted} WHERE 1 = 0"))];
            if to_write {
                probes.push((
                    "INSERT",
                    format!("INSERT INTO {quoted} ({column}) SELECT {column} FROM {quoted} WHERE 1 = 0"),
                ));
                probes.push(("UPDATE", format!("UPDATE {quoted} SET {column} = {column} WHERE 1 = 0")));
                probes.push(("DELETE", format!("DELETE FROM {quoted} WHERE 1 = 0")));
            }
            let mut missing_privileges = Vec::new();
            for (right, sql) in probes {
                match self.execute(&sql).await {
                    Err(sqlx::Error::Database(error)) => {
                        let number =
                            error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
                        // Any other error has another cause than a missing right.
                        missing_privileges.extend(matches!(number, 1142 | 1143 | 1290 | 1792 | 1836).then_some(right));
                    }
                    done => done?,
                }
            }
            Ok(missing_privileges)
        })
    }

    fn missing_create_privileges<'a>(&'a mut self, _: &'a str) -> DbFuture<'a, Vec<&'static str>> {
        // No query that leaves no trace respects the privileges of roles.
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl Row for MySqlRow {
    fn value(&self, position: usize, kind: ValueKind) -> Result<Value<'_>, String> {
        let unreadable = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
        let raw = self.try_get_raw(position).map_err(|error| unreadable(&error))?;
        if raw.is_null() {
            return Ok(Value::Null);
        }

        let info = raw.type_info();
        let name = info.name();
        let (is_unsigned, is_int) = (name.ends_with("UNSIGNED"), name.contains("INT"));
        let (is_year, is_bool) = (name == "YEAR", name == "BOOLEAN");
        let (is_single, is_double) = (name == "FLOAT", name == "DOUBLE");
        if is_unsigned || is_year {
            let value = <u64 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?;
            return Ok(i64::try_from(value).map_or(Value::Unsigned(value), Value::Int));
        }

        if is_int || is_bool {
            return Ok(Value::Int(<i64 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?));
        }
        if is_single {
            return Ok(Value::Float(
                <f32 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?.into(),
            ));
        }

        if is_double {
            return Ok(Value::Float(<f64 as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?));
        }
        if kind == ValueKind::Bytes {
            return Ok(Value::Bytes(
                <&[u8] as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?.into(),
            ));
        }

        let text = <&str as Decode<'_, Driver>>::decode(raw).map_err(|error| unreadable(&error))?;
        whole_or_text(text, kind)
    }
}
