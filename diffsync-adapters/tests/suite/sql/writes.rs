//! Writes, and records that cannot be written.

use std::time::Duration;

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{Sql, TransactionScope};
use diffsync_core::data::Side;
use diffsync_core::report::{Event, Step};
use diffsync_core::value::{REDACTED, Secret};
use diffsync_core::{Dataset, SyncModel, Table};

use super::systems::{
    Kind, System, assert_done, loaded, on_each, pushed, pushed_behind, pushed_until, pushed_with, reasons, records,
};
use super::world::{
    Device, Interface, Location, Site, Vlan, Vlans, World, device, interface, site, vlan, vlans, world,
};

#[test]
fn nothing_is_made_before_something_is_written() {
    on_each(|system| async move {
        let report = pushed_with(vlans(1..4), system.sql(), |options| options.dry_run = true).await;
        assert_eq!(report.status.to_string(), "completed");
        if system.kind == Kind::Sqlite {
            assert!(!std::path::Path::new(system.url.path()).exists());
        }
        assert_done(&pushed(vlans(1..4), system.sql()).await);
        assert_eq!(pushed(vlans(1..4), system.sql()).await.counts.unchanged, 3);
    });
}

#[test]
fn one_row_and_seventy_thousand_in_one_batch() {
    on_each(|system| async move {
        assert_done(&pushed(vlans(0..1), system.sql().batch_size(100_000)).await);
        assert_done(&pushed(vlans(0..70_000), system.sql().batch_size(100_000)).await);
        let found: Vlans = loaded(&system.sql(), Side::Source).await.unwrap();
        assert_eq!(found.vlans.len(), 70_000);
        assert_eq!(found.vlans.get(&69_999), Some(&vlan(69_999)));
        // Every row is updated in one batch, then most are deleted in one.
        let renamed = |number| Vlan { name: format!("new {number}"), note: None, ..vlan(number) };
        let last = if system.kind == Kind::MariaDb { 5_000 } else { 70_000 };
        let mut changed = vlans(last..70_000);
        changed.vlans.extend((0..last).map(renamed));
        assert_done(&pushed(changed, system.sql().batch_size(100_000)).await);
        let found: Vlans = loaded(&system.sql(), Side::Source).await.unwrap();
        assert_eq!(found.vlans.get(&3), Some(&renamed(3)));
        assert_done(
            &pushed(Vlans { vlans: [renamed(3)].into_iter().collect() }, system.sql().batch_size(100_000)).await,
        );
        let found: Vlans = loaded(&system.sql(), Side::Source).await.unwrap();
        assert_eq!(records::<_, Vlan>(&found), [&renamed(3)]);
    });
}

#[test]
fn a_unique_violation_in_a_batch_fails_exactly_one_record() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT UNIQUE, [note] KEYTEXT)";
        system.run(&system.words(definition)).await;
        let mut wanted = vlans(0..999);
        wanted.vlans.insert(Vlan { name: "vlan 500".into(), ..vlan(4000) });
        let report = pushed(wanted, Sql::open(&system.url).unwrap().batch_size(1000)).await;
        assert_eq!((report.counts.created, report.counts.failed), (999, 1), "{:?}", reasons(&report));
        assert!(reasons(&report)[0].1.to_lowercase().contains("unique") || reasons(&report)[0].1.contains("uplicate"));
    });
}

#[test]
fn parents_created_seconds_ago_are_found_and_children_are_named_by_them() {
    on_each(|system| async move {
        let mut wanted = world(3);
        wanted.sites.insert(site("new"));
        wanted.devices.insert(device("new", "fresh"));
        wanted.interfaces.insert(interface("new", "fresh", "eth0"));
        assert_done(&pushed(wanted, system.sql().batch_size(2)).await);
        let found: World = loaded(&system.sql(), Side::Target).await.unwrap();
        let fresh: Vec<&Interface> =
            records(&found).into_iter().filter(|port: &&Interface| port.device == "fresh").collect();
        assert_eq!(fresh, [&interface("new", "fresh", "eth0")]);
        assert!(records::<_, Device>(&found).iter().all(|device| device.id.is_some()));
    });
}

