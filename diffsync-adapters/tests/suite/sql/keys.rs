//! Keys and values of all types of columns: foreign keys, natural keys, and values that are read again.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};
use ipnet::IpNet;

use super::systems::{Kind, System, assert_done, block_on, kinds, loaded, on_each, pushed, reasons, records};
use super::world::{Vlan, Vlans, vlans};

#[test]
fn a_key_of_zero_is_kept_where_the_database_counts() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] SERIAL, [name] KEYTEXT, [note] KEYTEXT)")).await;
        assert_done(&pushed(vlans(0..3), Sql::open(&system.url).unwrap()).await);
        let report = pushed(vlans(0..3), Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.unchanged, report.counts.written()), (3, 0));
        let found: Vlans = loaded(&system.sql(), Side::Target).await.unwrap();
        assert_eq!(records::<_, Vlan>(&found).iter().filter(|vlan| vlan.number == 0).count(), 1);
    });
}

/// Where the key that the foreign key holds is of any type.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "boxes")]
struct Box {
    #[sync(id)]
    name: String,
    #[sql(lookup = "place -> places(name) on uid")]
    place: Option<String>,
}

#[derive(Dataset, Default)]
struct Boxes {
    boxes: Table<Box>,
}

fn boxes(places: &[(&str, Option<&str>)]) -> Boxes {
    let one = |(name, place): &(&str, Option<&str>)| Box { name: (*name).into(), place: place.map(Into::into) };
    Boxes { boxes: places.iter().map(one).collect() }
}

/// Types of keys, with two values of each as they are written in a statement.
fn key_types(kind: Kind) -> &'static [(&'static str, [&'static str; 2])] {
    match kind {
        Kind::Sqlite => &[
            ("BLOB", ["x'00ff27'", "x'6162'"]),
            ("TEXT", ["'00'", "'0'"]),
            ("INTEGER", ["0", "-7"]),
            ("REAL", ["0.1", "2.0"]),
            ("NUMERIC", ["12.5", "3"]),
            // Without a type the number 5 and the text 5 differ.
            ("", ["5", "'5'"]),
        ],
        Kind::Postgres => &[
            ("bytea", ["'\\x00ff27'", "'\\x6162'"]),
            ("uuid", ["'0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11'", "'0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f12'"]),
            ("numeric(10,2)", ["12.50", "-3"]),
            ("date", ["'2026-01-05'", "'2026-01-06'"]),
            ("timestamptz", ["'2026-01-05 10:00:00.5+02'", "'2026-01-06'"]),
            ("time", ["'10:00'", "'00:00'"]),
            ("interval", ["'1 day'", "'1 month -3 seconds'"]),
            ("inet", ["'10.0.0.1'", "'10.0.0.1/8'"]),
            ("char(4)", ["'ab'", "'a'"]),
            ("double precision", ["0.1", "1e300"]),
            ("bigint", ["0", "-7"]),
            ("text", ["'00'", "'0'"]),
            ("boolean", ["true", "false"]),
        ],
        Kind::MariaDb => &[
            ("BINARY(16)", ["x'00ff27'", "x'ffffffffffffffffffffffffffffffff'"]),
            ("VARBINARY(20)", ["x'00ff27'", "x'6162'"]),
            ("UUID", ["'0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11'", "'0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f12'"]),
            ("INET6", ["'::ffff:10.0.0.1'", "'2001:db8::1'"]),
            ("DECIMAL(10,2)", ["12.50", "-3"]),
            ("DATE", ["'2026-01-05'", "'2026-01-06'"]),
            ("DATETIME(6)", ["'2026-01-05 10:00:00.5'", "'2026-01-06'"]),
            ("TIME", ["'10:00'", "'-00:01'"]),
            ("CHAR(36)", ["'ab'", "'a'"]),
            ("VARCHAR(20)", ["'00'", "'0'"]),
            ("BIGINT UNSIGNED", ["0", "18446744073709551615"]),
            ("YEAR", ["2026", "1999"]),
            ("ENUM('one', 'two')", ["'one'", "'two'"]),
        ],
    }
}

