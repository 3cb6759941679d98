//! `PostgreSQL`.
//!
//! Values are written as text, which every type can be read from: the server turns them into what its columns hold. So
//! columns may be of any type, its own included.

use std::fmt::Write;
use std::str::FromStr;

use diffsync_core::adapter::{AdapterError, TargetErrorKind};
use diffsync_core::value::{Url, redact_url};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::query::{Query, QueryScalar};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Postgres as Driver, Row as _};

use super::quoting::Quotes;
use super::statement_limits::StatementLimits;
use super::url_options::refuse_unknown;
use super::{
    Column, Connection, Database, DbFuture, Delete, Engine, Find, Insert, Inserted, Read, TableBehavior, TypedColumn,
    UniqueKey, Update,
};
use crate::resource;
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind, whole_or_text};

mod catalogue;
mod copy;
mod row;

const QUOTES: Quotes = Quotes('"');

/// The limits of a statement. A message to the server is limited to a GiB, and much less is enough to be fast.
const STATEMENT_LIMITS: StatementLimits = StatementLimits {
    values: usize::MAX,
    bytes: 16 << 20,
    largest: (1_000_000_000, "PostgreSQL accepts at most"),
    byte: 2,
};

/// The options that the driver knows.
const OPTIONS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The text form of values must not depend on the server's settings. They are set in each transaction, not for the
/// connection: through a pooler, the next transaction may belong to another client.
macro_rules! with_settings {
    ($begin:literal) => {
        concat!(
            $begin,
            "; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'iso_8601'; \
             SET LOCAL extra_float_digits = 3"
        )
    };
}

/// A server.
pub(crate) struct Postgres {
    options: PgConnectOptions,
}

impl Postgres {
    pub(crate) fn at(url: &Url) -> Result<Self, AdapterError> {
        refuse_unknown(url, &OPTIONS)?;
        let options = PgConnectOptions::from_str(url.as_str()).map_err(|error| {
            AdapterError::context(format!("`{}` is not the URL of a PostgreSQL database", redact_url(url)), error)
        })?;

        // A pooler refuses a connection that asks for what it does not know, so it is set in each transaction.
        let options = options.extra_float_digits(None);
        let is_named = options.get_application_name().is_some();
        let options = if is_named { options } else { options.application_name("diffsync") };
        Ok(Self { options: options.disable_statement_logging() })
    }
}

impl Database for Postgres {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn resource(&self) -> String {
        let options = &self.options;
        let socket = options.get_socket().map(std::path::PathBuf::as_path);
        resource::of_database("postgres", options.get_host(), options.get_port(), socket, options.get_database())
    }

    fn quotes(&self) -> Quotes {
        QUOTES
    }