#[test]
fn a_tree_is_written_level_by_level_and_moved() {
    on_each(|system| async move {
        let tree = |up: fn(u32) -> Option<u32>| {
            let mut world = World::default();
            world.sites.mark_loaded();
            world.devices.mark_loaded();
            world.interfaces.mark_loaded();
            world.locations.extend((0..200).rev().map(|number| {
                let within = up(number).map(|up| format!("l{up}"));
                Location { slug: format!("l{number}"), within, id: None }
            }));
            world
        };
        let binary = |number: u32| number.checked_sub(1).map(|below| below / 2);
        let flat = |number: u32| (number > 0).then_some(0);
        for shape in [binary, flat, binary] {
            assert_done(&pushed(tree(shape), system.sql()).await);
            assert_eq!(pushed(tree(shape), system.sql()).await.counts.unchanged, 200);
        }
    });
}

/// A world of sites only.
fn with(names: &[&str]) -> World {
    let mut world = World::default();
    world.devices.mark_loaded();
    world.interfaces.mark_loaded();
    world.locations.mark_loaded();
    world.sites.extend(names.iter().map(|name| site(name)));
    world
}

#[test]
fn what_another_put_there_is_never_deleted() {
    on_each(|system| async move {
        assert_done(&pushed(with(&["ours", "gone"]), system.sql()).await);
        system
            .run(
                &system
                    .words("INSERT INTO [sites] ([name], [managed_by]) VALUES ('by hand', NULL), ('by another', 'x')"),
            )
            .await;
        let report = pushed(with(&["ours"]), system.sql()).await;
        assert_eq!((report.counts.deleted, report.counts.left_out), (1, 2));
        let left = system.texts(&system.words("SELECT [name] FROM [sites] ORDER BY [name]")).await;
        assert_eq!(left, ["by another", "by hand", "ours"]);
        // An updated row is owned from then on.
        let mut wanted = with(&["ours"]);
        wanted.sites.insert(Site { description: Some("adopted".into()), ..site("by hand") });
        assert_done(&pushed(wanted, system.sql()).await);
        let ours =
            system.texts(&system.words("SELECT [name] FROM [sites] WHERE [managed_by] = 'diffsync' ORDER BY 1")).await;
        assert_eq!(ours, ["by hand", "ours"]);
    });
}

#[test]
fn what_another_makes_its_own_during_a_run_is_not_deleted() {
    on_each(|system| async move {
        assert_done(&pushed(with(&["ours", "taken", "gone"]), system.sql()).await);
        for taken in ["'another'", "NULL"] {
            let sql = format!("UPDATE [sites] SET [managed_by] = {taken} WHERE [name] = 'taken'");
            let report = pushed_behind(&system, with(&["ours"]), system.sql(), &sql).await;
            assert_eq!((report.counts.deleted, report.counts.failed), (1, 1), "{:?}", reasons(&report));
            let (record, reason) = reasons(&report).remove(0);
            assert_eq!(record, "taken");
            assert!(reason.contains("any more, or it is not `diffsync`'s any more"), "{reason}");
            let left = system.texts(&system.words("SELECT [name] FROM [sites] ORDER BY [name]")).await;
            assert_eq!(left, ["ours", "taken"]);
            // An update makes it ours again.
            let mut again = with(&["ours", "gone"]);
            again.sites.insert(Site { description: Some(format!("was of {taken}")), ..site("taken") });
            assert_done(&pushed(again, system.sql()).await);
        }
    });
}

#[test]
fn a_lookup_that_leads_nowhere_fails_only_its_record() {
    #[derive(SyncModel, SqlModel, Clone)]
    #[sql(table = "ports")]
    struct Port {
        #[sync(id)]
        name: String,
        #[sql(lookup = "vlan_no -> vlans(name) on number")]
        vlan: Option<String>,
    }

    #[derive(Dataset, Default)]
    struct Ports {
        ports: Table<Port>,
    }

    on_each(|system| async move {
        assert_done(&pushed(vlans(0..3), system.sql()).await);
        system.run(&system.words("CREATE TABLE [ports] ([name] KEYTEXT, [vlan_no] BIGINT)")).await;
        let port = |name: &str, vlan: Option<&str>| Port { name: name.into(), vlan: vlan.map(Into::into) };
        let ports = [port("a", Some("vlan 1")), port("b", Some("VLAN 1")), port("c", None), port("d", Some("vlan 2"))];
        let report = pushed(Ports { ports: ports.into_iter().collect() }, Sql::open(&system.url).unwrap()).await;
        let reason = "`vlans` has no row that is \"VLAN 1\" for `vlan_no`".to_owned();
        assert_eq!(reasons(&report), [("b".to_owned(), reason)]);
        assert_eq!(report.counts.created, 3);
    });
}

