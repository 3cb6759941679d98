//! Runs in one transaction.

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{Sql, TransactionScope};
use diffsync_core::data::Side;
use diffsync_core::plan_file::PlanKey;
use diffsync_core::report::{Event, Step};
use diffsync_core::{Dataset, SyncModel, Table, Target};

use super::systems::{Kind, System, assert_done, loaded, on_each, pushed, pushed_until, pushed_with, reasons};
use super::world::{Vlan, Vlans, vlan, vlans};

#[test]
fn one_record_that_fails_undoes_the_run() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT UNIQUE, [note] KEYTEXT)";
        system.run(&system.words(definition)).await;
        let sql = || Sql::open(&system.url).unwrap().transaction_scope(TransactionScope::PerRun).batch_size(10);
        assert_done(&pushed(vlans(0..30), sql()).await);
        let mut wanted = vlans(10..60);
        wanted.vlans.insert(Vlan { name: "vlan 50".into(), ..vlan(4000) });
        let report = pushed(wanted, sql()).await;
        assert_eq!(report.counts.written(), 0);
        assert!(report.failures().any(|failed| failed.reason.contains("written as a whole")));
        let found: Vlans = loaded(&sql(), Side::Target).await.unwrap();
        assert_eq!(found.vlans.len(), 30);
        // And it goes on as if nothing had been.
        assert_done(&pushed(vlans(10..60), sql()).await);
        assert_eq!(pushed(vlans(10..60), sql()).await.counts.unchanged, 50);
    });
}

#[test]
fn a_row_that_cannot_be_loaded_does_not_keep_the_others_from_being_written_as_a_whole() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT, [note] KEYTEXT)";
        system.run(&system.words(definition)).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES (7000, NULL, NULL)")).await;
        let sql = || Sql::open(&system.url).unwrap().transaction_scope(TransactionScope::PerRun);
        let report = pushed_with(vlans(0..30), sql(), |options| options.max_rejected = 100.0).await;
        assert_eq!(report.counts.created, 30, "{:?}", report.error);
        assert_eq!(report.counts.rejected, 1);
    });
}

#[test]
fn a_source_without_its_tables_is_not_an_empty_one() {
    on_each(|system| async move {
        let source = loaded::<Vlans>(&system.sql(), Side::Source).await;
        assert!(source.is_err(), "a target's tables may be made, a source's must be there");
        assert_eq!(loaded::<Vlans>(&system.sql(), Side::Target).await.unwrap().vlans.len(), 0);
    });
}

#[test]
fn a_key_that_a_record_cannot_hold_undoes_what_was_written() {
    #[derive(SyncModel, SqlModel, Clone)]
    #[sql(table = "sites")]
    struct Small {
        #[sync(id)]
        name: String,
        #[sync(local)]
        #[sql(key)]
        id: Option<i16>,
    }
    #[derive(Dataset, Default)]
    struct Smalls {
        sites: Table<Small>,
    }
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT)")).await;
        match system.kind {
            Kind::Postgres => system.run("ALTER SEQUENCE sites_id_seq RESTART WITH 40000").await,
            Kind::MariaDb => system.run("ALTER TABLE sites AUTO_INCREMENT = 40000").await,
            // It counts on from the largest key that there is.
            Kind::Sqlite => return,
        }
        let sites = || Smalls { sites: [Small { name: "ams".into(), id: None }].into_iter().collect() };
        let report = pushed(sites(), Sql::open(&system.url).unwrap()).await;
        assert_eq!(report.counts.failed, 1);
        let found: Smalls = loaded(&Sql::open(&system.url).unwrap(), Side::Target).await.unwrap();
        assert_eq!(found.sites.len(), 0, "a record reported as failed does not exist");
    });
}

