//! Tables that cannot be written in the fastest way, and rows that are too large for one statement.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, loaded, on_each, pushed, reasons, records};
use super::world::{Vlan, Vlans, vlan, vlans};

/// What `check` says of a table's rows.
async fn way(url: &Url, table: &str) -> String {
    let mut health = HealthCheck::new(Side::Target);
    Sql::<Vlans>::open(url).unwrap().check(&mut health).await;
    assert!(health.is_healthy(), "{:?}", health.findings());
    let of = format!("writing {table}");
    let finding = health.findings().iter().find(|finding| finding.what == of);
    finding.map(|finding| finding.detail.clone()).unwrap_or_default()
}

/// Creates, updates and deletes.
async fn can_be_written(url: &Url) {
    let sql = || Sql::<Vlans>::open(url).unwrap();
    assert_done(&pushed(vlans(0..50), sql()).await);
    assert_eq!(pushed(vlans(0..50), sql()).await.counts.unchanged, 50);
    let mut changed = vlans(20..60);
    changed.vlans = changed.vlans.iter().map(|vlan| Vlan { note: Some("new".into()), ..vlan.clone() }).collect();
    let report = pushed(changed, sql()).await;
    assert_done(&report);
    assert_eq!((report.counts.created, report.counts.updated, report.counts.deleted), (10, 30, 20));
}

/// The URL of the same database for a login with no other rights than granted.
async fn other_login(system: &System) -> Url {
    let schema = system.url.query_pairs().find(|(key, _)| key == "application_name").unwrap().1.into_owned();
    let (role, table) = (format!("role_{schema}"), format!("{schema}.vlans"));
    system
        .run(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}"
        ))
        .await;
    let mut url = system.url.clone();
    url.set_username(&role).unwrap();
    url.set_password(Some("secret")).unwrap();
    url
}

#[test]
fn a_table_with_row_level_security_is_written() {
    on_each(|system| async move {
        if system.kind != Kind::Postgres {
            return;
        }
        system
            .run(
                "CREATE TABLE vlans (number INTEGER PRIMARY KEY, name TEXT, note TEXT);
                 ALTER TABLE vlans ENABLE ROW LEVEL SECURITY;
                 CREATE POLICY small ON vlans USING (number < 1000) WITH CHECK (number < 1000)",
            )
            .await;
        assert_eq!(way(&system.url, "vlans").await, "rows are inserted by `COPY`", "its owner is not held back");
        let url = other_login(&system).await;
        let detail = way(&url, "vlans").await;
        assert_eq!(detail, "rows are inserted by `INSERT`, since row-level security applies to this login");
        can_be_written(&url).await;

        // What the policy forbids is an error of its record.
        let mut wanted = vlans(20..60);
        wanted.vlans.insert(vlan(2_000));
        let report = pushed(wanted, Sql::open(&url).unwrap()).await;
        assert_eq!(report.counts.failed, 1, "{:?}", reasons(&report));
        assert!(reasons(&report)[0].1.contains("row-level security"), "{:?}", reasons(&report));
    });
}

#[test]
fn a_view_is_written() {
    on_each(|system| async move {
        system
            .run(&system.words("CREATE TABLE [base] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT, [note] KEYTEXT)"))
            .await;
        system.run(&system.words("CREATE VIEW [vlans] AS SELECT [number], [name], [note] FROM [base]")).await;
        if system.kind == Kind::Sqlite {
            system
                .run(
                    "CREATE TRIGGER i INSTEAD OF INSERT ON vlans BEGIN INSERT INTO base VALUES (NEW.number, NEW.name, NEW.note); END;
                     CREATE TRIGGER u INSTEAD OF UPDATE ON vlans BEGIN
                         UPDATE base SET name = NEW.name, note = NEW.note WHERE number = OLD.number; END;
                     CREATE TRIGGER d INSTEAD OF DELETE ON vlans BEGIN DELETE FROM base WHERE number = OLD.number; END",
                )
                .await;
        }
        if system.kind == Kind::Postgres {
            assert_eq!(way(&system.url, "vlans").await, "rows are inserted by `INSERT`, since it is a view");
        }
        can_be_written(&system.url).await;
    });
}

