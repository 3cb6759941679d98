//! Foreign keys that are written: what they cannot hold fails the record that they are of.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::Sql;
use diffsync_core::data::Side;
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{System, assert_done, loaded, on_each, pushed, reasons};

/// A record that may lack a group. The site is part of the group's natural key, and is stored nowhere else.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "racks", lookup("group_id -> groups(site_id -> sites(name), name)", site, group))]
struct Rack {
    #[sync(id)]
    name: String,
    site: String,
    group: Option<String>,
}

#[derive(Dataset, Default)]
struct Racks {
    racks: Table<Rack>,
}

/// The same with a place for the site.
#[derive(SyncModel, SqlModel, Clone, Debug, PartialEq)]
#[sql(table = "shelves", lookup("group_id -> groups(site_id -> sites(name), name)", site, group))]
struct Shelf {
    #[sync(id)]
    name: String,
    #[sql(column = "site")]
    site: String,
    group: Option<String>,
}

#[derive(Dataset, Default)]
struct Shelves {
    shelves: Table<Shelf>,
}

/// A site with a group in it, and nothing else.
async fn a_group(system: &System) {
    for sql in [
        "CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT)",
        "CREATE TABLE [groups] ([id] SERIAL, [site_id] BIGINT, [name] KEYTEXT)",
        "CREATE TABLE [racks] ([name] KEYTEXT, [group_id] BIGINT)",
        "CREATE TABLE [shelves] ([name] KEYTEXT, [site] KEYTEXT, [group_id] BIGINT)",
        "INSERT INTO [sites] ([id], [name]) VALUES (1, 'AMS1')",
        "INSERT INTO [groups] ([id], [site_id], [name]) VALUES (1, 1, 'row a')",
    ] {
        system.run(&system.words(sql)).await;
    }
}

fn rack(name: &str, group: Option<&str>) -> Rack {
    Rack { name: name.into(), site: "AMS1".into(), group: group.map(Into::into) }
}

#[test]
fn a_part_of_a_natural_key_that_would_be_lost_fails_its_record() {
    on_each(|system| async move {
        a_group(&system).await;
        let racks =
            |group: Option<&str>| Racks { racks: [rack("a", Some("row a")), rack("b", group)].into_iter().collect() };
        let reason = "`group_id` would be null, since a part of its natural key is empty, and `site` is stored \
                      nowhere else: fill in all parts, or give `site` a column of its own";
        let expected = [("b".to_owned(), reason.to_owned())];
        let report = pushed(racks(None), Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.created, reasons(&report).as_slice()), (1, &expected[..]));
        // The same where it was there and would be taken away.
        assert_done(&pushed(racks(Some("row a")), Sql::open(&system.url).unwrap()).await);
        let report = pushed(racks(None), Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.unchanged, reasons(&report).as_slice()), (1, &expected[..]));
        let found: Racks = loaded(&Sql::open(&system.url).unwrap(), Side::Target).await.unwrap();
        assert_eq!(found.racks.get("b"), Some(&rack("b", Some("row a"))));
    });
}

#[test]
fn a_part_of_a_natural_key_that_has_a_place_of_its_own_leaves_the_foreign_key_null() {
    on_each(|system| async move {
        a_group(&system).await;
        let shelves = || {
            let shelf = |name: &str, group: Option<&str>| {
                let Rack { name, site, group } = rack(name, group);
                Shelf { name, site, group }
            };
            Shelves { shelves: [shelf("a", Some("row a")), shelf("b", None)].into_iter().collect() }
        };
        assert_done(&pushed(shelves(), Sql::open(&system.url).unwrap()).await);
        assert_eq!(pushed(shelves(), Sql::open(&system.url).unwrap()).await.counts.unchanged, 2);
        let free = system.words("SELECT [name] FROM [shelves] WHERE [group_id] IS NULL AND [site] = 'AMS1'");
        assert_eq!(system.texts(&free).await, ["b"]);
    });
}

#[test]
fn a_natural_key_that_several_rows_have_fails_the_record_that_names_it() {
    on_each(|system| async move {
        a_group(&system).await;
        let twice = "INSERT INTO [groups] ([id], [site_id], [name]) VALUES (2, 1, 'row b'), (3, 1, 'row b')";
        system.run(&system.words(twice)).await;
        let racks = [rack("a", Some("row a")), rack("b", Some("row b"))];
        let report = pushed(Racks { racks: racks.into_iter().collect() }, Sql::open(&system.url).unwrap()).await;
        let reason = "`groups` has several rows that are \"AMS1, row b\" for `group_id`".to_owned();
        assert_eq!((report.counts.created, reasons(&report)), (1, vec![("b".to_owned(), reason)]));
    });
}
