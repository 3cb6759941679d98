//! The traits that each kind of database implements.

#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod quoting;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod statement_limits;
pub(crate) mod url_options;

use diffsync_core::adapter::TargetErrorKind;
use futures_util::future::BoxFuture;

use self::quoting::Quotes;
use super::model::encoding::Row;
use super::model::value::{Value, ValueKind};

/// The result of a call to a database.
pub(crate) type DbFuture<'a, T> = BoxFuture<'a, Result<T, sqlx::Error>>;

/// What a statement calls the rows of values that it is given. It would hide a table of the same name.
pub(crate) const GIVEN: &str = "diffsync_given";

/// The kinds of database, for statements that differ between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each is constructed only with the feature of its name")]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    MySql,
}

/// A database, and the properties of its kind.
pub(crate) trait Database: Send + Sync {
    /// Which kind it is.
    fn engine(&self) -> Engine;

    /// How it quotes names.
    fn quotes(&self) -> Quotes;

    /// The database as a text that no other database has, without the login.
    fn resource(&self) -> String;

    /// Whether it may exist; false only if its absence is certain without a connection.
    fn exists(&self) -> bool {
        true
    }

    /// Whether it can be created if it does not exist, or why it surely cannot.
    fn can_be_created(&self) -> Result<(), String> {
        Ok(())
    }

    /// Connects; a database that is a file is created if `create`.
    fn connect(&self, create: bool) -> DbFuture<'_, Box<dyn Connection>>;

    /// The expression that selects a column as this kind, or what is wrong with the column's type.
    fn select_expression(&self, column: &Column, qualified: &str, kind: ValueKind) -> Result<String, String>;

    /// An expression as text, null if it is null.
    fn text_expression(&self, expression: &str) -> String;

    /// The kind as which a key column is read, so that its value can be bound again as a foreign key.
    fn key_kind(&self, column: &Column) -> ValueKind {
        let _ = column;
        ValueKind::Text
    }

    /// The type of a column of this kind. A column of a unique key may need another type.
    fn column_type(&self, kind: ValueKind, in_key: bool) -> String;

    /// The definition of a column that is the database's own key.
    fn key_type(&self, kind: ValueKind) -> String;

    /// Whether a table may be created with a foreign key to one that does not exist yet.
    fn allows_forward_references(&self) -> bool {
        false
    }

    /// The statements that begin a transaction which reads one consistent snapshot.
    fn begin_snapshot(&self) -> &'static [&'static str];

    /// The statement that begins a transaction which writes.
    fn begin(&self) -> &'static str;

    /// The statement that begins a transaction for a health check, if one is needed.
    fn begin_check(&self) -> Option<&'static str> {
        None
    }

    /// The message for missing privileges.
    fn describe_missing_privileges(&self, missing_privileges: &[&str]) -> String {
        format!("the login may not {}; grant it", missing_privileges.join(", "))
    }

    /// The message for an error of the database.
    fn describe_error(&self, error: &dyn sqlx::error::DatabaseError) -> String {
        error.to_string()
    }

    /// The meaning of an error of the database for the rest of the run.
    fn error_kind(&self, error: &dyn sqlx::error::DatabaseError) -> TargetErrorKind;

    /// Whether an error of a commit proves that nothing was written. Otherwise it may have been.
    fn rolled_back(&self, error: &dyn sqlx::error::DatabaseError) -> bool;

    /// Whether an error rolls back the whole transaction, including savepoints.
    fn aborts_transaction(&self, error: &dyn sqlx::error::DatabaseError) -> bool {
        let _ = error;
        false
    }

    /// Whether a column surely stores a value unchanged, so that a field of this kind reads it back as it was written. If
    /// not, rows are read again after a write.
    fn stores_exactly(&self, column: &Column, kind: ValueKind, value: &Value<'_>) -> bool;

    /// The default number of records per batch.
    fn default_batch_size(&self) -> usize {
        5_000
    }

    /// The maximum number of calls that may write at the same time, if the database limits it.
    fn concurrency_limit(&self) -> Option<usize> {
        None
    }
}

/// A connection.
pub(crate) trait Connection: Send {
    /// Executes a statement without values.
    fn execute<'a>(&'a mut self, sql: &'a str) -> DbFuture<'a, ()>;

