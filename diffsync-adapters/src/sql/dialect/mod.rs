//! The traits by which the adapter talks to each kind of database.

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
use super::model::value::{Kind, Value};

/// What a database answers.
pub(crate) type DbFuture<'a, T> = BoxFuture<'a, Result<T, sqlx::Error>>;

/// What a statement calls the rows of values that it is given. It would hide a table of the same name.
pub(crate) const GIVEN: &str = "diffsync_given";

/// The kinds of database, for statements that differ between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each is made by the feature of its name")]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    MySql,
}

/// A database and what is particular to its kind.
pub(crate) trait Database: Send + Sync {
    /// Which kind it is.
    fn engine(&self) -> Engine;

    /// How it quotes names.
    fn quotes(&self) -> Quotes;

    /// Whether it exists, as far as can be told without a connection.
    fn exists(&self) -> bool {
        true
    }

    /// Whether it can be created where it does not exist, as far as can be told, or why not.
    fn can_be_created(&self) -> Result<(), String> {
        Ok(())
    }

    /// Connects; a database that is a file is created if `create`.
    fn connect(&self, create: bool) -> DbFuture<'_, Box<dyn Connection>>;

    /// How a column is selected so that it is read as this kind, or what is wrong with its type.
    fn selected(&self, column: &Column, qualified: &str, kind: Kind) -> Result<String, String>;

    /// An expression as text, null where it is null.
    fn as_text(&self, expression: &str) -> String;

    /// As which kind a column is read whose value is bound again as a foreign key.
    fn key_kind(&self, column: &Column) -> Kind {
        let _ = column;
        Kind::Text
    }

    /// The type of a column of this kind. One that is part of a unique key may need another.
    fn column_type(&self, kind: Kind, in_key: bool) -> String;

    /// The definition of a column that is the database's own key.
    fn key_type(&self, kind: Kind) -> String;

    /// Whether a table may be created with a foreign key to one that does not exist yet.
    fn refers_ahead(&self) -> bool {
        false
    }

    /// What begins a transaction that reads everything as it is at one moment.
    fn begin_snapshot(&self) -> &'static [&'static str];

    /// What begins a transaction that writes.
    fn begin(&self) -> &'static str;

    /// What begins a transaction for a look at the database, where one is needed for it.
    fn begin_check(&self) -> Option<&'static str> {
        None
    }

    /// The message for missing privileges.
    fn describe_missing_privileges(&self, missing_privileges: &[&str]) -> String {
        format!("the login may not {}; grant it", missing_privileges.join(", "))
    }

    /// An error of the database in words.
    fn describe_error(&self, error: &dyn sqlx::error::DatabaseError) -> String {
        error.to_string()
    }

    /// What an error of the database means for the rest of the run.
    fn error_kind(&self, error: &dyn sqlx::error::DatabaseError) -> TargetErrorKind;

    /// Whether an error that answers a commit says that nothing was written: without that it may have been.
    fn rolled_back(&self, error: &dyn sqlx::error::DatabaseError) -> bool;

    /// Whether an error undoes all of a transaction, savepoints included.
    fn aborts_transaction(&self, error: &dyn sqlx::error::DatabaseError) -> bool {
        let _ = error;
        false
    }

    /// Whether a column holds a value exactly as it is given, so that a field of this kind reads it back unchanged. Where
    /// that is not certain, what was written is read again.
    fn stores_exactly(&self, column: &Column, kind: Kind, value: &Value<'_>) -> bool;

    /// How many records are written in one transaction, unless the user says another number.
    fn batch(&self) -> usize {
        5_000
    }

    /// How many calls may write at the same time, if that is not for the user to say.
    fn concurrency_limit(&self) -> Option<usize> {
        None
    }
}

/// A connection.
pub(crate) trait Connection: Send {
    /// Carries out a statement without values.
    fn run<'a>(&'a mut self, sql: &'a str) -> DbFuture<'a, ()>;

