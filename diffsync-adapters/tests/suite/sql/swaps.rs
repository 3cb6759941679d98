//! Records that pass unique values on to each other, and tables that refer to each other.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{Sql, TransactionScope};
use diffsync_core::data::Side;
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, loaded, on_each, pushed, reasons};

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    tag: Option<String>,
    serial: String,
    slot: i32,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(Dataset, Default)]
struct Devices {
    devices: Table<Device>,
}

/// Devices, each with a letter of these for its tag, its serial and its slot.
fn devices(letters: &str) -> Devices {
    let device = |(number, letter): (usize, char)| Device {
        name: format!("d{number}"),
        tag: Some(letter.into()),
        serial: format!("s{letter}"),
        slot: i32::try_from(u32::from(letter)).unwrap(),
        id: None,
    };
    Devices { devices: letters.chars().enumerate().map(device).collect() }
}

async fn make_table(system: &System) {
    let definition = "CREATE TABLE [devices] ([id] SERIAL, [name] KEYTEXT, [tag] VARCHAR(10) UNIQUE, \
                      [serial] VARCHAR(10) NOT NULL UNIQUE, [slot] INTEGER NOT NULL UNIQUE)";
    system.run(&system.words(definition)).await;
}

#[test]
fn unique_values_change_places_in_one_run() {
    on_each(|system| async move {
        make_table(&system).await;
        for transaction in [TransactionScope::PerBatch, TransactionScope::PerRun] {
            let sql = || Sql::open(&system.url).unwrap().transaction_scope(transaction);
            // A swap, a circle, a chain to a value that is free, and back.
            for letters in ["abcdef", "badefc", "cxabde", "abcdef", "fedcba"] {
                let report = pushed(devices(letters), sql()).await;
                assert_done(&report);
                assert_eq!(pushed(devices(letters), sql()).await.counts.unchanged, 6, "{letters}");
            }
        }
    });
}

#[test]
fn a_value_that_stays_taken_fails_what_wants_it_and_no_other() {
    on_each(|system| async move {
        make_table(&system).await;
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(devices("abcde"), sql()).await);
        // The second wants what the third keeps, and the first what the second therefore keeps.
        let report = pushed(devices("bcced"), sql()).await;
        assert_eq!((report.counts.updated, report.counts.failed), (2, 2), "{:?}", reasons(&report));
        let failed: Vec<String> = reasons(&report).into_iter().map(|(record, _)| record).collect();
        assert_eq!(failed, ["d0", "d1"]);
        let left = system.texts(&system.words("SELECT [tag] FROM [devices] ORDER BY [name]")).await;
        assert_eq!(left, ["a", "b", "c", "e", "d"]);
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "ports")]
struct Port {
    #[sync(id)]
    name: String,
    tag: Option<String>,
    #[sql(lookup = "vlan_no -> vlans(name) on number")]
    vlan: Option<String>,
}

#[derive(Dataset, Default)]
struct Ports {
    ports: Table<Port>,
}

#[test]
fn a_record_that_fails_for_another_reason_keeps_its_unique_value_while_others_change_places() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT)")).await;
        let definition =
            "CREATE TABLE [ports] ([name] VARCHAR(20) PRIMARY KEY, [tag] VARCHAR(10) UNIQUE, [vlan_no] INTEGER)";
        system.run(&system.words(definition)).await;
        let ports = |tags: [&str; 3], vlan: Option<&str>| {
            let port = |(name, tag): (&str, &str)| Port {
                name: name.into(),
                tag: Some(tag.into()),
                vlan: vlan.filter(|_| name == "c").map(Into::into),
            };
            Ports { ports: ["a", "b", "c"].into_iter().zip(tags).map(port).collect() }
        };
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(ports(["1", "2", "3"], None), sql()).await);
        let report = pushed(ports(["2", "1", "4"], Some("nowhere")), sql()).await;
        assert_eq!((report.counts.updated, report.counts.failed), (2, 1), "{:?}", reasons(&report));
        assert_eq!(system.texts(&system.words("SELECT [tag] FROM [ports] ORDER BY [name]")).await, ["2", "1", "3"]);
    });
}

