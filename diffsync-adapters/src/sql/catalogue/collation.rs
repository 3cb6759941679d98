//! Which values the database takes for the same, where Rust tells them apart.

use std::collections::HashMap;

use crate::sql::dialect::{Column, Connection, Database, Engine};
use crate::sql::model::encoding::Row;
use crate::sql::model::value::{Value, ValueKind};
use crate::sql::steps::selection::FieldColumn;

/// A column that is no exact home for the values of a field: it takes several of them for one, or keeps them in a form of
/// its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InexactColumn {
    /// The column, and why: the beginning of a sentence.
    pub(crate) why: String,
    /// Whether it ignores case.
    pub(crate) ignores_case: bool,
    /// Whether rows may hold different values that it takes for the same. Otherwise it keeps one form of each value.
    pub(crate) keeps_variants: bool,
}

/// A column in the catalogue: its type, resolved through domains, and a collation that decides which values are equal.
struct ColumnType {
    ty: String,
    collation: Option<String>,
}

/// How each of these columns is coarser than the field of this kind that it holds; nothing for those that are exact.
pub(crate) async fn inexact_columns(
    database: &dyn Database,
    connection: &mut dyn Connection,
    columns: &[(&FieldColumn, ValueKind)],
) -> Result<Vec<Option<InexactColumn>>, sqlx::Error> {
    let engine = database.engine();
    let mut tables: HashMap<&str, HashMap<String, ColumnType>> = HashMap::new();
    let mut all = Vec::with_capacity(columns.len());
    for (placed, kind) in columns {
        let FieldColumn { table, column, .. } = placed;
        if engine == Engine::Sqlite {
            all.push(inexact_in_sqlite(database, connection, table, column, *kind).await?);
            continue;
        }

        if !tables.contains_key(table) {
            tables.insert(table, column_types(database, connection, table).await?);
        }
        let described = tables.get(table).and_then(|columns| columns.get(&column.name));
        let found = described.and_then(|described| match engine {
            Engine::Postgres => in_postgres(described, *kind),
            _ => in_mysql(described, *kind),
        });
        all.push(found.map(|found| found.of(&column.name)));
    }

    Ok(all)
}

async fn column_types(
    database: &dyn Database,
    connection: &mut dyn Connection,
    table: &str,
) -> Result<HashMap<String, ColumnType>, sqlx::Error> {
    const MYSQL: &str = "
        SELECT CAST(column_name AS CHAR), CAST(data_type AS CHAR), CAST(collation_name AS CHAR)
        FROM information_schema.columns WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?";
    const POSTGRES: &str = "
        WITH RECURSIVE base (of_type, oid) AS (
            SELECT oid, CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END FROM pg_type
            UNION SELECT base.of_type, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid AND t.typtype = 'd'
        )

        SELECT a.attname::text, t.typname::text, CASE WHEN NOT l.collisdeterministic THEN l.collname::text END
        FROM pg_attribute a JOIN base ON base.of_type = a.atttypid
             JOIN pg_type t ON t.oid = base.oid AND t.typtype <> 'd'
             LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";
    let mut described = HashMap::new();
    let mut each = |row: &dyn Row| {
        let text = |position| match row.value(position, ValueKind::Text) {
            Ok(Value::Text(text)) => Some(text.into_owned()),
            _ => None,
        };

        if let (Some(name), Some(ty)) = (text(0), text(1)) {
            described.insert(name, ColumnType { ty: ty.to_lowercase(), collation: text(2) });
        }
    };

    if database.engine() == Engine::Postgres {
        let name = database.quotes().table(table);
        connection.query(POSTGRES, &[Value::Text(name.into())], &mut each).await?;
    } else {
        let (schema, name) = table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
        let schema = schema.map_or(Value::Null, |schema| Value::Text(schema.into()));
        connection.query(MYSQL, &[schema, Value::Text(name.into())], &mut each).await?;
    }

    Ok(described)
}