#[test]
fn a_view_with_triggers_instead_and_a_table_with_rules_are_written() {
    on_each(|system| async move {
        if system.kind != Kind::Postgres {
            return;
        }
        system
            .run(
                "CREATE TABLE base (number INTEGER PRIMARY KEY, title TEXT, note TEXT);
                 CREATE VIEW vlans AS SELECT number, upper(title) AS name, note FROM base;
                 CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF TG_OP = 'DELETE' THEN DELETE FROM base WHERE number = OLD.number; RETURN OLD; END IF;
                     INSERT INTO base VALUES (NEW.number, NEW.name, NEW.note)
                     ON CONFLICT (number) DO UPDATE SET title = NEW.name, note = NEW.note;
                     RETURN NEW; END $$;
                 CREATE TRIGGER puts INSTEAD OF INSERT OR UPDATE OR DELETE ON vlans FOR EACH ROW EXECUTE FUNCTION put()",
            )
            .await;
        let shouted = |numbers: std::ops::Range<u32>| Vlans {
            vlans: numbers.map(|number| Vlan { name: format!("VLAN {number}"), ..vlan(number) }).collect(),
        };
        assert_done(&pushed(shouted(0..50), Sql::open(&system.url).unwrap()).await);
        assert_done(&pushed(shouted(10..60), Sql::open(&system.url).unwrap()).await);
        let found: Vlans = loaded(&Sql::open(&system.url).unwrap(), Side::Target).await.unwrap();
        assert_eq!(records::<_, Vlan>(&found).len(), 50);

        system
            .run(
                "DROP VIEW vlans; CREATE TABLE vlans (number INTEGER PRIMARY KEY, name TEXT, note TEXT);
                 CREATE RULE twice AS ON INSERT TO vlans DO ALSO INSERT INTO base VALUES (NEW.number + 1000)",
            )
            .await;
        assert!(way(&system.url, "vlans").await.contains("since it has rules"));
        assert_done(&pushed(vlans(0..50), Sql::open(&system.url).unwrap()).await);
        assert_eq!(system.texts("SELECT count(*)::text FROM base WHERE number >= 1000").await, ["50"]);
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "blobs")]
struct Blob {
    #[sync(id)]
    number: u32,
    text: String,
}

#[derive(Dataset, Default)]
struct Blobs {
    blobs: Table<Blob>,
}

fn blobs(lengths: impl IntoIterator<Item = usize>, letter: &str) -> Blobs {
    let blob = |(number, length): (u32, usize)| Blob { number, text: letter.repeat(length) };
    Blobs { blobs: (0..).zip(lengths).map(blob).collect() }
}

#[test]
fn a_batch_that_is_too_large_for_one_message_is_split_and_a_row_that_is_too_large_fails_alone() {
    on_each(|system| async move {
        // More than MariaDB takes at once, and one that it never takes.
        let lengths = || [vec![300_000; 60], vec![17 << 20]].concat();
        let report = pushed(blobs(lengths(), "x"), system.sql()).await;
        let too_large = usize::from(system.kind == Kind::MariaDb);
        assert_eq!(
            (report.counts.created, report.counts.failed),
            (61 - too_large, too_large),
            "{:?}",
            reasons(&report)
        );
        assert_eq!(report.retries, 0, "what is too large stays too large");
        if too_large == 1 {
            let (record, reason) = reasons(&report).remove(0);
            assert!(
                record == "60" && reason.contains("is too large") && reason.contains("max_allowed_packet"),
                "{reason}"
            );
        }

        let report = pushed(blobs(lengths(), "y"), system.sql()).await;
        assert_eq!(
            (report.counts.updated, report.counts.failed),
            (61 - too_large, too_large),
            "{:?}",
            reasons(&report)
        );
        assert_eq!(report.retries, 0);
    });
}

#[test]
#[ignore = "takes six gigabytes of memory"]
fn a_batch_of_more_than_a_gigabyte_is_written() {
    on_each(|system| async move {
        for letter in ["x", "y"] {
            let report = pushed(blobs(vec![300_000; 4_000], letter), system.sql()).await;
            assert_done(&report);
            assert_eq!((report.counts.written(), report.retries), (4_000, 0));
        }
    });
}