/// A rack names the device at its head, which is in it.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "racks")]
struct Rack {
    #[sync(id)]
    name: String,
    #[sync(references(Unit, deferred))]
    #[sql(lookup = "head_id -> units(name)")]
    head: Option<String>,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "units")]
struct Unit {
    #[sync(id)]
    name: String,
    #[sync(references = Rack)]
    #[sql(lookup = "rack_id -> racks(name)")]
    rack: String,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

#[derive(Dataset, Default)]
struct Room {
    racks: Table<Rack>,
    units: Table<Unit>,
}

fn room(count: usize, head: usize) -> Room {
    let mut room = Room::default();
    room.racks.mark_loaded();
    room.units.mark_loaded();
    for number in 0..count {
        let head = Some(format!("u{}", (number + head) % count));
        room.racks.insert(Rack { name: format!("r{number}"), head, id: None });
        room.units.insert(Unit { name: format!("u{number}"), rack: format!("r{number}"), id: None });
    }
    room
}

#[test]
fn tables_that_refer_to_each_other_are_made_with_both_foreign_keys() {
    on_each(|system| async move {
        assert_done(&pushed(room(1_000, 0), system.sql()).await);
        let keys = match system.kind {
            Kind::Sqlite => {
                "SELECT [table] || '.' || [from] FROM pragma_foreign_key_list('racks') UNION
                 SELECT [table] || '.' || [from] FROM pragma_foreign_key_list('units') ORDER BY 1"
            }
            Kind::Postgres => {
                "SELECT confrelid::regclass || '.' || attname FROM pg_constraint
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
                 WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1"
            }
            Kind::MariaDb => {
                "SELECT CONCAT(referenced_table_name, '.', column_name) FROM information_schema.key_column_usage
                 WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL ORDER BY 1"
            }
        };
        assert_eq!(system.texts(keys).await, ["racks.rack_id", "units.head_id"], "{:?}", system.kind);

        for (count, head) in [(1_000, 1), (10, 3), (0, 0)] {
            assert_done(&pushed(room(count, head), system.sql()).await);
            let found: Room = loaded(&system.sql(), Side::Target).await.unwrap();
            assert_eq!((found.racks.len(), found.units.len()), (count, count));
            assert_eq!(pushed(room(count, head), system.sql()).await.counts.written(), 0);
        }
    });
}

/// Devices without numbers, to which rows of a table that is not in the data set refer.
async fn make_followed(system: &System, rule: &str) {
    make_table(system).await;
    let labels = "CREATE TABLE [labels] ([text] KEYTEXT, [tag] VARCHAR(10), \
                  FOREIGN KEY ([tag]) REFERENCES [devices] ([tag]) ON UPDATE ";
    system.run(&system.words(&format!("{labels}{rule})"))).await;
}

#[test]
fn a_row_that_refers_to_a_unique_value_keeps_it_while_values_change_places() {
    for rule in ["CASCADE", "SET NULL"] {
        on_each(|system| async move {
            make_followed(&system, rule).await;
            let sql = || Sql::open(&system.url).unwrap();
            assert_done(&pushed(devices("abcd"), sql()).await);
            system.run(&system.words("INSERT INTO [labels] ([text], [tag]) VALUES ('one', 'a'), ('two', 'b')")).await;

            // The first two change places, and the others do as well.
            let report = pushed(devices("badc"), sql()).await;
            let failed = reasons(&report);
            assert!(failed.iter().any(|(record, _)| record == "d0"), "{rule}: {failed:?}");
            let labels =
                system.texts(&system.words("SELECT [tag] FROM [labels] WHERE [tag] IS NOT NULL ORDER BY 1")).await;
            assert_eq!(labels, ["a", "b"], "{rule}: {failed:?}");
        });
    }
}

#[test]
fn a_value_is_not_emptied_that_another_row_would_lose_with_it() {
    on_each(|system| async move {
        make_followed(&system, "CASCADE").await;
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(devices("ab"), sql()).await);
        system.run(&system.words("INSERT INTO [labels] ([text], [tag]) VALUES ('one', 'a')")).await;

        let mut emptied = devices("ab");
        let without = |device: &Device| Device { tag: None, ..device.clone() };
        emptied.devices = emptied.devices.iter().map(without).collect();
        let failed = reasons(&pushed(emptied, sql()).await);
        assert_eq!(failed.len(), 1, "{failed:?}");
        let (record, reason) = &failed[0];
        assert_eq!(record, "d0");
        assert!(reason.contains("would empty `tag` in 1 row of `labels`"), "{reason}");

        // Another value is passed on.
        assert_done(&pushed(devices("c"), sql()).await);
        assert_eq!(system.texts(&system.words("SELECT [tag] FROM [labels]")).await, ["c"]);
    });
}