#[test]
fn a_lookup_leads_to_a_key_of_any_type() {
    for kind in kinds() {
        block_on(async {
            for (ty, [one, other]) in key_types(kind) {
                let system = System::new(kind).await;
                for sql in [
                    &format!("CREATE TABLE [places] ([uid] {ty} PRIMARY KEY, [name] KEYTEXT)"),
                    &format!("CREATE TABLE [boxes] ([name] KEYTEXT, [place] {ty})"),
                    &format!("INSERT INTO [places] ([uid], [name]) VALUES ({one}, 'one'), ({other}, 'other')"),
                ] {
                    system.run(&system.words(sql)).await;
                }
                let wanted = || boxes(&[("a", Some("one")), ("b", Some("other")), ("c", None)]);
                assert_done(&pushed(wanted(), Sql::open(&system.url).unwrap()).await);
                // What the foreign key holds is what the key is, to the database itself.
                let join = "SELECT p.[name] FROM [boxes] b JOIN [places] p ON p.[uid] = b.[place] ORDER BY b.[name]";
                assert_eq!(system.texts(&system.words(join)).await, ["one", "other"], "{ty}");
                let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
                assert_eq!((report.counts.unchanged, report.counts.written()), (3, 0), "{ty}");
                // An update looks it up as well.
                let report = pushed(boxes(&[("a", Some("other")), ("b", None)]), Sql::open(&system.url).unwrap()).await;
                assert_done(&report);
                assert_eq!((report.counts.updated, report.counts.deleted), (2, 1), "{ty}");
                assert_eq!(system.texts(&system.words(join)).await, ["other"], "{ty}");
            }
        });
    }
}

#[test]
fn a_key_of_bytes_that_leads_nowhere_is_said() {
    on_each(|system| async move {
        let ty = match system.kind {
            Kind::Sqlite => "BLOB",
            Kind::Postgres => "bytea",
            Kind::MariaDb => "BINARY(16)",
        };
        let bytes = if system.kind == Kind::Postgres { "'\\xff00'" } else { "x'ff00'" };
        for sql in [
            &format!("CREATE TABLE [places] ([uid] {ty}, [name] KEYTEXT)"),
            &format!("CREATE TABLE [boxes] ([name] KEYTEXT, [place] {ty})"),
            &format!("INSERT INTO [boxes] ([name], [place]) VALUES ('a', {bytes})"),
        ] {
            system.run(&system.words(sql)).await;
        }
        let report = pushed(boxes(&[("a", None)]), Sql::open(&system.url).unwrap()).await;
        // It is no record without a place.
        assert_eq!(report.counts.unchanged, 0, "{report:?}");
    });
}

/// A record with an identifier of any type.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "visits")]
struct Visit {
    #[sync(id)]
    name: String,
    #[sql(lookup = "slot_id -> slots(at)")]
    at: Option<String>,
}

#[derive(Dataset, Default)]
struct Visits {
    visits: Table<Visit>,
}

/// Types of natural keys, with an existing value, other forms of it, and missing values.
fn natural_types(kind: Kind) -> &'static [(&'static str, &'static str, &'static [&'static str], &'static str)] {
    match kind {
        Kind::Sqlite => &[
            ("TEXT", "2026-01-05", &["2026-01-05"], "2026-1-5"),
            ("NUMERIC", "12.5", &["12.5", "12.50"], "12.51"),
            ("INTEGER", "7", &["7"], "8"),
        ],
        Kind::Postgres => &[
            ("date", "2026-01-05", &["2026-01-05", "2026-1-5"], "2026-01-06"),
            ("time", "10:00:00", &["10:00:00", "10:00"], "10:00:01"),
            ("timestamp", "2026-01-05 10:00:00", &["2026-01-05 10:00:00", "2026-01-05T10:00"], "2026-01-05 10:00:01"),
            ("numeric(10,2)", "12.50", &["12.50", "12.5", "012.5"], "12.51"),
            ("inet", "10.0.0.1", &["10.0.0.1", "10.0.0.1/32"], "10.0.0.2"),
            ("char(8)", "ab", &["ab"], "abc"),
            (
                "uuid",
                "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11",
                &["0B6A7E3C-9E0D-4B36-8C63-3B1E1E0A9F11"],
                "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f12",
            ),
            ("integer", "7", &["7"], "8"),
        ],
        Kind::MariaDb => &[
            ("DATE", "2026-01-05", &["2026-01-05", "2026-01-05T00:00:00"], "2026-01-06"),
            ("TIME", "10:00:00", &["10:00:00", "10:00"], "10:00:01"),
            ("TIME(3)", "10:00:00.5", &["10:00:00.5", "10:00:00.500"], "10:00:00"),
            ("DATETIME", "2026-01-05 10:00:00", &["2026-01-05 10:00:00", "2026-01-05T10:00"], "2026-01-05 10:00:01"),
            ("DECIMAL(10,2)", "12.50", &["12.50", "12.5", "012.5"], "12.51"),
            (
                "UUID",
                "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11",
                &["0B6A7E3C-9E0D-4B36-8C63-3B1E1E0A9F11"],
                "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f12",
            ),
            ("INET6", "2001:db8::1", &["2001:db8::1", "2001:DB8:0::1"], "2001:db8::2"),
            ("CHAR(8)", "ab", &["ab"], "abc"),
            ("INT", "7", &["7"], "seven"),
            ("YEAR", "2026", &["2026"], "2025"),
        ],
    }
}

