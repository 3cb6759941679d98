//! Every database keeps the laws of targets, with all kinds of models.

use diffsync_adapters::sql::TransactionScope;
use diffsync_core::testkit::Laws;

use super::systems::{System, block_on, kinds};
use super::world::{Vlan, Vlans, world};

/// Each case gets a new database; they are kept until the end.
macro_rules! keeps_the_laws {
    ($seeds:expr, $data:expr, $set:expr) => {
        for kind in kinds() {
            block_on(async {
                let kept = std::sync::Mutex::new(Vec::new());
                let open = || async {
                    let system = System::new(kind).await;
                    let sql = $set(system.sql());
                    kept.lock().unwrap().push(system);
                    Ok(sql)
                };
                let checked = Laws::new(open, $data).seeds($seeds).failing_calls(4).check().await;
                checked.unwrap_or_else(|violation| panic!("{kind:?}: {violation}"));
            });
        }
    };
}

fn some_vlans(seed: u64) -> Vlans {
    let numbers = (1..30_u32).filter(|number| (u64::from(*number) * (seed + 1)) % 3 != 1);
    let vlan = |number: u32| Vlan {
        number,
        name: format!("v{}", seed % u64::from(number)),
        note: number.is_multiple_of(2).then(|| "even".into()),
    };
    let mut vlans = Vlans { vlans: numbers.map(vlan).collect() };
    vlans.vlans.mark_loaded();
    vlans
}

#[test]
fn a_plain_table_keeps_them() {
    keeps_the_laws!(2, some_vlans, |sql: diffsync_adapters::sql::Sql<Vlans>| sql);
}

#[test]
fn small_batches_keep_them() {
    keeps_the_laws!(2, some_vlans, |sql: diffsync_adapters::sql::Sql<Vlans>| sql.batch_size(4).max_connections(3));
}

#[test]
fn keys_lookups_owners_and_json_keep_them() {
    keeps_the_laws!(2, world, |sql: diffsync_adapters::sql::Sql<_>| sql);
}

#[test]
fn single_records_keep_them() {
    keeps_the_laws!(1, world, |sql: diffsync_adapters::sql::Sql<_>| sql.batch_size(1));
}

#[test]
fn runs_that_are_written_as_a_whole_keep_them() {
    keeps_the_laws!(1, world, |sql: diffsync_adapters::sql::Sql<_>| sql
        .transaction_scope(TransactionScope::PerRun)
        .batch_size(3));
}
