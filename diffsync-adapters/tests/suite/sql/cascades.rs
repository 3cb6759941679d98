//! What the database deletes or empties by itself is looked for before a record is deleted.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::{Side, VisitedBy};
use diffsync_core::{Adapter, Dataset, SyncModel, Table};

use super::systems::{Kind, System, assert_done, on_each, pushed, reasons};

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "sites")]
struct Site {
    #[sync(id)]
    name: String,
    #[sync(local)]
    #[sql(key)]
    id: Option<i64>,
}

/// A link that the data set holds.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    #[sync(parent = Site)]
    #[sql(lookup = "site_id -> sites(name)")]
    site: String,
}

#[derive(Dataset, Default)]
struct Held {
    sites: Table<Site>,
    devices: Table<Device>,
}

/// The same foreign key, and no link.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "devices")]
struct Unlinked {
    #[sync(id)]
    name: String,
    #[sql(lookup = "site_id -> sites(name)")]
    site: String,
}

#[derive(Dataset, Default)]
struct Loose {
    sites: Table<Site>,
    devices: Table<Unlinked>,
}

#[derive(Dataset, Default)]
struct Sites {
    sites: Table<Site>,
}

/// As `Site`, whose rows may take others with them.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "sites", cascades)]
struct Open {
    #[sync(id)]
    name: String,
}

#[derive(Dataset, Default)]
struct Opens {
    sites: Table<Open>,
}

/// A site whose devices the database deletes.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sync(flags(skip_children_on_delete))]
#[sql(table = "sites")]
struct Place {
    #[sync(id)]
    name: String,
}

#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "devices")]
struct Placed {
    #[sync(id)]
    name: String,
    #[sync(parent = Place)]
    #[sql(lookup = "site_id -> sites(name) on id")]
    site: String,
}

#[derive(Dataset, Default)]
struct Topmost {
    sites: Table<Place>,
    devices: Table<Placed>,
}

async fn made(system: &System, of_devices: &str, of_notes: &str) {
    for sql in [
        "CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT UNIQUE)",
        &format!(
            "CREATE TABLE [devices] ([name] KEYTEXT, [site_id] BIGINT,
             FOREIGN KEY ([site_id]) REFERENCES [sites] ([id]) ON DELETE {of_devices})"
        ),
        &format!(
            "CREATE TABLE [notes of] ([text] KEYTEXT, [about] KEYTEXT,
             FOREIGN KEY ([about]) REFERENCES [sites] ([name]) ON DELETE {of_notes})"
        ),
        "INSERT INTO [sites] ([id], [name]) VALUES (1, 'ams'), (2, 'fra'), (3, 'ber')",
        "INSERT INTO [devices] ([name], [site_id]) VALUES ('d1', 1), ('d2', 1), ('d3', 2)",
    ] {
        system.run(&system.words(sql)).await;
    }
}

fn sites(names: &[&str]) -> Table<Site> {
    let mut sites: Table<Site> = names.iter().map(|name| Site { name: (*name).into(), id: None }).collect();
    sites.mark_loaded();
    sites
}

async fn count(system: &System, table: &str) -> usize {
    system.texts(&system.words(&format!("SELECT 'row' FROM [{table}]"))).await.len()
}

#[test]
fn a_record_is_not_deleted_with_rows_that_the_data_set_does_not_hold() {
    on_each(|system| async move {
        made(&system, "CASCADE", "SET NULL").await;
        system.run(&system.words("INSERT INTO [notes of] ([text], [about]) VALUES ('n', 'ber')")).await;
        // `fra` has one device, `ber` a note, `ams` stays.
        let report = pushed(Sites { sites: sites(&["ams"]) }, Sql::open(&system.url).unwrap()).await;
        let failed = reasons(&report);
        assert_eq!(failed.len(), 2, "{failed:?}");
        let of = |name: &str| &failed.iter().find(|(record, _)| record.ends_with(name)).unwrap().1;
        assert!(of("fra").contains("would delete 1 row of `devices`"), "{failed:?}");
        assert!(of("ber").contains("would empty `about` in 1 row of `notes of`"), "{failed:?}");
        assert!(of("ber").contains("`#[sql(cascades)]`"), "{failed:?}");
        assert_eq!((count(&system, "sites").await, count(&system, "devices").await), (3, 3));

        // Without such rows it goes, also in a batch with some that stay.
        system.run(&system.words("DELETE FROM [notes of]")).await;
        let report = pushed(Sites { sites: sites(&[]) }, Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.deleted, reasons(&report).len()), (1, 2));
        assert_eq!((count(&system, "sites").await, count(&system, "devices").await), (2, 3));
    });
}

