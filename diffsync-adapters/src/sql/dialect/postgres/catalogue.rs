//! The catalogue's facts on how a table is written.

use sqlx::PgConnection;

use super::QUOTES;
use crate::sql::dialect::{TableBehavior, UniqueKey, UniqueKeyRow};
use crate::sql::model::value::{Value, ValueKind};

/// Whether a column of a type holds a value exactly as it is given.
pub(crate) fn stores_exactly(ty: &str, kind: ValueKind, value: &Value<'_>) -> bool {
    match (ty, value) {
        ("boolean", Value::Bool(_))
        | ("smallint" | "integer" | "bigint", Value::Int(_) | Value::Unsigned(_))
        | ("double precision", Value::Float(_))
        | ("bytea", Value::Bytes(_))
        | ("text" | "json", Value::Text(_)) => true,
        #[allow(clippy::cast_possible_truncation, clippy::float_cmp, reason = "this tests for an exact conversion")]
        ("real", Value::Float(value)) => value.is_nan() || f64::from(*value as f32) == *value,
        // Spaces at the end that do not fit are cut off without a word.
        ("character varying", Value::Text(text)) => !text.ends_with(' '),
        ("uuid", Value::Text(text)) => {
            text.len() == 36
                && text.chars().all(|letter| letter == '-' || letter.is_ascii_digit() || letter.is_ascii_lowercase())
        }
        // Numbers are written without an exponent, which makes whole numbers of some.
        ("jsonb", Value::Text(text)) => {
            let mut pairs = text.as_bytes().windows(2);
            kind == ValueKind::Json && !pairs.any(|pair| matches!(pair, [b'0'..=b'9', b'e' | b'E']))
        }
        _ => false,
    }
}

/// What a table is, and what the login may do with it.
pub(crate) async fn behavior(connection: &mut PgConnection, table: &str) -> Result<TableBehavior, sqlx::Error> {
    const SQL: &str = "
        SELECT c.relkind::text, c.relhassubclass, row_security_active(c.oid),
               EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'),
               EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D')
        FROM pg_class c WHERE c.oid = to_regclass($1)";
    let found: Option<(String, bool, bool, bool, bool)> =
        sqlx::query_as(SQL).persistent(false).bind(QUOTES.table(table)).fetch_optional(connection).await?;
    let Some((kind, has_parts, is_guarded, has_rules, has_triggers)) = found else {
        return Ok(TableBehavior::default());
    };

    let copy_support = match kind.as_str() {
        "v" => Err("it is a view"),
        "f" => Err("it is a foreign table"),
        _ if is_guarded => Err("row-level security applies to this login"),
        _ if has_rules => Err("it has rules, which `COPY` does not heed"),
        _ => Ok(()),
    };

    // The parts of a partitioned table may have triggers of their own.
    let may_alter_values = kind != "r" || has_parts || has_rules || has_triggers;

    // The count of a statement does not include what a rule does instead.
    Ok(TableBehavior {
        may_alter_values,
        may_keep_deleted: may_alter_values,
        may_replace_rows: false,
        is_uncounted: has_rules,
        copy_support: Some(copy_support),
    })
}

/// The unique indexes of a table, also those of expressions, each with the columns that it uses, and those of exclusion
/// constraints, of which nothing is known.
pub(crate) async fn unique_keys(connection: &mut PgConnection, table: &str) -> Result<Vec<UniqueKey>, sqlx::Error> {
    // A server before the 15th has no such keys in which two nulls are the same.
    const SQL: &str = "
        SELECT i.indexrelid::text, CASE WHEN i.indisunique THEN a.attname::text END,
               NOT a.attnotnull AND coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false',
               coalesce(k.at <= i.indnkeyatts, false),
               i.indpred IS NULL AND 0 <> ALL (i.indkey::int2[]) AND NOT i.indisexclusion
                   AND coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false'
                   AND coalesce(k.at > i.indnkeyatts OR i.indcollation[k.at - 1] = a.attcollation, true),
               ''
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum > 0 AND (
            a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
                SELECT FROM pg_depend d
                WHERE d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
        LEFT JOIN LATERAL (
            SELECT min(k.at) AS at FROM unnest(i.indkey) WITH ORDINALITY AS k (number, at) WHERE k.number = a.attnum
        ) k ON true
        WHERE i.indrelid = to_regclass($1) AND (i.indisunique OR i.indisexclusion) ORDER BY i.indexrelid, k.at, a.attnum";
    let rows: Vec<UniqueKeyRow> =
        sqlx::query_as(SQL).persistent(false).bind(QUOTES.table(table)).fetch_all(connection).await?;
    Ok(UniqueKey::from_rows(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_keeps_as_it_is_given_is_said_by_its_type() {
        let text = |text: &'static str| Value::Text(text.into());
        for (ty, kind, value, expected) in [
            ("text", ValueKind::Text, text("a "), true),
            ("character varying", ValueKind::Text, text("a"), true),
            ("character varying", ValueKind::Text, text("a "), false),
            ("bpchar", ValueKind::Text, text("a"), false),
            ("bigint", ValueKind::Int64, Value::Int(7), true),
            ("numeric", ValueKind::Int64, Value::Int(7), false),
            ("double precision", ValueKind::Float64, Value::Float(0.1), true),
            ("real", ValueKind::Float64, Value::Float(0.1), false),
            ("real", ValueKind::Float32, Value::Float(0.1_f32.into()), true),
            ("uuid", ValueKind::Uuid, text("67e55044-10b1-426f-9247-bb680e5fe0c8"), true),
            ("uuid", ValueKind::Text, text("67E55044-10B1-426F-9247-BB680E5FE0C8"), false),
            ("jsonb", ValueKind::Json, text(r#"{"a":[1.5,"x"]}"#), true),
            ("jsonb", ValueKind::Json, text("[1e21]"), false),
            ("jsonb", ValueKind::Text, text("{}"), false),
            ("timestamp without time zone", ValueKind::Text, text("2024-01-01 00:00:00"), false),
            ("inet", ValueKind::Text, text("10.0.0.1"), false),
        ] {
            assert_eq!(stores_exactly(ty, kind, &value), expected, "{ty} {}", value.shown());
        }
    }
}