/// `SQLite` has no catalogue of collations, so the column itself is tested.
async fn inexact_in_sqlite(
    database: &dyn Database,
    connection: &mut dyn Connection,
    table: &str,
    column: &Column,
    kind: ValueKind,
) -> Result<Option<InexactColumn>, sqlx::Error> {
    if !matches!(kind, ValueKind::Text | ValueKind::Uuid | ValueKind::Json) {
        return Ok(None);
    }

    let ty = column.ty.to_ascii_uppercase();
    let is_text = !ty.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| ty.contains(word));
    if !is_text && !ty.is_empty() && !ty.contains("BLOB") {
        let why = format!("is of type `{}`, which turns a text that looks like a number into one", column.ty);
        return Ok(Some(InexactColumn { why, ignores_case: false, keeps_variants: false }.of(&column.name)));
    }

    let quotes = database.quotes();
    let (name, table) = (quotes.column(&column.name), quotes.table(table));
    let probe = |text: &str| {
        format!(
            "(SELECT count(*) FROM (SELECT {name} AS x FROM {table} WHERE 0 UNION ALL SELECT '{text}') WHERE x = 'a')"
        )
    };

    let (mut case, mut padding) = (false, false);
    let mut each = |row: &dyn Row| {
        let same = |position| matches!(row.value(position, ValueKind::Int64), Ok(Value::Int(1)));
        (case, padding) = (same(0), same(1));
    };
    connection.query(&format!("SELECT {}, {}", probe("A"), probe("a ")), &[], &mut each).await?;

    let why = match (case, padding) {
        (true, _) => "has a collation that ignores case",
        (_, true) => "has a collation that ignores spaces at the end",
        _ => return Ok(None),
    };
    Ok(Some(InexactColumn { why: why.into(), ignores_case: case, keeps_variants: true }.of(&column.name)))
}

impl InexactColumn {
    fn of(self, column: &str) -> Self {
        Self { why: format!("`{column}` {}", self.why), ..self }
    }
}

/// A type that keeps a value in a form of its own, for a field that holds a text.
fn own_form(ty: &str) -> InexactColumn {
    InexactColumn {
        why: format!("is of type `{ty}`, which stores values in a form of its own"),
        ignores_case: false,
        // These keep the digits that they were given.
        keeps_variants: matches!(ty, "numeric" | "interval" | "jsonb"),
    }
}

fn in_mysql(ColumnType { ty, collation }: &ColumnType, kind: ValueKind) -> Option<InexactColumn> {
    match (kind, ty.as_str(), collation.as_deref()) {
        (_, ty, Some(collation)) => {
            let tells_spaces = ty != "char" && (collation.contains("nopad") || collation.contains("_0900_"));
            let ignores_case = collation.contains("_ci");
            let is_exact = collation.ends_with("_bin") && tells_spaces;
            (!is_exact).then(|| InexactColumn {
                why: format!("has the collation `{collation}`"),
                ignores_case,
                keeps_variants: true,
            })
        }
        (ValueKind::Bytes, "binary", _) => Some(InexactColumn {
            why: "is of type `binary`, which is filled up with zeros".into(),
            ignores_case: false,
            keeps_variants: false,
        }),
        (ValueKind::Text, ty, None) => Some(own_form(ty)),
        _ => None,
    }
}

fn in_postgres(ColumnType { ty, collation }: &ColumnType, kind: ValueKind) -> Option<InexactColumn> {
    match (kind, ty.as_str(), collation.as_deref()) {
        (_, _, Some(collation)) => Some(InexactColumn {
            why: format!("has the collation `{collation}`, which is not deterministic"),
            ignores_case: true,
            keeps_variants: true,
        }),
        (_, "citext", _) => Some(InexactColumn {
            why: "is of type `citext`, which ignores case".into(),
            ignores_case: true,
            keeps_variants: true,
        }),
        (_, "bpchar", _) => Some(InexactColumn {
            why: "is of type `char`, which ignores spaces at the end".into(),
            ignores_case: false,
            keeps_variants: false,
        }),
        (ValueKind::Text, "text" | "varchar", _) => None,
        (ValueKind::Text, ty, _) => Some(own_form(ty)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collation_of_mysql_is_exact_only_if_it_is_binary_and_does_not_pad() {
        for (ty, collation, is_exact) in [
            ("varchar", Some("utf8mb4_nopad_bin"), true),
            ("varchar", Some("utf8mb4_0900_bin"), true),
            ("varchar", Some("utf8mb4_bin"), false),
            ("char", Some("utf8mb4_nopad_bin"), false),
            ("varchar", Some("utf8mb4_general_ci"), false),
            ("varchar", Some("utf8mb4_0900_as_cs"), false),
            ("date", None, false),
            ("binary", None, false),
        ] {
            let described = ColumnType { ty: ty.into(), collation: collation.map(Into::into) };
            assert_eq!(in_mysql(&described, ValueKind::Text).is_none(), is_exact, "{ty} {collation:?}");
        }
        let number = ColumnType { ty: "int".into(), collation: None };
        assert_eq!(in_mysql(&number, ValueKind::Int32), None);
    }
}
