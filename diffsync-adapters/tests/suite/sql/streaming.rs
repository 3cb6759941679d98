//! Rows become records as they come.

use std::fmt::Write as _;

use diffsync_adapters::sql::Sql;
use diffsync_core::Adapter;
use diffsync_core::adapter::LoadContext;
use diffsync_core::data::Side;

use super::systems::{Kind, on_each};
use super::world::Vlans;

#[test]
fn no_row_waits_for_the_last() {
    const ROWS: u32 = 20_000;
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [rows] ([n] BIGINT, [name] KEYTEXT, [note] KEYTEXT)")).await;
        let mut sql = "INSERT INTO [rows] VALUES (1, 'a', NULL)".to_owned();
        for number in 2..=ROWS {
            write!(sql, ", ({number}, 'a', NULL)").unwrap();
        }
        system.run(&system.words(&sql)).await;
        // Its last row cannot be given: whoever gathers the rows has none when the error comes.
        let fails = match system.kind {
            Kind::Sqlite => "abs([n] - 20000 - 9223372036854775807 - 1)",
            Kind::Postgres | Kind::MariaDb => "[n] + 9223372036854775807",
        };
        let view = format!(
            "CREATE VIEW [vlans] AS SELECT CASE WHEN [n] = {ROWS} THEN {fails} ELSE [n] END AS [number], [name], [note] \
             FROM [rows]"
        );
        system.run(&system.words(&view)).await;
        let (sql, mut data) = (Sql::<Vlans>::open(&system.url).unwrap(), Vlans::default());
        let loaded = sql.load(&mut data, &LoadContext::standalone(Side::Source)).await;
        let error = loaded.unwrap_err().to_string();
        assert!(error.starts_with("cannot read `vlans` from"), "{error}");
        assert_eq!(data.vlans.len(), ROWS as usize - 1);
    });
}
