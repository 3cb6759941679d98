//! Finds the rows whose values the database considers equal to given ones.

use std::fmt::Write;

use crate::sql::dialect::{Connection, Engine, GIVEN, RowBatch};
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind};

/// A query for rows by values.
pub(crate) struct RowQuery<'a> {
    /// The expressions to select.
    pub(crate) items: &'a [String],
    /// The table, with the joined tables.
    pub(crate) from: &'a str,
    /// The columns to find them by, qualified, and their types.
    pub(crate) by: &'a [(String, String)],
    /// A further condition.
    pub(crate) filter: Option<&'a str>,
}

/// The maximum number of rows of values in a query.
pub(crate) const ROWS: usize = 2_000;

/// The maximum number of values in a query, below the limit of each kind of database.
const VALUES: usize = 30_000;

/// Calls `each` with each row that is found, and the position of the values that it was found by.
pub(crate) async fn find_rows(
    engine: Engine,
    connection: &mut dyn Connection,
    wanted: &RowQuery<'_>,
    rows: &RowBatch<'_>,
    each: &mut (dyn FnMut(usize, &dyn Row) + Send),
) -> Result<(), sqlx::Error> {
    let width = rows.width.max(1);
    let most = ROWS.min(VALUES / width).max(1);
    for (piece, values) in rows.values.chunks(most * width).enumerate() {
        let mut each = |at: usize, row: &dyn Row| each(piece * most + at, row);
        match engine {
            Engine::MySql => in_halves(connection, wanted, width, values, &mut each).await?,
            Engine::Sqlite | Engine::Postgres => numbered(engine, connection, wanted, width, values, &mut each).await?,
        }
    }

    Ok(())
}

/// Joins the values as numbered rows, so that each result shows by which of them it was found.
async fn numbered(
    engine: Engine,
    connection: &mut dyn Connection,
    wanted: &RowQuery<'_>,
    width: usize,
    values: &[Value<'_>],
    each: &mut (dyn FnMut(usize, &dyn Row) + Send),
) -> Result<(), sqlx::Error> {
    let RowQuery { items, from, by, filter } = wanted;
    let is_postgres = engine == Engine::Postgres;
    let mut given = String::new();
    for number in 0..values.len() / width {
        given.push_str(if number == 0 { "(" } else { ",(" });
        given.push_str(&number.to_string());
        for at in 0..width {
            // Writing to a text cannot fail.
            let _ =
                if is_postgres { write!(given, ",${}::text", number * width + at + 1) } else { write!(given, ",?") };
        }
        given.push(')');
    }

    let names = (0..width).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
    let same = by.iter().enumerate().map(|(at, (column, ty))| {
        // The column first: it is its collation that decides.
        if is_postgres { format!("{column} = {GIVEN}.c{at}::{ty}") } else { format!("{column} = {GIVEN}.c{at}") }
    });

    let found = same.chain(filter.map(|filter| format!("({filter})"))).collect::<Vec<_>>().join(" AND ");
    let number = if is_postgres { format!("{GIVEN}.n::bigint") } else { format!("{GIVEN}.n") };
    let items_of = items.iter().map(String::as_str).chain([number.as_str()]).collect::<Vec<_>>().join(", ");

    // PostgreSQL requires a condition for a plain join; in `SQLite`, a cross join would fix the order of the tables.
    let join = if is_postgres { "CROSS JOIN" } else { "JOIN" };
    let sql = format!(
        "WITH {GIVEN} (n, {names}) AS (VALUES {given}) SELECT {items_of} FROM {GIVEN} {join} {from} WHERE {found}"
    );

    let mut row = |row: &dyn Row| {
        if let Ok(Value::Int(number)) = row.value(items.len(), ValueKind::Int64) {
            each(usize::try_from(number).unwrap_or_default(), row);
        }
    };
    connection.query(&sql, values, &mut row).await
}

/// `MySQL` cannot compare a column with a column of joined values by the former's collation, only with values in the
/// statement. So if any row is found, the values are queried in halves until each row's values are known.
async fn in_halves(
    connection: &mut dyn Connection,
    wanted: &RowQuery<'_>,
    width: usize,
    values: &[Value<'_>],
    each: &mut (dyn FnMut(usize, &dyn Row) + Send),
) -> Result<(), sqlx::Error> {
    let RowQuery { items, from, by, filter } = wanted;
    let columns = by.iter().map(|(column, _)| column.as_str()).collect::<Vec<_>>().join(", ");
    let filter = filter.map(|filter| format!(" AND ({filter})")).unwrap_or_default();
    let row = format!("({})", vec!["?"; width].join(","));

    // A `CHAR` is stored without the spaces at its end.
    let values: Vec<Value<'_>> = values
        .iter()
        .enumerate()
        .map(|(at, value)| match (value, by.get(at % width)) {
            (Value::Text(text), Some((_, ty))) if ty == "char" => Value::Text(text.trim_end_matches(' ').into()),
            (value, _) => value.clone(),
        })
        .collect();

    let mut open = vec![(0, values.len() / width)];
    while let Some((start, end)) = open.pop() {
        let Some(asked) = values.get(start * width..end * width).filter(|asked| !asked.is_empty()) else { continue };
        let is_one = end - start == 1;
        let (what, limit) = if is_one { (items.join(", "), "") } else { ("1".to_owned(), " LIMIT 1") };
        let given = vec![row.as_str(); end - start].join(",");
        let sql = format!("SELECT {what} FROM {from} WHERE ({columns}) IN ({given}){filter}{limit}");
        let mut any = false;
        let mut found = |row: &dyn Row| {
            any = true;
            if is_one {
                each(start, row);
            }
        };

        connection.query(&sql, asked, &mut found).await?;
        if any && !is_one {
            let middle = start.midpoint(end);
            open.extend([(middle, end), (start, middle)]);
        }
    }

    Ok(())
}