#[test]
fn of_a_batch_in_which_values_change_places_each_that_is_refused_is_told_who_has_its_value() {
    on_each(|system| async move {
        make_table(&system).await;
        let sql = || Sql::open(&system.url).unwrap();
        assert_done(&pushed(devices("abcd"), sql()).await);
        let failed = reasons(&pushed(devices("ccba"), sql()).await);
        for (record, reason) in &failed {
            assert!(reason.contains("has the same"), "{record}: {reason}");
        }
        assert!(!failed.is_empty());
    });
}

#[test]
fn values_of_two_columns_change_places_each_with_another_record() {
    on_each(|system| async move {
        make_table(&system).await;
        let sql = || Sql::open(&system.url).unwrap();
        // The tags change places in pairs, the serials in a circle, and the slots from end to end.
        let crossed = || {
            let (serials, slots) = (devices("bcda"), devices("dcba"));
            let others = serials.devices.iter().zip(slots.devices.iter());
            let device = |(device, (serial, slot)): (&Device, (&Device, &Device))| Device {
                serial: serial.serial.clone(),
                slot: slot.slot,
                ..device.clone()
            };
            Devices { devices: devices("badc").devices.iter().zip(others).map(device).collect() }
        };
        for scope in [TransactionScope::PerBatch, TransactionScope::PerRun] {
            let sql = || sql().transaction_scope(scope);
            assert_done(&pushed(devices("abcd"), sql()).await);
            assert_done(&pushed(crossed(), sql()).await);
            assert_eq!(pushed(crossed(), sql()).await.counts.unchanged, 4);
        }
    });
}

/// The names of the devices that are in the table.
async fn names(system: &System) -> Vec<String> {
    system.texts(&system.words("SELECT [name] FROM [devices] ORDER BY [name]")).await
}

#[test]
fn of_two_values_that_two_records_have_both_records_stay() {
    on_each(|system| async move {
        make_table(&system).await;
        let sql = || Sql::open(&system.url).unwrap();
        let of = |letter: char| devices(&letter.to_string()).devices.iter().next().unwrap().clone();
        let (a, b) = (of('a'), of('b'));
        let free = Device { name: "new".into(), id: None, ..of('x') };
        for wanted in [
            // Of these, the first cannot be emptied.
            Device { serial: a.serial.clone(), slot: b.slot, ..free.clone() },
            // The tag is emptied for it, and restored, since the slot is taken too.
            Device { tag: a.tag.clone(), slot: b.slot, ..free.clone() },
        ] {
            for is_there in [false, true] {
                system.run(&system.words("DELETE FROM [devices]")).await;
                let mut before = devices("abc");
                before.devices.extend(is_there.then(|| free.clone()));
                assert_done(&pushed(before, sql()).await);

                let report = pushed(Devices { devices: [wanted.clone()].into_iter().collect() }, sql()).await;
                let failed = reasons(&report);
                let (_, reason) = failed.iter().find(|(record, _)| record == "new").unwrap();
                assert!(reason.contains("d0") && reason.contains("d1"), "{reason}");
                let left: &[&str] = if is_there { &["d0", "d1", "new"] } else { &["d0", "d1"] };
                assert_eq!(names(&system).await, left, "{wanted:?}");
                let tags = "SELECT [tag] FROM [devices] WHERE [name] IN ('d0', 'd1') ORDER BY [name]";
                assert_eq!(system.texts(&system.words(tags)).await, ["a", "b"]);
            }
        }
    });
}
