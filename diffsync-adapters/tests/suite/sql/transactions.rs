//! A run that is written as a whole is written as a whole.

use diffsync_adapters::sql::{Sql, Transaction};
use diffsync_core::Side;

use super::systems::{assert_done, loaded, on_each, pushed};
use super::world::{Vlan, Vlans, vlan, vlans};

#[test]
fn one_record_that_fails_undoes_the_run() {
    on_each(|system| async move {
        let definition = "CREATE TABLE [vlans] ([number] INTEGER PRIMARY KEY, [name] KEYTEXT UNIQUE, [note] KEYTEXT)";
        system.run(&system.words(definition)).await;
        let sql = || Sql::at(&system.url).unwrap().transaction(Transaction::PerRun).batch(10);
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