    fn connect(&self, _: bool) -> DbFuture<'_, Box<dyn Connection>> {
        Box::pin(async move { Ok(Box::new(self.options.connect().await?) as Box<dyn Connection>) })
    }

    fn select_expression(&self, column: &Column, qualified: &str, kind: ValueKind) -> Result<String, String> {
        let ty = column.ty.as_str();
        let is_int = matches!(ty, "smallint" | "integer" | "bigint");
        let is_float = matches!(ty, "real" | "double precision");
        let plain = match kind {
            ValueKind::Bool => ty == "boolean",
            ValueKind::Int16 | ValueKind::Int32 | ValueKind::Int64 | ValueKind::Unsigned64 => is_int,
            ValueKind::Float32 | ValueKind::Float64 => is_float,
            ValueKind::Text => matches!(ty, "text" | "character varying"),
            ValueKind::Bytes => ty == "bytea",
            ValueKind::Json | ValueKind::Uuid => ty == "text",
        };

        if plain {
            return Ok(qualified.to_owned());
        }

        let as_text = match kind {
            ValueKind::Bool | ValueKind::Bytes => false,
            ValueKind::Int16 | ValueKind::Int32 | ValueKind::Int64 | ValueKind::Unsigned64 => ty == "numeric",
            ValueKind::Float32 | ValueKind::Float64 => {
                if ty == "numeric" {
                    return Ok(format!("{qualified}::float8"));
                }
                false
            }
            ValueKind::Text if ty == "bytea" => false,
            ValueKind::Text if has_plain_cast(ty) => true,
            // A cast of an `inet` to text adds the mask that it is not shown with; types of the user's own may have such a
            // cast, too.
            ValueKind::Text => return Ok(format!("CASE WHEN {qualified} IS NOT NULL THEN concat({qualified}) END")),
            ValueKind::Json => matches!(ty, "json" | "jsonb" | "character varying"),
            ValueKind::Uuid => matches!(ty, "uuid" | "character varying" | "bpchar"),
        };

        if as_text {
            Ok(self.text_expression(qualified))
        } else {
            Err(format!("is of type `{ty}`, where {} is expected", kind.noun()))
        }
    }

    fn text_expression(&self, expression: &str) -> String {
        format!("{expression}::text")
    }

    fn column_type(&self, kind: ValueKind, _: bool) -> String {
        match kind {
            ValueKind::Bool => "boolean",
            ValueKind::Int16 => "smallint",
            ValueKind::Int32 => "integer",
            ValueKind::Int64 => "bigint",
            ValueKind::Unsigned64 => "numeric(20)",
            ValueKind::Float32 => "real",
            ValueKind::Float64 => "double precision",
            ValueKind::Text => "text",
            ValueKind::Bytes => "bytea",
            ValueKind::Json => "jsonb",
            ValueKind::Uuid => "uuid",
        }
        .into()
    }

    fn key_type(&self, kind: ValueKind) -> String {
        match kind {
            kind if kind.is_int() => "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY".into(),
            kind => format!("{} PRIMARY KEY DEFAULT gen_random_uuid()", self.column_type(kind, true)),
        }
    }

    fn begin_snapshot(&self) -> &'static [&'static str] {
        &[with_settings!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")]
    }

    fn begin(&self) -> &'static str {
        with_settings!("BEGIN")
    }

    fn begin_check(&self) -> Option<&'static str> {
        // Through a pooler, a statement is prepared and carried out on one connection only in a transaction.
        Some("BEGIN READ ONLY")
    }

    fn rolled_back(&self, error: &dyn sqlx::error::DatabaseError) -> bool {
        let code = error.code().unwrap_or_default();
        // A lost connection, an unknown end of the statement, a server that goes down.
        !(code.starts_with("08") || code.starts_with("57P") || code == "40003")
    }

    fn describe_error(&self, error: &dyn sqlx::error::DatabaseError) -> String {
        // The driver adds a line of the server's source.
        error.message().to_owned()
    }

    fn stores_exactly(&self, column: &Column, kind: ValueKind, value: &Value<'_>) -> bool {
        catalogue::stores_exactly(&column.ty, kind, value)
    }

    fn error_kind(&self, error: &dyn sqlx::error::DatabaseError) -> TargetErrorKind {
        let code = error.code().unwrap_or_default();
        let class = code.get(..2).unwrap_or_default();
        match (class, &*code) {
            // A value that is too large for the server's memory, or a limit that is set, is so each time.
            (_, "53400") => TargetErrorKind::Record,
            (_, "XX000") if error.message().starts_with("invalid memory alloc request size") => TargetErrorKind::Record,
            ("08", _) if error.message().starts_with("invalid message length") => TargetErrorKind::Record,
            // The disk is full.
            (_, "53100") => TargetErrorKind::Fatal,
            // A lost connection, a transaction to be tried again, too few resources, a server that goes down or comes up.
            ("08" | "40" | "53", _) | (_, "25P03" | "55P03" | "57P01" | "57P02" | "57P03" | "57P05") => {
                TargetErrorKind::Transient
            }
            // A refused login, no such database, schema or table, no rights, a transaction that may only read.
            ("28" | "3D" | "3F" | "58" | "XX" | "F0", _) | (_, "25006" | "42501" | "42P01" | "42703") => {
                TargetErrorKind::Fatal
            }
            _ => TargetErrorKind::Record,
        }
    }
}

/// Whether a cast of this type to text gives what a query shows of it, or what is nearer to what was written: a `char(n)`
/// without the spaces that fill it up.
fn has_plain_cast(ty: &str) -> bool {
    matches!(
        ty,
        "boolean" | "bpchar" | "cidr" | "date" | "json" | "jsonb" | "numeric" | "real" | "double precision" | "uuid"
    ) || matches!(ty, "smallint" | "integer" | "bigint" | "interval" | "macaddr" | "money" | "name")
        || ty.starts_with("time")
}

