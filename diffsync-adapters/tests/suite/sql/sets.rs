//! Links and sets in databases: a set stands in a column in one order, and a link is stored as the database spells what it
//! names.

use std::collections::HashSet;

use diffsync_adapters::SqlModel;
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{assert_done, on_each, pushed};

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "things")]
struct Thing {
    #[sync(id)]
    number: i64,
    #[sql(as = json)]
    tags: HashSet<String>,
}

#[derive(Dataset, Default)]
struct Things {
    things: Table<Thing>,
}

#[test]
fn a_set_is_stored_in_one_order() {
    on_each(|system| async move {
        let tags = || ["e", "b", "d", "a", "f", "c"].map(str::to_owned).into();
        let things = || Things { things: (1..9).map(|number| Thing { number, tags: tags() }).collect() };
        assert_done(&pushed(things(), system.sql()).await);
        assert_eq!(pushed(things(), system.sql()).await.counts.unchanged, 8);
        let stored = system.texts("SELECT CAST(tags AS CHAR(100)) FROM things").await;
        for text in stored {
            assert_eq!(text.replace(' ', ""), r#"["a","b","c","d","e","f"]"#);
        }
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "sites")]
struct Site {
    #[sync(id, compare = ignore_case)]
    slug: String,
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "racks")]
struct Rack {
    #[sync(id, parent = Site)]
    site: String,
    #[sync(id)]
    number: i64,
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "devs")]
struct Dev {
    #[sync(id)]
    name: String,
    #[sync(parent = Site)]
    site: String,
}

#[derive(Dataset, Default)]
struct Plant {
    sites: Table<Site>,
    racks: Table<Rack>,
    devs: Table<Dev>,
}

fn plant(site: &str, racks: i64, devs: &[&str]) -> Plant {
    Plant {
        sites: [Site { slug: site.into() }].into_iter().collect(),
        racks: (0..racks).map(|number| Rack { site: site.into(), number }).collect(),
        devs: devs.iter().map(|name| Dev { name: (*name).into(), site: site.into() }).collect(),
    }
}

#[test]
fn what_lives_under_a_site_of_another_case_is_kept_and_new_ones_are_stored_as_the_database_spells_it() {
    on_each(|system| async move {
        assert_done(&pushed(plant("ams", 2, &["a"]), system.sql()).await);
        let report = pushed(plant("AMS", 2, &["a"]), system.sql()).await;
        assert_eq!((report.counts.unchanged, report.counts.records()), (4, 4), "{:?}", system.kind);
        // The foreign keys of the tables that we make are by letter.
        assert_done(&pushed(plant("AMS", 3, &["a", "b"]), system.sql()).await);
        assert_eq!(system.texts("SELECT DISTINCT site FROM racks").await, ["ams"]);
        assert_eq!(system.texts("SELECT DISTINCT site FROM devs").await, ["ams"]);
    });
}