#[test]
fn a_run_that_wrote_nothing_leaves_no_transaction_open() {
    #[derive(SyncModel, SqlModel, Clone)]
    #[sql(table = "ports")]
    struct Port {
        #[sync(id)]
        name: String,
        #[sql(lookup = "vlan_no -> vlans(name) on number")]
        vlan: String,
    }

    #[derive(Dataset, Default)]
    struct Ports {
        ports: Table<Port>,
    }

    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT, [note] KEYTEXT, \
                          CHECK ([number] < 100))";
        system.run(&system.words(definition)).await;
        system.run(&system.words("CREATE TABLE [ports] ([name] KEYTEXT, [vlan_no] INTEGER)")).await;
        // The adapter is still there, and with it its connection.
        let executed =
            |event: &Event<'_>| matches!(event, Event::StepFinished(report) if report.step == Step::ExecuteSync);
        // The database refuses all of them.
        let whole = Sql::open(&system.url).unwrap().transaction_scope(TransactionScope::PerRun).batch_size(5);
        let by_hand = "INSERT INTO [vlans] VALUES (1, 'by hand', NULL)";
        let report = pushed_until(&system, vlans(100..120), whole, by_hand, executed).await;
        assert_eq!(report.counts.failed, 20, "{:?}", reasons(&report));
        // None of them reaches the database.
        let whole = Sql::open(&system.url).unwrap().transaction_scope(TransactionScope::PerRun).batch_size(5);
        let ports = (0..20).map(|number| Port { name: format!("p{number}"), vlan: "nowhere".into() });
        let ports = Ports { ports: ports.collect() };
        let by_hand = "INSERT INTO [ports] VALUES ('by hand', 1)";
        let report = pushed_until(&system, ports, whole, by_hand, executed).await;
        assert_eq!(report.counts.failed, 20, "{:?}", reasons(&report));
        let left = "SELECT [name] FROM [vlans] UNION ALL SELECT [name] FROM [ports]";
        assert_eq!(system.texts(&system.words(left)).await, ["by hand"; 2]);
    });
}

/// A commit after the creation of vlan 7 ends its own connection, if the database can do so.
async fn loses_a_commit(system: &System) -> bool {
    if system.kind != Kind::Postgres {
        return false;
    }
    let trigger = "
        CREATE TABLE vlans (number INTEGER PRIMARY KEY, name TEXT, note TEXT);
        CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hangs_up AFTER INSERT ON vlans DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.number = 7) EXECUTE FUNCTION hang_up()";
    system.run(trigger).await;
    true
}

#[test]
fn a_batch_whose_commit_got_no_answer_is_unknown_and_the_run_goes_on() {
    on_each(|system| async move {
        if !loses_a_commit(&system).await {
            return;
        }
        let report = pushed(vlans(1..21), Sql::open(&system.url).unwrap().batch_size(5)).await;
        assert_eq!(report.status.to_string(), "partial", "{:?}", report.error_text());
        assert_eq!((report.counts.created, report.counts.unknown), (15, 5), "{:?}", reasons(&report));
        let (_, reason) = reasons(&report).remove(0);
        assert!(reason.contains("was lost, so check there whether it was carried out"), "{reason}");
    });
}

#[test]
fn a_run_that_is_written_as_a_whole_and_got_no_answer_to_its_commit_is_unknown() {
    on_each(|system| async move {
        if !loses_a_commit(&system).await {
            return;
        }
        let whole = Sql::open(&system.url).unwrap().transaction_scope(TransactionScope::PerRun).batch_size(5);
        let undo = |options: &mut diffsync_core::run::RunOptions| options.undo = PlanKey::new(b"0123456789abcdef").ok();
        let report = pushed_with(vlans(1..21), whole, undo).await;
        assert_eq!(report.status.to_string(), "failed");
        assert_eq!(report.counts.unknown, 20, "{:?}", reasons(&report));
        let error = report.error_text().unwrap();
        assert!(error.contains("was lost, so check there whether it was carried out"), "{error}");
        let undo = report.undo.unwrap();
        assert_eq!((undo.operations(), undo.unrestorable.len()), (0, 20));
        assert!(undo.unrestorable.iter().all(|lost| lost.reason == "it is unknown whether it was created"));
    });
}

#[test]
fn no_run_asks_for_two_transactions_where_there_is_one() {
    on_each(|system| async move {
        let sql = || system.sql::<Vlans>().max_connections(4);
        let limit = |sql: &Sql<Vlans>| <Sql<Vlans> as Target<Vlan>>::capabilities(sql).concurrency_limit;
        assert_eq!(limit(&sql()), (system.kind == Kind::Sqlite).then_some(1));
        assert_eq!(limit(&sql().transaction_scope(TransactionScope::PerRun)), Some(1));
        let at_once =
            |options: &mut diffsync_core::run::RunOptions| options.concurrency = std::num::NonZeroUsize::new(8);
        assert_done(&pushed_with(vlans(0..40), sql().batch_size(2), at_once).await);
        let whole = sql().batch_size(2).transaction_scope(TransactionScope::PerRun);
        assert_done(&pushed_with(vlans(20..60), whole, at_once).await);
    });
}