    /// Hands each row of a query without values to `each`, until it returns false.
    fn rows<'a>(&'a mut self, sql: &'a str, each: &'a mut (dyn FnMut(&dyn Row) -> bool + Send)) -> DbFuture<'a, ()>;

    /// Hands each row of a query with values to `each`.
    fn query<'a>(
        &'a mut self,
        sql: &'a str,
        values: &'a [Value<'a>],
        each: &'a mut (dyn FnMut(&dyn Row) + Send),
    ) -> DbFuture<'a, ()>;

    /// The columns of a table; empty if there is no such table.
    fn columns<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<Column>>;

    /// The names of the existing tables.
    fn tables(&mut self) -> DbFuture<'_, Vec<String>>;

    /// The properties of a table that decide how its rows are written and whether they are stored unchanged.
    fn behavior<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, TableBehavior>;

    /// The unique keys of a table, each with its columns.
    fn unique_keys<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<UniqueKey>>;

    /// Inserts rows.
    fn insert<'a>(&'a mut self, insert: &'a Insert<'a>) -> DbFuture<'a, Inserted>;

    /// Updates rows, and returns how many there were.
    fn update<'a>(&'a mut self, update: &'a Update<'a>) -> DbFuture<'a, u64>;

    /// Deletes rows, and returns how many there were.
    fn delete<'a>(&'a mut self, delete: &'a Delete<'a>) -> DbFuture<'a, u64>;

    /// Hands each of these rows, as the transaction sees them, to `each`.
    fn read<'a>(&'a mut self, read: &'a Read<'a>, each: &'a mut (dyn FnMut(&dyn Row) + Send)) -> DbFuture<'a, ()>;

    /// Finds the keys of rows by values: the position of the values, and the key.
    fn find<'a>(&'a mut self, find: &'a Find<'a>) -> DbFuture<'a, Vec<(usize, Value<'static>)>>;

    /// Name and version of the server.
    fn version(&mut self) -> DbFuture<'_, String>;

    /// The privileges that are missing to read or write a table, as far as the database shows them.
    fn missing_privileges<'a>(&'a mut self, table: &'a str, to_write: bool) -> DbFuture<'a, Vec<&'static str>>;

    /// The privileges that are missing to create a table, as far as the database shows them.
    fn missing_create_privileges<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<&'static str>>;
}

/// A column as the database describes it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type, as it is written in a cast.
    pub(crate) ty: String,
    /// An expression that gives the value it has by default.
    pub(crate) default: Option<String>,
}

/// Rows of values, one after the other.
#[derive(Default)]
pub(crate) struct RowBatch<'a> {
    pub(crate) width: usize,
    pub(crate) values: Vec<Value<'a>>,
}

impl<'a> RowBatch<'a> {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Value<'a>]> {
        self.values.chunks(self.width.max(1))
    }
}

/// Columns with their types as they are written in a cast, which some databases need.
#[derive(Clone)]
pub(crate) struct TypedColumn {
    pub(crate) name: &'static str,
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only PostgreSQL needs the types of values"))]
    pub(crate) ty: String,
    /// Whether rows must be found by the exact value, since the column's collation calls others equal to it.
    pub(crate) compared_exactly: bool,
}

/// The properties of a table that decide how its rows are written and whether they are stored unchanged.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a separate fact from the catalogue")]
pub(crate) struct TableBehavior {
    /// Whether other values than those written may be stored, because of a trigger, a rule or a view.
    pub(crate) may_alter_values: bool,
    /// Whether a row may still exist after a counted delete, because of a trigger, a rule or a view.
    pub(crate) may_keep_deleted: bool,
    /// Whether a write may replace another row with the same unique value, without an error.
    pub(crate) may_replace_rows: bool,
    /// Whether the database does not report how many rows a statement has written.
    pub(crate) is_uncounted: bool,
    /// Whether rows are inserted by `COPY`, or why not; `None` if the database has no `COPY`.
    pub(crate) copy_support: Option<Result<(), &'static str>>,
}

/// A unique key of a table.
pub(crate) struct UniqueKey {
    pub(crate) columns: Vec<UniqueColumn>,
    /// Whether the rows that a record conflicts with can be found by the values of its columns: not so for keys over
    /// expressions, prefixes or some of the rows, nor for keys that call nulls equal, or other values than the columns do.
    pub(crate) is_exact: bool,
    /// Whether it is the number by which `SQLite` keeps the row, which is in no index.
    pub(crate) is_row_number: bool,
}