#[test]
fn a_foreign_key_is_held_only_if_it_is_a_link() {
    on_each(|system| async move {
        made(&system, "CASCADE", "CASCADE").await;
        let mut loose = Loose { sites: sites(&["ams"]), ..Loose::default() };
        loose.devices.mark_loaded();
        for (name, site) in [("d1", "ams"), ("d2", "ams"), ("d3", "fra")] {
            loose.devices.insert(Unlinked { name: name.into(), site: site.into() });
        }
        let report = pushed(loose, Sql::open(&system.url).unwrap()).await;
        assert!(reasons(&report).iter().any(|(_, reason)| reason.contains("1 row of `devices`")), "{report:?}");
        assert_eq!(count(&system, "devices").await, 3);

        // The core deletes what hangs on a site first, so there is nothing left to cascade.
        let mut held = Held { sites: sites(&["ams"]), ..Held::default() };
        held.devices.mark_loaded();
        for name in ["d1", "d2"] {
            held.devices.insert(Device { name: name.into(), site: "ams".into() });
        }
        assert_done(&pushed(held, Sql::open(&system.url).unwrap()).await);
        assert_eq!((count(&system, "sites").await, count(&system, "devices").await), (1, 2));
    });
}

#[test]
fn a_model_may_say_that_others_go_with_its_rows() {
    on_each(|system| async move {
        made(&system, "CASCADE", "CASCADE").await;
        let mut none = Opens::default();
        none.sites.mark_loaded();
        assert_done(&pushed(none, Sql::open(&system.url).unwrap()).await);
        assert_eq!((count(&system, "sites").await, count(&system, "devices").await), (0, 0));
    });
}

#[test]
fn a_check_says_what_the_database_would_delete_as_well() {
    async fn cascades<D: Dataset + VisitedBy<diffsync_adapters::sql::ModelEntries<D>>>(
        system: &System,
    ) -> Option<String> {
        let mut health = HealthCheck::new(Side::Target);
        Sql::<D>::open(&system.url).unwrap().check(&mut health).await;
        let found = health.findings().iter().find(|found| found.what == "deletes in sites");
        found.map(|found| found.detail.clone())
    }

    on_each(|system| async move {
        made(&system, "CASCADE", "SET NULL").await;
        let both = cascades::<Sites>(&system).await.unwrap();
        assert!(both.contains("delete rows of `devices`"), "{both}");
        assert!(both.contains("empty `about` in rows of `notes of`"), "{both}");
        let unlinked = cascades::<Held>(&system).await.unwrap();
        assert!(!unlinked.contains("`devices`"), "{unlinked}");
        assert!(cascades::<Opens>(&system).await.unwrap().contains("which the model allows"));
    });
}

#[test]
fn a_chain_of_links_is_followed_to_rows_that_the_data_set_does_not_hold() {
    on_each(|system| async move {
        for sql in [
            "CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT UNIQUE)",
            "CREATE TABLE [devices] ([name] VARCHAR(50) UNIQUE, [site_id] BIGINT,
             FOREIGN KEY ([site_id]) REFERENCES [sites] ([id]) ON DELETE CASCADE)",
            "CREATE TABLE [audit] ([text] KEYTEXT, [device] VARCHAR(50),
             FOREIGN KEY ([device]) REFERENCES [devices] ([name]) ON DELETE CASCADE)",
            "INSERT INTO [sites] ([id], [name]) VALUES (1, 'ams'), (2, 'fra')",
            "INSERT INTO [devices] ([name], [site_id]) VALUES ('d1', 1), ('d2', 2)",
            "INSERT INTO [audit] ([text], [device]) VALUES ('a', 'd1')",
        ] {
            system.run(&system.words(sql)).await;
        }
        let mut none = Topmost::default();
        none.sites.mark_loaded();
        none.devices.mark_loaded();
        let report = pushed(none, Sql::open(&system.url).unwrap()).await;
        let failed = reasons(&report);
        assert!(
            failed.iter().any(|(_, reason)| reason.contains("delete 1 row of `audit` through `devices`")),
            "{failed:?}"
        );
        assert_eq!((count(&system, "sites").await, count(&system, "devices").await), (1, 1));
        assert_eq!(count(&system, "audit").await, 1);
    });
}