/// Writes a value as the server reads it.
fn text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(value) => value.clone().into_owned(),
        Value::Bytes(value) => {
            let mut hex = String::with_capacity(2 + value.len() * 2);
            hex.push_str("\\x");
            for byte in &**value {
                let _ = write!(hex, "{byte:02x}");
            }
            hex
        }
    })
}

/// The columns of rows, each as one array of texts.
fn arrays(rows: &[Value<'_>], width: usize) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for column in 0..width {
        let texts: Vec<Option<String>> = rows.iter().skip(column).step_by(width).map(text).collect();
        arguments.add(texts).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// A statement that is not kept prepared under a name: a pooler gives the server's connection to another client after
/// each transaction, and the name with it.
fn query(sql: &str, arguments: PgArguments) -> Query<'_, Driver, PgArguments> {
    sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false)
}

/// The same for a query of one value.
fn scalar<'q, T>(sql: &'q str) -> QueryScalar<'q, Driver, T, PgArguments>
where
    (T,): for<'r> sqlx::FromRow<'r, PgRow>,
{
    sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false)
}

/// The arguments of `unnest`, which turns arrays into rows.
fn unnested(width: usize) -> String {
    (1..=width).map(|at| format!("${at}::text[]")).collect::<Vec<_>>().join(", ")
}

fn names(width: usize) -> String {
    (0..width).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ")
}

/// The keys that the column gives by default.
async fn drawn(
    connection: &mut PgConnection,
    default: &str,
    kind: ValueKind,
    count: usize,
) -> Result<Vec<Value<'static>>, sqlx::Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if kind.is_int() {
        let sql = format!("SELECT ({default})::int8 FROM generate_series(1, $1)");
        let keys: Vec<i64> = scalar(&sql).bind(count).fetch_all(connection).await?;
        return Ok(keys.into_iter().map(Value::Int).collect());
    }

    let sql = format!("SELECT ({default})::text FROM generate_series(1, $1)");
    let keys: Vec<String> = scalar(&sql).bind(count).fetch_all(connection).await?;
    Ok(keys.into_iter().map(|key| Value::Text(key.into())).collect())
}

/// `t.a = v.c2::text` for each column, with an exact comparison too where necessary.
fn same(by: &[TypedColumn], before: usize) -> impl Iterator<Item = String> {
    by.iter().enumerate().map(move |(at, TypedColumn { name, ty, compared_exactly })| {
        let (name, at) = (QUOTES.column(name), before + at);
        let exactly =
            if *compared_exactly { format!(" AND t.{name}::text COLLATE \"C\" = v.c{at}") } else { String::new() };
        format!("t.{name} = v.c{at}::{ty}{exactly}")
    })
}