#[test]
fn a_row_is_found_by_what_is_of_any_type() {
    for kind in kinds() {
        block_on(async {
            for (ty, there, written, absent) in natural_types(kind) {
                let system = System::new(kind).await;
                for sql in [
                    &format!("CREATE TABLE [slots] ([id] SERIAL, [at] {ty})"),
                    "CREATE TABLE [visits] ([name] KEYTEXT, [slot_id] BIGINT)",
                    &format!("INSERT INTO [slots] ([id], [at]) VALUES (7, '{there}')"),
                ] {
                    system.run(&system.words(sql)).await;
                }
                let mut visits = Visits::default();
                for (number, at) in written.iter().chain([absent]).enumerate() {
                    visits.visits.insert(Visit { name: format!("v{number}"), at: Some((*at).into()) });
                }
                let report = pushed(visits, Sql::open(&system.url).unwrap()).await;
                let failed = reasons(&report);
                assert_eq!((report.counts.created, failed.len()), (written.len(), 1), "{ty} {failed:?}");
                assert!(failed[0].1.contains("`slots` has no row"), "{ty} {failed:?}");
            }
        });
    }
}

/// Found by bytes.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "leases")]
struct Lease {
    #[sync(id)]
    name: String,
    #[sql(lookup = "card_id -> cards(mac)")]
    mac: Option<Vec<u8>>,
}

#[derive(Dataset, Default)]
struct Leases {
    leases: Table<Lease>,
}

#[test]
fn a_row_is_found_by_bytes() {
    on_each(|system| async move {
        let (ty, of) = match system.kind {
            Kind::Sqlite => ("BLOB", "x'"),
            Kind::Postgres => ("bytea", "'\\x"),
            Kind::MariaDb => ("BINARY(3)", "x'"),
        };
        for sql in [
            &format!("CREATE TABLE [cards] ([id] SERIAL, [mac] {ty})"),
            "CREATE TABLE [leases] ([name] KEYTEXT, [card_id] BIGINT)",
            &format!("INSERT INTO [cards] ([mac]) VALUES ({of}00ff27'), ({of}ffffff')"),
        ] {
            system.run(&system.words(sql)).await;
        }
        let wanted = || {
            let lease = |(name, mac): (&str, [u8; 3])| Lease { name: name.into(), mac: Some(mac.to_vec()) };
            Leases { leases: [("a", [0, 255, 39]), ("b", [255; 3])].into_iter().map(lease).collect() }
        };
        assert_done(&pushed(wanted(), Sql::open(&system.url).unwrap()).await);
        let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.unchanged, report.counts.written()), (2, 0));
    });
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "facts")]
struct Fact {
    #[sync(id)]
    number: i32,
    value: Option<String>,
}

#[derive(Dataset, Default)]
struct Facts {
    facts: Table<Fact>,
}