#[test]
fn rows_that_the_login_cannot_read_are_not_deleted_with_a_record() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            return;
        }
        made(&system, "CASCADE", "CASCADE").await;
        system.run(&system.words("INSERT INTO [notes of] ([text], [about]) VALUES ('n', 'ber')")).await;
        let login = format!("reader_{}", system.url.path().trim_start_matches('/'));
        let login = match system.kind {
            Kind::Postgres => format!("{login}_{}", std::process::id()),
            _ => login,
        };
        let grants = match system.kind {
            Kind::Postgres => format!(
                "CREATE ROLE {login} LOGIN PASSWORD 'pw'; GRANT ALL ON sites, devices TO {login};
                 DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {login}', current_schema()); END $$"
            ),
            _ => format!(
                "CREATE USER '{login}'@'%' IDENTIFIED BY 'pw'; GRANT ALL ON sites TO '{login}'@'%';
                 GRANT ALL ON devices TO '{login}'@'%'; GRANT INSERT ON `notes of` TO '{login}'@'%'"
            ),
        };
        system.run(&grants).await;
        let mut url = system.url.clone();
        url.set_username(&login).unwrap();
        url.set_password(Some("pw")).unwrap();

        let failed = reasons(&pushed(Sites { sites: sites(&["ams", "fra"]) }, Sql::open(&url).unwrap()).await);
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert!(failed[0].1.contains("the login may not read that table"), "{failed:?}");
        assert_eq!((count(&system, "sites").await, count(&system, "notes of").await), (3, 1));

        // Row-level security hides the row instead.
        if system.kind == Kind::Postgres {
            let sql =
                format!("GRANT SELECT ON \"notes of\" TO {login}; ALTER TABLE \"notes of\" ENABLE ROW LEVEL SECURITY");
            system.run(&sql).await;
            let failed = reasons(&pushed(Sites { sites: sites(&["ams", "fra"]) }, Sql::open(&url).unwrap()).await);
            assert!(failed[0].1.contains("row-level security"), "{failed:?}");
            assert_eq!((count(&system, "sites").await, count(&system, "notes of").await), (3, 1));
        }
    });
}

#[test]
fn a_row_that_is_still_there_after_its_delete_is_not_taken_for_deleted() {
    on_each(|system| async move {
        let sql = match system.kind {
            Kind::Sqlite => {
                "CREATE TABLE base (id INTEGER PRIMARY KEY, name TEXT);
                 CREATE VIEW sites AS SELECT id, name FROM base;
                 CREATE TRIGGER remove INSTEAD OF DELETE ON sites WHEN OLD.name <> 'fra'
                 BEGIN DELETE FROM base WHERE id = OLD.id; END;
                 INSERT INTO base VALUES (1, 'ams'), (2, 'fra'), (3, 'ber')"
            }
            Kind::Postgres => {
                "CREATE TABLE sites (id bigint PRIMARY KEY, name text);
                 CREATE RULE keep AS ON DELETE TO sites WHERE OLD.name = 'fra' DO INSTEAD NOTHING;
                 INSERT INTO sites VALUES (1, 'ams'), (2, 'fra'), (3, 'ber')"
            }
            // It has neither.
            Kind::MariaDb => return,
        };
        system.run(sql).await;
        let report = pushed(Sites { sites: sites(&["ams"]) }, Sql::open(&system.url).unwrap()).await;
        let failed = reasons(&report);
        assert_eq!((report.counts.deleted, failed.len()), (1, 1), "{failed:?}");
        assert!(failed[0].0.ends_with("fra") && failed[0].1.contains("still has the row"), "{failed:?}");
        assert_eq!(count(&system, "sites").await, 2);
    });
}

/// A region in another. The database deletes them together.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sync(flags(skip_children_on_delete))]
#[sql(table = "regions")]
struct Region {
    #[sync(id)]
    name: String,
    #[sync(parent = Region)]
    #[sql(lookup = "up -> regions(name) on id")]
    up: Option<String>,
}

#[derive(Dataset, Default)]
struct Regions {
    regions: Table<Region>,
}

#[test]
fn a_table_that_refers_to_itself_is_followed_and_its_end_is_refused() {
    on_each(|system| async move {
        for sql in [
            "CREATE TABLE [regions] ([id] SERIAL, [name] KEYTEXT, [up] BIGINT,
             FOREIGN KEY ([up]) REFERENCES [regions] ([id]) ON DELETE CASCADE)",
            "CREATE TABLE [audit] ([region] BIGINT, FOREIGN KEY ([region]) REFERENCES [regions] ([id]) ON DELETE CASCADE)",
        ] {
            system.run(&system.words(sql)).await;
        }
        // Of the depths, one is followed to its end, and one is longer than that.
        for depth in [4, 12] {
            system.run(&system.words("DELETE FROM [audit]")).await;
            system.run(&system.words("DELETE FROM [regions]")).await;
            for id in 1..=depth {
                let up = if id == 1 { "NULL".to_owned() } else { (id - 1).to_string() };
                let row = format!("INSERT INTO [regions] ([id], [name], [up]) VALUES ({id}, 'r{id}', {up})");
                system.run(&system.words(&row)).await;
            }
            system.run(&system.words(&format!("INSERT INTO [audit] ([region]) VALUES ({depth})"))).await;
            let mut none = Regions::default();
            none.regions.mark_loaded();
            let failed = reasons(&pushed(none, Sql::open(&system.url).unwrap()).await);
            assert!(!failed.is_empty());
            assert_eq!((count(&system, "regions").await, count(&system, "audit").await), (depth, 1), "{failed:?}");
        }
    });
}