#[test]
fn a_row_that_is_gone_is_an_error_of_its_record() {
    on_each(|system| async move {
        assert_done(&pushed(vlans(0..50), system.sql()).await);
        let sql = system.sql::<Vlans>();
        let mut wanted = vlans(0..40);
        wanted.vlans = wanted.vlans.iter().map(|vlan| Vlan { name: "renamed".into(), ..vlan.clone() }).collect();
        let report = pushed_behind(&system, wanted, sql, "DELETE FROM [vlans] WHERE [number] IN (7, 44)").await;
        assert_eq!((report.counts.updated, report.counts.deleted, report.counts.failed), (39, 9, 2));
        let reasons = reasons(&report);
        assert!(reasons[0].1.contains("`vlans` has no row with `number` = 7 any more"), "{reasons:?}");
        assert!(reasons[1].1.contains("`number` = 44"), "{reasons:?}");
    });
}

#[test]
fn a_connection_that_is_killed_is_made_anew() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            return;
        }
        assert_done(&pushed(vlans(0..10), system.sql()).await);
        let report = pushed_behind(&system, vlans(5..30), system.sql(), &kill(&system)).await;
        assert_done(&report);
        assert_eq!((report.counts.created, report.counts.deleted), (20, 5));
    });
}

#[test]
fn a_run_that_is_written_as_a_whole_goes_on_by_a_new_connection_only_if_nothing_was_written() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            return;
        }
        let whole = || system.sql().transaction_scope(TransactionScope::PerRun);
        assert_done(&pushed(vlans(0..10), whole()).await);
        let report = pushed_behind(&system, vlans(5..30), whole(), &kill(&system)).await;
        // It was killed before it began.
        assert_done(&report);
    });
}

#[test]
fn a_run_that_is_written_as_a_whole_and_loses_its_connection_writes_nothing() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            return;
        }
        let whole = || system.sql().transaction_scope(TransactionScope::PerRun).batch_size(5);
        assert_done(&pushed(vlans(0..10), whole()).await);
        // Its records are reported as done only when all are written.
        let written = |event: &Event<'_>| matches!(event, Event::Progress { step: Step::ExecuteSync, .. });
        let report = pushed_until(&system, vlans(5..60), whole(), &kill(&system), written).await;
        assert_eq!(report.counts.written(), 0);
        assert!(
            reasons(&report).iter().any(|(_, reason)| reason.contains("the transaction of the run")),
            "{:?}",
            reasons(&report)
        );
        let found: Vlans = loaded(&whole(), Side::Target).await.unwrap();
        assert_eq!(found.vlans.len(), 10);
        assert_done(&pushed(vlans(5..60), whole()).await);
    });
}

#[test]
fn a_connection_that_is_killed_between_batches_is_made_anew() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            return;
        }
        let written = |event: &Event<'_>| matches!(event, Event::RecordDone { .. });
        let report = pushed_until(&system, vlans(0..60), system.sql().batch_size(5), &kill(&system), written).await;
        assert_done(&report);
        assert_eq!(report.counts.created, 60);
    });
}

/// What kills all other connections to the database.
fn kill(system: &System) -> String {
    if system.kind == Kind::Postgres {
        return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
            .into();
    }
    let name = system.url.path().trim_start_matches('/');
    format!(
        "BEGIN NOT ATOMIC FOR c IN (SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()) \
         DO KILL c.id; END FOR; END"
    )
}