/// Types of columns, and values as the database shows them.
fn shown_types(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Sqlite => &[("TEXT", "007"), ("TEXT", "a "), ("CHAR(2)", "abc "), ("", "1.50"), ("DATE", "2026-01-05")],
        Kind::Postgres => &[
            ("inet", "10.0.0.1"),
            ("inet", "10.0.0.1/8"),
            ("inet", "2001:db8::1"),
            ("host", "10.0.0.1"),
            ("inet ARRAY", "{10.0.0.1,10.0.0.0/8}"),
            ("cidr", "10.0.0.0/8"),
            ("boolean", "true"),
            ("char(5)", "ab"),
            ("money", "$1.50"),
            ("bit(3)", "101"),
            ("varbit", "10"),
            ("interval", "P1DT2H"),
            ("timestamptz", "2026-01-05 10:00:00+00"),
            ("timestamp", "2026-01-05 10:00:00.5"),
            ("timetz", "10:00:00+02"),
            ("date", "2026-01-05"),
            ("time", "10:00:00"),
            ("int4range", "[1,5)"),
            ("integer ARRAY", "{1,2}"),
            ("text ARRAY", "{\"a b\",NULL}"),
            ("json", "{\"a\":  1}"),
            ("jsonb", "{\"a\": 1}"),
            ("macaddr", "08:00:2b:01:02:03"),
            ("numeric", "12.50"),
            ("double precision", "0.1"),
            ("point", "(1,2)"),
            ("xml", "<a/>"),
            ("uuid", "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11"),
        ],
        Kind::MariaDb => &[
            ("INET6", "2001:db8::1"),
            ("UUID", "0b6a7e3c-9e0d-4b36-8c63-3b1e1e0a9f11"),
            ("CHAR(5)", "ab"),
            ("VARCHAR(5)", "ab "),
            ("DATE", "2026-01-05"),
            ("DATETIME", "2026-01-05 10:00:00"),
            ("DATETIME(3)", "2026-01-05 10:00:00.500"),
            ("TIME", "-10:00:00"),
            ("YEAR", "2026"),
            ("DECIMAL(10,2)", "12.50"),
            ("ENUM('a', 'b')", "b"),
            ("SET('a', 'b')", "a,b"),
            ("JSON", "{\"a\":  1}"),
        ],
    }
}

#[test]
fn a_text_that_is_written_as_its_column_shows_it_settles() {
    for kind in kinds() {
        block_on(async {
            let system = System::new(kind).await;
            if kind == Kind::Postgres {
                system.run("CREATE DOMAIN host AS inet").await;
            }
            for (ty, value) in shown_types(kind) {
                system.run(&system.words("DROP TABLE IF EXISTS [facts]")).await;
                system.run(&system.words(&format!("CREATE TABLE [facts] ([number] INTEGER, [value] {ty})"))).await;
                let wanted = || {
                    let fact = |number, value: Option<&str>| Fact { number, value: value.map(Into::into) };
                    Facts { facts: [fact(1, Some(value)), fact(2, None)].into_iter().collect() }
                };
                assert_done(&pushed(wanted(), Sql::open(&system.url).unwrap()).await);
                let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
                assert_eq!((report.counts.unchanged, report.counts.written()), (2, 0), "{ty} {value}");
            }
        });
    }
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "facts")]
struct Net {
    #[sync(id)]
    number: i32,
    #[sql(as = text)]
    value: Option<IpNet>,
}

#[derive(Dataset, Default)]
struct Nets {
    facts: Table<Net>,
}

#[test]
fn the_network_of_one_host_is_read_from_an_address() {
    for kind in kinds().into_iter().filter(|kind| *kind == Kind::Postgres) {
        block_on(async {
            let system = System::new(kind).await;
            system.run("CREATE TABLE facts (number integer, value inet)").await;
            let wanted = || {
                let nets = ["10.0.0.1/32", "10.0.0.1/8", "2001:db8::1/128"].into_iter().zip(0..);
                let net = |(net, number): (&str, i32)| Net { number, value: net.parse().ok() };
                Nets { facts: nets.map(net).collect() }
            };
            assert_done(&pushed(wanted(), Sql::open(&system.url).unwrap()).await);
            let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
            assert_eq!((report.counts.unchanged, report.counts.written()), (3, 0));
        });
    }
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "facts")]
struct Share {
    #[sync(id)]
    number: i32,
    value: f64,
}

#[derive(Dataset, Default)]
struct Shares {
    facts: Table<Share>,
}

#[test]
fn a_number_with_a_fraction_is_not_put_into_a_column_of_whole_numbers() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [facts] ([number] INTEGER, [value] INTEGER)")).await;
        let wanted = || Shares { facts: [Share { number: 1, value: 2.5 }].into_iter().collect() };
        let mut health = HealthCheck::new(Side::Target);
        Sql::<Shares>::open(&system.url).unwrap().check(&mut health).await;
        if system.kind == Kind::Sqlite {
            // It keeps the fraction.
            assert!(health.is_healthy());
            assert_done(&pushed(wanted(), Sql::open(&system.url).unwrap()).await);
            let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
            assert_eq!((report.counts.unchanged, report.counts.written()), (1, 0));
            return;
        }
        let table = health.findings().iter().find(|found| found.what == "table facts").unwrap();
        assert!(!table.passed && table.detail.contains("`value`"), "{table:?}");
        let report = pushed(wanted(), Sql::open(&system.url).unwrap()).await;
        assert!(report.error_text().unwrap_or_default().contains("for the field `value`"), "{report:?}");
    });
}