fn condition(by: &[TypedColumn], before: usize, nulls: &[&'static str]) -> String {
    let null = nulls.iter().map(|column| format!("t.{} IS NULL", QUOTES.column(column)));
    same(by, before).chain(null).collect::<Vec<_>>().join(" AND ")
}

impl Connection for PgConnection {
    fn execute<'a>(&'a mut self, sql: &'a str) -> DbFuture<'a, ()> {
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(sql)).execute(self).await.map(drop) })
    }

    fn rows<'a>(&'a mut self, sql: &'a str, each: &'a mut (dyn FnMut(&dyn Row) -> bool + Send)) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let mut rows = query(sql, PgArguments::default()).fetch(self);
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
            let mut arguments = PgArguments::default();
            for value in values {
                arguments.add(text(value)).map_err(sqlx::Error::Encode)?;
            }
            let mut rows = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch(self);
            while let Some(row) = rows.try_next().await? {
                each(&row);
            }
            Ok(())
        })
    }

    fn columns<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<Column>> {
        const SQL: &str = "
            SELECT a.attname::text, format_type(a.atttypid, -1),
                   CASE WHEN a.attidentity <> '' THEN format('nextval(%L)', pg_get_serial_sequence($1, a.attname))
                        ELSE pg_get_expr(d.adbin, d.adrelid) END
            FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum";
        Box::pin(async move {
            let rows: Vec<(String, String, Option<String>)> =
                sqlx::query_as(SQL).persistent(false).bind(QUOTES.table(table)).fetch_all(self).await?;
            Ok(rows.into_iter().map(|(name, ty, default)| Column { name, ty, default }).collect())
        })
    }

    fn tables(&mut self) -> DbFuture<'_, Vec<String>> {
        const SQL: &str = "
            SELECT CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            ORDER BY n.nspname <> current_schema(), 1";
        Box::pin(async move { scalar(SQL).fetch_all(self).await })
    }

    fn behavior<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, TableBehavior> {
        Box::pin(catalogue::behavior(self, table))
    }

    fn unique_keys<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<UniqueKey>> {
        Box::pin(catalogue::unique_keys(self, table))
    }

    fn insert<'a>(&'a mut self, insert: &'a Insert<'a>) -> DbFuture<'a, Inserted> {
        Box::pin(async move {
            let Insert { table, columns, key, behavior, rows, .. } = insert;
            let mut names = QUOTES.columns(columns.iter().map(|column| column.name));
            let (mut keys, mut key_type) = (None, None);
            if let Some((column, kind)) = key
                && let Some(default) = &column.default
            {
                keys = Some(drawn(self, default, *kind, rows.len()).await?);
                key_type = Some(column.ty.as_str());
                names = format!("{}, {names}", QUOTES.column(&column.name));
            }

            if matches!(behavior.copy_support, Some(Ok(()))) {
                let into = format!("{table} ({names})");
                let taken = copy::copied(self, &into, rows, keys.as_deref()).await?;
                return Ok(Inserted { rows: Some(taken), keys, altered: None });
            }

            // A key that the column always gives by itself was given by it just now.
            let given = if key_type.is_some() { " OVERRIDING SYSTEM VALUE" } else { "" };
            let types: Vec<&str> =
                key_type.into_iter().chain(columns.iter().map(|column| column.ty.as_str())).collect();
            let values: Vec<String> = types.iter().enumerate().map(|(at, ty)| format!("v.c{at}::{ty}")).collect();
            let sql = format!(
                "INSERT INTO {table} ({names}){given} SELECT {} FROM unnest({}) AS v ({})",
                values.join(", "),
                unnested(types.len()),
                self::names(types.len())
            );

            let (mut taken, mut before) = (0, 0);
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let count = piece.len() / rows.width.max(1);
                let mut with_keys = Vec::new();
                if let Some(keys) = &keys {
                    let keys = keys.iter().skip(before).take(count);
                    let keyed = keys.zip(piece.chunks(rows.width.max(1)));
                    with_keys.extend(keyed.flat_map(|(key, row)| std::iter::once(key).chain(row)).cloned());
                }

                let piece = if keys.is_some() { &*with_keys } else { piece };
                taken += query(&sql, arrays(piece, types.len())?).execute(&mut *self).await?.rows_affected();
                before += count;
            }
            Ok(Inserted { rows: (!behavior.is_uncounted).then_some(taken), keys, altered: None })
        })
    }

    fn update<'a>(&'a mut self, update: &'a Update<'a>) -> DbFuture<'a, u64> {
        Box::pin(async move {
            let Update { table, set, by, nulls, rows, .. } = update;
            let assigned = set.iter().enumerate();
            let assigned =
                assigned.map(|(at, column)| format!("{} = v.c{at}::{}", QUOTES.column(column.name), column.ty));
            let assigned = assigned.collect::<Vec<_>>().join(", ");
            let (arrays_of, names, found) = (unnested(rows.width), names(rows.width), condition(by, set.len(), nulls));
            let sql =
                format!("UPDATE {table} AS t SET {assigned} FROM unnest({arrays_of}) AS v ({names}) WHERE {found}");
            let mut updated = 0;
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                updated += query(&sql, arrays(piece, rows.width)?).execute(&mut *self).await?.rows_affected();
            }
            Ok(updated)
        })
    }

    fn delete<'a>(&'a mut self, delete: &'a Delete<'a>) -> DbFuture<'a, u64> {
        Box::pin(async move {
            let Delete { table, by, nulls, owner, rows } = delete;
            let (arrays_of, names) = (unnested(rows.width), names(rows.width));
            let mut found = condition(by, 0, nulls);
            if let Some((column, _)) = owner {
                let _ = write!(found, " AND t.{}::text = ${}", QUOTES.column(column), rows.width + 1);
            }

            let sql = format!("DELETE FROM {table} AS t USING unnest({arrays_of}) AS v ({names}) WHERE {found}");
            let mut deleted = 0;
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let mut arguments = arrays(piece, rows.width)?;
                if let Some((_, owner)) = owner {
                    arguments.add(*owner).map_err(sqlx::Error::Encode)?;
                }
                deleted += query(&sql, arguments).execute(&mut *self).await?.rows_affected();
            }
            Ok(deleted)
        })
    }

    fn read<'a>(&'a mut self, read: &'a Read<'a>, each: &'a mut (dyn FnMut(&dyn Row) + Send)) -> DbFuture<'a, ()> {
        Box::pin(async move {
            let Read { select, by, nulls, rows, locks } = read;
            let lock = if *locks { " FOR UPDATE OF t" } else { "" };
            let null = nulls.iter().map(|column| format!("t.{} IS NULL", QUOTES.column(column)));
            let null = null.collect::<Vec<_>>().join(" AND ");
            if rows.width == 0 {
                let sql = format!("{select} WHERE {null}{lock}");
                let mut found = query(&sql, PgArguments::default()).fetch(self);
                while let Some(row) = found.try_next().await? {
                    each(&row);
                }
                return Ok(());
            }

            let (arrays_of, names, found) = (unnested(rows.width), names(rows.width), condition(by, 0, nulls));
            let sql = format!("{select} JOIN unnest({arrays_of}) AS v ({names}) ON {found}{lock}");
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                let mut found = query(&sql, arrays(piece, rows.width)?).fetch(&mut *self);
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
            let (arrays_of, names) = (unnested(rows.width), names(rows.width));
            let same = by.iter().enumerate().map(|(at, (column, ty))| format!("{column} = v.c{at}::{ty}"));
            let same = same.collect::<Vec<_>>().join(" AND ");
            let sql = format!(
                "SELECT v.n, {key}::text FROM {from} JOIN unnest({arrays_of}) WITH ORDINALITY AS v ({names}, n) ON {same}"
            );

            let (mut all, mut before) = (Vec::new(), 0);
            for piece in STATEMENT_LIMITS.chunks(&rows.values, rows.width)? {
                for row in query(&sql, arrays(piece, rows.width)?).fetch_all(&mut *self).await? {
                    let (number, key): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
                    let key = key.and_then(|key| Some(whole_or_text(&key, *kind).ok()?.into_owned()));
                    let number = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                    all.extend(number.zip(key).map(|(number, key)| (before + number, key)));
                }
                before += piece.len() / rows.width.max(1);
            }
            Ok(all)
        })
    }

    fn version(&mut self) -> DbFuture<'_, String> {
        Box::pin(async move {
            let version: String = scalar("SHOW server_version").fetch_one(self).await?;
            Ok(format!("PostgreSQL {version}"))
        })
    }

    fn missing_privileges<'a>(&'a mut self, table: &'a str, to_write: bool) -> DbFuture<'a, Vec<&'static str>> {
        Box::pin(async move {
            let rights: &[&'static str] =
                if to_write { &["SELECT", "INSERT", "UPDATE", "DELETE"] } else { &["SELECT"] };
            let mut missing_privileges = Vec::new();
            for right in rights {
                let has: bool = scalar("SELECT has_table_privilege($1, $2)")
                    .bind(QUOTES.table(table))
                    .bind(*right)
                    .fetch_one(&mut *self)
                    .await?;
                if !has {
                    missing_privileges.push(*right);
                }
            }
            Ok(missing_privileges)
        })
    }

    fn missing_create_privileges<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<&'static str>> {
        // Without an existing schema in the search path, there is nowhere to create it.
        const SQL: &str =
            "SELECT coalesce(has_schema_privilege(coalesce($1, current_schema()::text), 'CREATE'), false)";
        Box::pin(async move {
            let schema = table.split_once('.').map(|(schema, _)| schema);
            let has: bool = scalar(SQL).bind(schema).fetch_one(self).await?;
            Ok(if has { Vec::new() } else { vec!["CREATE in the schema"] })
        })
    }
}