#[test]
fn a_locked_database_is_asked_again() {
    on_each(|system| async move {
        if system.kind != Kind::Sqlite {
            return;
        }
        assert_done(&pushed(vlans(0..10), system.sql()).await);
        let url = system.url.clone();
        let locked = std::thread::spawn(move || {
            super::systems::block_on(async {
                use sqlx::{Connection, SqliteConnection};
                let mut other = SqliteConnection::connect(url.as_str()).await.unwrap();
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
                tokio::time::sleep(Duration::from_millis(6_500)).await;
                sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
            });
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_done(&pushed(vlans(0..20), system.sql()).await);
        locked.join().unwrap();
    });
}

#[test]
fn what_does_not_fit_is_refused_and_never_cut_off() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            // It holds texts of any length.
            return;
        }
        system
            .run(
                &system
                    .words("CREATE TABLE [vlans] ([number] SMALLINT PRIMARY KEY, [name] VARCHAR(8), [note] KEYTEXT)"),
            )
            .await;
        let mut wanted = vlans(1..4);
        wanted.vlans.insert(Vlan { name: "far too long".into(), ..vlan(4) });
        wanted.vlans.insert(vlan(70_000));
        let report = pushed(wanted, Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.created, report.counts.failed), (3, 2), "{:?}", reasons(&report));
        let mut longer = vlans(1..3);
        longer.vlans.insert(Vlan { name: "far too long".into(), ..vlan(3) });
        let report = pushed(longer, Sql::open(&system.url).unwrap()).await;
        assert_eq!((report.counts.unchanged, report.counts.failed), (2, 1));
        assert_eq!(system.texts("SELECT name FROM vlans ORDER BY number").await, ["vlan 1", "vlan 2", "vlan 3"]);
    });
}

#[test]
fn a_secret_is_not_in_the_error_of_its_record() {
    on_each(|system| async move {
        system
            .run(
                &system
                    .words("CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT, [descr] KEYTEXT, [managed_by] KEYTEXT)"),
            )
            .await;
        system
            .run(
                &system.words("CREATE TABLE [devices] ([id] SERIAL, [site_id] BIGINT, [name] KEYTEXT, [tags] KEYTEXT)"),
            )
            .await;
        system.run(&system.words("CREATE TABLE [locations] ([id] SERIAL, [parent_id] BIGINT, [slug] KEYTEXT)")).await;
        let address = if system.kind == Kind::Postgres { "CIDR" } else { "KEYTEXT" };
        let definition = format!(
            "CREATE TABLE [interfaces] ([device_id] BIGINT, [name] KEYTEXT, [enabled] BOOLEAN, [mtu] INTEGER, \
             [address] {address}, [community] KEYTEXT UNIQUE)"
        );
        system.run(&system.words(&definition)).await;
        let mut wanted = World::default();
        wanted.locations.mark_loaded();
        wanted.sites.insert(site("s"));
        wanted.devices.insert(device("s", "d"));
        for name in ["a", "b"] {
            wanted.interfaces.insert(Interface { address: None, ..interface("s", "d", name) });
        }
        let report = pushed(wanted, Sql::open(&system.url).unwrap()).await;
        assert_eq!(report.counts.failed, 1, "{:?}", reasons(&report));
        assert!(!reasons(&report)[0].1.contains("hunter2"), "{:?}", reasons(&report));
    });
}

#[test]
fn the_beginning_of_a_secret_that_was_cut_off_is_not_in_the_error_of_its_record() {
    #[derive(SyncModel, SqlModel, Clone)]
    #[sql(table = "credentials")]
    struct Credential {
        #[sync(id)]
        name: String,
        token: Secret<String>,
    }

    #[derive(Dataset, Default)]
    struct Credentials {
        credentials: Table<Credential>,
    }

    on_each(|system| async move {
        let definition = "CREATE TABLE [credentials] ([name] KEYTEXT, [token] VARCHAR(400) UNIQUE)";
        system.run(&system.words(definition)).await;
        let token = (0..60).map(|number| format!("k{number:04}")).collect::<Vec<_>>().concat();
        let both = ["a", "b"].map(|name| Credential { name: name.into(), token: Secret::new(token.clone()) });
        let wanted = Credentials { credentials: both.into_iter().collect() };
        let report = pushed(wanted, Sql::open(&system.url).unwrap()).await;
        let reasons = reasons(&report);
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        let shown = (0..=token.len() - 8).find(|at| reasons[0].1.contains(&token[*at..at + 8]));
        assert_eq!(shown, None, "{reasons:?}");
        // The one kind that quotes it, and not all of it.
        assert_eq!(reasons[0].1.contains(REDACTED), system.kind == Kind::MariaDb, "{reasons:?}");
    });
}