    /// Hands each row of a query without values to `each`, until it returns false.
    fn rows<'a>(&'a mut self, sql: &'a str, each: &'a mut (dyn FnMut(&dyn Row) -> bool + Send)) -> DbFuture<'a, ()>;

    /// Hands each row of a query with values to `each`.
    fn query<'a>(
        &'a mut self,
        sql: &'a str,
        values: &'a [Value<'a>],
        each: &'a mut (dyn FnMut(&dyn Row) + Send),
    ) -> DbFuture<'a, ()>;

    /// The columns of a table, none if there is no such table.
    fn columns<'a>(&'a mut self, table: &'a str) -> DbFuture<'a, Vec<Column>>;

    /// The names of the tables that there are.
    fn tables(&mut self) -> DbFuture<'_, Vec<String>>;

    /// What decides how the rows of a table are written, and whether they hold what they were given.
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

    /// The privileges that are missing to read or write a table, if it can be told.
    fn missing_privileges<'a>(&'a mut self, table: &'a str, to_write: bool) -> DbFuture<'a, Vec<&'static str>>;

    /// The privileges that are missing to create a table, if it can be told.
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
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only PostgreSQL is told the types of values"))]
    pub(crate) ty: String,
    /// Whether rows are found by exactly the value, since the column calls others equal to it.
    pub(crate) compared_exactly: bool,
}

/// What decides how the rows of a table are written, and whether they hold what they were given.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact that the catalogue tells by itself")]
pub(crate) struct TableBehavior {
    /// Whether anything may store other values than were given: a trigger, a rule, a view.
    pub(crate) alters: bool,
    /// Whether a row may still be there after a delete that the database counted: a trigger, a rule, a view.
    pub(crate) may_keep_deleted: bool,
    /// Whether a row that is written may replace another one with the same unique value, without an error.
    pub(crate) replaces: bool,
    /// Whether the database does not say how many rows a statement has written.
    pub(crate) is_uncounted: bool,
    /// How rows are inserted where there are two ways: by `COPY`, or not, because of this.
    pub(crate) copies: Option<Result<(), &'static str>>,
}

/// A unique key of a table.
pub(crate) struct UniqueKey {
    pub(crate) columns: Vec<UniqueColumn>,
    /// Whether the rows that a record collides with are found by the values of its columns: not so for keys over expressions,
    /// over the beginning of a text or over some of the rows, nor for those that call nulls equal, or other values than
    /// the columns do.
    pub(crate) is_exact: bool,
    /// Whether it is the number by which `SQLite` keeps the row, which is in no index.
    pub(crate) is_row_number: bool,
}

/// A column of a unique key.
pub(crate) struct UniqueColumn {
    pub(crate) name: String,
    /// Whether any number of rows may have null in it.
    pub(crate) frees: bool,
    /// Whether rows are told apart by it. A column may also be included, or named by an expression.
    pub(crate) is_part: bool,
    /// What follows the column in a comparison, so that it compares as the key does.
    pub(crate) collate: String,
}

/// A column of a unique key as the catalogues give it: the name of the key, empty for the number of a row; the column, if
/// it is not an expression; whether it frees, is a part, and is exact; and what follows the column in a comparison.
pub(crate) type UniqueKeyRow = (String, Option<String>, bool, bool, bool, String);

impl UniqueKey {
    /// The keys of rows of a catalogue, those of one key after each other.
    pub(crate) fn from_rows(rows: &[UniqueKeyRow]) -> Vec<Self> {
        let column = |(_, name, frees, is_part, _, collate): &UniqueKeyRow| {
            Some(UniqueColumn { name: name.clone()?, frees: *frees, is_part: *is_part, collate: collate.clone() })
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
    /// How each column is read again, and as which kind.
    pub(crate) returned: &'a [(String, Kind)],
    /// The key that the database gives, and the kind that it is read as.
    pub(crate) key: Option<(&'a Column, Kind)>,
    pub(crate) behavior: &'a TableBehavior,
    pub(crate) rows: &'a RowBatch<'a>,
}

/// What became of rows that were inserted.
#[derive(Default)]
pub(crate) struct Inserted {
    /// How many there are, unless it is not known.
    pub(crate) rows: Option<u64>,
    /// The keys that the database gave them, if they were requested and are known.
    pub(crate) keys: Option<Vec<Value<'static>>>,
    /// The positions of rows that it holds with other values than they were given, if it reported them.
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
    /// The columns that change; their values stand first in each row.
    pub(crate) set: &'a [TypedColumn],
    /// The columns that say which row it is; their values follow.
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
    /// How the key is selected.
    pub(crate) key: &'a str,
    pub(crate) kind: Kind,
    /// The table, with all that is joined to it.
    pub(crate) from: &'a str,
    /// The columns to find them by, qualified, and their types.
    pub(crate) by: &'a [(String, String)],
    pub(crate) rows: &'a RowBatch<'a>,
}
