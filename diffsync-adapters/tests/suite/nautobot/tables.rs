//! A Nautobot in the tables of a database, and back again.

use std::sync::{Arc, Mutex};

use diffsync_adapters::nautobot::{Inventory, Nautobot};
use diffsync_adapters::sql::Sql;
use diffsync_core::plan::OutcomeCounts;
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::testkit::Laws;
use diffsync_core::value::Url;
use diffsync_core::{Job, Run, job};

use super::fake::Fake;
use super::replaying::replay;
use super::{failures, laws};
use crate::sql::systems::{System, block_on, kinds, on_each};

/// Copies a Nautobot into tables.
#[job(source = Nautobot<Inventory>, target = Sql<Inventory>)]
struct NautobotToTables {
    nautobot: Url,
    tables: Url,
}

opens!(
    NautobotToTables: Nautobot<Inventory> = |job| Nautobot::open(&job.nautobot, &Fake::token())?,
    Sql<Inventory> = |job| Sql::open(&job.tables)?.create_tables()
);

/// Writes tables into a Nautobot.
#[job(source = Sql<Inventory>, target = Nautobot<Inventory>)]
struct TablesToNautobot {
    tables: Url,
    nautobot: Url,
}

opens!(
    TablesToNautobot: Sql<Inventory> = |job| Sql::open(&job.tables)?,
    Nautobot<Inventory> = |job| Nautobot::open(&job.nautobot, &Fake::token())?
);

/// Brings one Nautobot in line with another.
#[job(source = Nautobot<Inventory>, target = Nautobot<Inventory>)]
struct NautobotToNautobot {
    nautobot: Url,
    other: Url,
}

opens!(
    NautobotToNautobot: Nautobot<Inventory> = |job| Nautobot::open(&job.nautobot, &Fake::token())?,
    Nautobot<Inventory> = |job| Nautobot::open(&job.other, &Fake::token())?
);

/// Runs a job, which does all that is to be done.
async fn completed<J: Job>(job: J) -> OutcomeCounts {
    let options = RunOptions::new(&J::INFO).apply();
    let report = Box::pin(Run::execute(Arc::new(job), options, Vec::new())).await;
    assert_eq!((report.status, failures(&report)), (Status::Completed, Vec::new()), "{:?}", report.error_text());
    report.counts
}

fn written(counts: OutcomeCounts) -> usize {
    counts.created + counts.updated + counts.deleted
}

#[test]
fn a_recorded_nautobot_goes_into_tables_and_from_there_into_another() {
    on_each(|system| async move {
        let (recorded, fake, other) = (replay().await, Fake::new().await, Fake::new().await);
        let recorded = Url::parse(&recorded.uri()).unwrap();
        let (url, tables) = (|fake: &Fake| fake.url(), || system.url.clone());
        let into_tables = || completed(NautobotToTables { nautobot: recorded.clone(), tables: tables() });
        let out_of_them = || completed(TablesToNautobot { tables: tables(), nautobot: url(&fake) });
        let from_one_to_another = |one: Url| completed(NautobotToNautobot { nautobot: one, other: url(&other) });
        assert!(into_tables().await.created > 50);
        assert_eq!(written(into_tables().await), 0);
        assert!(out_of_them().await.created > 40);
        assert_eq!(written(out_of_them().await), 0);
        assert!(from_one_to_another(url(&fake)).await.created > 40);
        assert_eq!(written(from_one_to_another(url(&fake)).await), 0);
        // What came that far is what it was.
        assert_eq!(written(from_one_to_another(recorded.clone()).await), 0);
    });
}

#[test]
fn the_tables_of_an_inventory_keep_the_laws() {
    for kind in kinds() {
        block_on(async {
            let kept = Mutex::new(Vec::new());
            let open = || async {
                let system = System::new(kind).await;
                let sql = system.sql::<Inventory>();
                kept.lock().unwrap().push(system);
                Ok(sql)
            };
            let checked = Box::pin(Laws::new(open, laws::data).seeds(1).failing_calls(2).check()).await;
            checked.unwrap_or_else(|violation| panic!("{kind:?}: {violation}"));
        });
    }
}