/// A column of a unique key.
pub(crate) struct UniqueColumn {
    pub(crate) name: String,
    /// Whether several rows may have null in it.
    pub(crate) allows_nulls: bool,
    /// Whether it takes part in the comparison. A column may also be merely included, or used in an expression.
    pub(crate) is_part: bool,
    /// The suffix of the column in a comparison, so that it compares as the key does.
    pub(crate) collate: String,
}

/// A column of a unique key in the catalogue: the name of the key, empty for the number of a row; the column, if it is not
/// an expression; whether it allows nulls, is a part, and is exact; and its suffix in a comparison.
pub(crate) type UniqueKeyRow = (String, Option<String>, bool, bool, bool, String);

impl UniqueKey {
    /// The keys of rows of a catalogue, those of one key after each other.
    pub(crate) fn from_rows(rows: &[UniqueKeyRow]) -> Vec<Self> {
        let column = |(_, name, allows_nulls, is_part, _, collate): &UniqueKeyRow| {
            Some(UniqueColumn {
                name: name.clone()?,
                allows_nulls: *allows_nulls,
                is_part: *is_part,
                collate: collate.clone(),
            })
        };

        let of_each = rows.chunk_by(|(one, ..), (other, ..)| one == other);
        of_each
            .map(|key| Self {
                columns: key.iter().filter_map(column).collect(),
                is_exact: key.iter().all(|(.., is_exact, _)| *is_exact),
                is_row_number: key.iter().all(|(name, ..)| name.is_empty()),
            })
            .collect()
    }
}

/// Rows to insert.
#[allow(dead_code, reason = "each kind of database needs some of it")]
pub(crate) struct Insert<'a> {
    /// The table, quoted.
    pub(crate) table: &'a str,
    pub(crate) columns: &'a [TypedColumn],
    /// The expression and the kind to read each column again.
    pub(crate) returned: &'a [(String, ValueKind)],
    /// The key column that the database fills, and the kind to read it as.
    pub(crate) key: Option<(&'a Column, ValueKind)>,
    pub(crate) behavior: &'a TableBehavior,
    pub(crate) rows: &'a RowBatch<'a>,
}

/// The result of an insert.
#[derive(Default)]
pub(crate) struct Inserted {
    /// The number of inserted rows, if known.
    pub(crate) rows: Option<u64>,
    /// The keys that the database generated, if they were requested and are known.
    pub(crate) keys: Option<Vec<Value<'static>>>,
    /// The positions of rows that were stored with other values, if the database reported them.
    pub(crate) altered: Option<Vec<usize>>,
}

/// Rows to read.
pub(crate) struct Read<'a> {
    /// The query without a condition; the table is called `t` in it.
    pub(crate) select: &'a str,
    pub(crate) by: &'a [TypedColumn],
    pub(crate) nulls: &'a [&'static str],
    pub(crate) rows: &'a RowBatch<'a>,
    /// Whether they are locked until the transaction ends.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "SQLite locks all of the database")
    )]
    pub(crate) locks: bool,
}

/// Rows to update, found by `by`.
#[allow(dead_code, reason = "each kind of database needs some of it")]
pub(crate) struct Update<'a> {
    pub(crate) table: &'a str,
    /// The columns that change; their values come first in each row.
    pub(crate) set: &'a [TypedColumn],
    /// The columns that identify the row; their values follow.
    pub(crate) by: &'a [TypedColumn],
    /// The columns that are null in all of these rows.
    pub(crate) nulls: &'a [&'static str],
    pub(crate) behavior: &'a TableBehavior,
    pub(crate) rows: &'a RowBatch<'a>,
}

/// Rows to delete.
pub(crate) struct Delete<'a> {
    pub(crate) table: &'a str,
    pub(crate) by: &'a [TypedColumn],
    pub(crate) nulls: &'a [&'static str],
    /// A column and the value without which a row is not deleted.
    pub(crate) owner: Option<(&'static str, &'static str)>,
    pub(crate) rows: &'a RowBatch<'a>,
}

/// Rows whose keys are wanted.
pub(crate) struct Find<'a> {
    /// The expression of the key.
    pub(crate) key: &'a str,
    pub(crate) kind: ValueKind,
    /// The table, with all that is joined to it.
    pub(crate) from: &'a str,
    /// The columns to find them by, qualified, and their types.
    pub(crate) by: &'a [(String, String)],
    pub(crate) rows: &'a RowBatch<'a>,
}
