//! Values of every type are stored unchanged.

use std::collections::BTreeMap;
use std::net::IpAddr;

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{SqlType, Value, ValueKind};
use diffsync_core::data::Side;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, SyncModel, Table};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::systems::{Kind as Database, assert_done, loaded, on_each, pushed, records};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Status {
    Active,
    Retired,
}

impl SqlType for Status {
    const KIND: ValueKind = ValueKind::Text;

    fn to_sql(&self) -> Value<'_> {
        Value::Text(format!("{self:?}").into())
    }

    fn from_sql(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Text(text) if text == "Active" => Ok(Self::Active),
            Value::Text(text) if text == "Retired" => Ok(Self::Retired),
            other => Err(other.type_mismatch("`Active` or `Retired`")),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rack {
    units: u8,
    key: Secret<String>,
}

/// A field of every type.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "everything")]
struct Everything {
    #[sync(id)]
    number: i64,
    boolean: bool,
    tiny: i8,
    byte: u8,
    small: i16,
    port: u16,
    int: i32,
    unsigned: u32,
    big: u64,
    single: f32,
    double: f64,
    text: String,
    bytes: Vec<u8>,
    uuid: Uuid,
    json: serde_json::Value,
    address: IpAddr,
    #[sql(as = text)]
    network: IpNet,
    #[sql(as = json)]
    map: BTreeMap<String, Vec<u8>>,
    #[sql(as = json)]
    rack: Option<Rack>,
    status: Status,
    secret: Secret<Option<String>>,
    #[sql(as = text)]
    hidden: Option<Secret<IpNet>>,
    nothing: Option<f64>,
    maybe: Option<i64>,
    blob: Option<Vec<u8>>,
    #[sync(local)]
    #[sql(key)]
    key: Option<Uuid>,
}

#[derive(Dataset, Default)]
struct All {
    all: Table<Everything>,
}

fn everything(number: i64, largest: u64) -> Everything {
    let odd = number % 2 != 0;
    Everything {
        number,
        boolean: odd,
        tiny: if odd { i8::MIN } else { i8::MAX },
        byte: u8::MAX,
        small: i16::MIN,
        port: u16::MAX,
        int: i32::MIN,
        unsigned: u32::MAX,
        big: if odd { largest } else { 0 },
        single: 0.1,
        double: if odd { f64::MAX } else { -1.0e-300 },
        text: "🚀 'quoted' \"twice\" \\ \u{1}".into(),
        bytes: vec![0, 1, 254, 255, b'\\', b'\''],
        uuid: Uuid::from_u128(0x1234_5678_9abc_def0 + u128::try_from(number).unwrap_or(7)),
        json: json!({"a": [1, null, "x\"y\\"], "b": {"c": 1.5}}),
        address: if odd { "10.1.2.3".parse().unwrap() } else { "2001:db8::1".parse().unwrap() },
        network: "10.0.0.0/8".parse().unwrap(),
        map: [("k".to_owned(), vec![1, 2])].into(),
        rack: odd.then(|| Rack { units: 42, key: Secret::new("rack key".into()) }),
        status: if odd { Status::Active } else { Status::Retired },
        secret: Secret::new(odd.then(|| "hunter2".into())),
        hidden: odd.then(|| Secret::new("192.0.2.0/24".parse().unwrap())),
        nothing: odd.then_some(-0.5),
        maybe: (!odd).then_some(i64::MIN),
        blob: (!odd).then(Vec::new),
        key: None,
    }
}

#[test]
fn values_of_every_type_come_back() {
    on_each(|system| async move {
        let largest = if system.kind == Database::Sqlite { i64::MAX as u64 } else { u64::MAX };
        let wanted = |shift: i64| All {
            all: (-3..4).map(|n| Everything { number: n, ..everything(n + shift, largest) }).collect(),
        };
        for shift in [0, 1] {
            assert_done(&pushed(wanted(shift), system.sql()).await);
            let report = pushed(wanted(shift), system.sql()).await;
            assert_eq!((report.counts.unchanged, report.counts.written()), (7, 0), "{:?}", system.kind);
        }
        let found: All = loaded(&system.sql(), Side::Target).await.unwrap();
        for record in records::<_, Everything>(&found) {
            assert!(record.key.is_some());
            assert_eq!(
                Everything { key: None, ..record.clone() },
                Everything { number: record.number, ..everything(record.number + 1, largest) }
            );
        }
    });
}

#[test]
fn a_number_that_is_none_is_stored_or_refused_and_never_made_null() {
    on_each(|system| async move {
        let wanted = || All {
            all: [1, 2]
                .map(|n| Everything { nothing: (n == 1).then_some(f64::NAN), ..everything(n, 7) })
                .into_iter()
                .collect(),
        };
        let report = pushed(wanted(), system.sql()).await;
        if system.kind == Database::Postgres {
            assert_done(&report);
            assert_eq!(pushed(wanted(), system.sql()).await.counts.unchanged, 2);
        } else {
            assert_eq!((report.counts.created, report.counts.failed), (1, 1));
            let reason = report.failures().next().unwrap().reason;
            assert!(reason.contains("cannot store"), "{reason}");
        }
    });
}

#[test]
fn a_number_that_the_database_cannot_hold_is_an_error_of_its_record() {
    on_each(|system| async move {
        if system.kind != Database::Sqlite {
            return;
        }
        let wanted = All { all: [1, 2].map(|n| everything(n, u64::MAX)).into_iter().collect() };
        let report = pushed(wanted, system.sql()).await;
        assert_eq!((report.counts.created, report.counts.failed), (1, 1));
        let failed = report.failures().next().unwrap();
        assert!(failed.reason.contains("does not fit"), "{}", failed.reason);
    });
}

#[test]
fn columns_of_other_types_than_those_made_here_are_read_and_written() {
    #[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
    #[sql(table = "old")]
    struct Old {
        #[sync(id)]
        name: String,
        since: Option<String>,
        amount: i64,
        ratio: f64,
        price: String,
    }

    #[derive(Dataset, Default)]
    struct Olds {
        old: Table<Old>,
    }

    on_each(|system| async move {
        let (name, date) = match system.kind {
            Database::Postgres => ("citext_less VARCHAR(20)", "DATE"),
            _ => ("unused VARCHAR(20)", "DATE"),
        };
        let definition = format!(
            "CREATE TABLE [old] ([name] CHAR(12) PRIMARY KEY, [since] {date}, [amount] DECIMAL(12), [ratio] DOUBLE PRECISION, [price] DECIMAL(10, 2), {name})"
        );
        system.run(&system.words(&definition)).await;
        let old = |name: &str, day: u8| Old {
            name: name.into(),
            since: Some(format!("2024-02-{day:02}")),
            amount: i64::from(day) * 10_000_000,
            ratio: f64::from(day),
            price: if system.kind == Database::Sqlite { format!("{day}.25") } else { format!("{day}.50") },
        };
        for day in [1, 29] {
            let wanted = || Olds { old: ["a", "b c"].map(|name| old(name, day)).into_iter().collect() };
            assert_done(&pushed(wanted(), system.sql()).await);
            if system.kind == Database::Sqlite {
                // It makes a number of what looks like one, which no longer is a text.
                continue;
            }
            let report = pushed(wanted(), system.sql()).await;
            assert_eq!(
                (report.counts.unchanged, report.counts.written()),
                (2, 0),
                "{:?}",
                report.plan().map(|p| p.tree().to_string())
            );
        }
    });
}
