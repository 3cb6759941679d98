//! Pages and filters of what is recorded.

use std::collections::HashSet;

use diffsync_core::adapter::TargetError;
use diffsync_core::model::Operation;
use diffsync_history::{ChangeFilter, Cursor, LogEntryFilter, PageRequest, SyncFilter, SyncStatus};

use crate::databases::on_each;
use crate::world::{Records, job, options};

#[test]
fn pages_return_each_row_once_and_in_order() {
    on_each(|database| async move {
        let history = database.open().await;
        let (_, sync) = job(Records::new(5, 50), Records::default()).recorded(&history, options()).await;
        for size in [1, 7, 255, 1_000] {
            let (mut records, mut request) = (Vec::new(), PageRequest::first(size));
            loop {
                let page = history.changes(sync.id, &ChangeFilter::default(), request).await.unwrap();
                assert!(page.items.len() <= size as usize);
                records.extend(page.items.into_iter().map(|change| change.position));
                let Some(next) = page.next else { break };
                // A place survives as text, as in a URL.
                request = PageRequest::after(next.to_string().parse::<Cursor>().unwrap(), size);
            }
            assert_eq!(records, (0..255).collect::<Vec<_>>());
        }
    });
}

#[test]
fn changes_are_filtered() {
    on_each(|database| async move {
        let history = database.open().await;
        let (mut source, mut target) = (Records::new(3, 3), Records::new(3, 3));
        source.sites[0].name = "Other".into();
        source.devices[0].role = Some("100%_\\Core".into());
        source.devices[0].name = "Röuter_1".into();
        target.devices[0].name = "Röuter_1".into();
        target.sites.pop();
        target.devices.truncate(6);
        let (_, sync) = job(source, target).recorded(&history, options()).await;

        let all = ChangeFilter::default;
        for (filter, expected) in [
            (ChangeFilter { model: Some("site".into()), ..all() }, vec!["site-0000", "site-0002"]),
            (ChangeFilter { action: Some(Operation::Update), ..all() }, vec!["Röuter_1", "site-0000"]),
            (
                ChangeFilter { attribute: Some("role".into()), action: Some(Operation::Update), ..all() },
                vec!["Röuter_1"],
            ),
            (ChangeFilter { attribute: Some("nothing\"'".into()), ..all() }, vec![]),
            (ChangeFilter { text: Some("UTER_1".into()), ..all() }, vec!["Röuter_1"]),
            (ChangeFilter { text: Some("site_0000".into()), ..all() }, vec![]),
            (ChangeFilter { text: Some("%".into()), ..all() }, vec![]),
            (ChangeFilter { text: Some("0002-00001".into()), ..all() }, vec!["site-0002-00001"]),
        ] {
            let page = history.changes(sync.id, &filter, PageRequest::default()).await.unwrap();
            let mut found: Vec<_> = page.items.into_iter().map(|change| change.record).collect();
            found.sort();
            assert_eq!(found, expected, "{filter:?}");
        }
    });
}

#[test]
fn log_entries_are_filtered() {
    on_each(|database| async move {
        let history = database.open().await;
        let refuse = |record: &str| if record == "site-0001" { Err(TargetError::new("No such Name")) } else { Ok(()) };
        let (_, sync) =
            job(Records::new(3, 2), Records::default()).on_write(refuse).recorded(&history, options()).await;

        let all = LogEntryFilter::default;
        let status = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        for (filter, expected) in [
            (all(), 9),
            (LogEntryFilter { status: status(&["failed"]), ..all() }, 1),
            (LogEntryFilter { status: status(&["failed", "blocked"]), ..all() }, 3),
            (LogEntryFilter { status: status(&["created", "blocked"]), ..all() }, 8),
            (LogEntryFilter { status: status(&["' OR 1=1 --"]), ..all() }, 0),
            (LogEntryFilter { model: Some("device".into()), ..all() }, 6),
            (LogEntryFilter { action: Some(Operation::Delete), ..all() }, 0),
            (LogEntryFilter { text: Some("no such name".into()), ..all() }, 1),
            (LogEntryFilter { text: Some("site-0002".into()), ..all() }, 3),
            (LogEntryFilter { from: Some(sync.started_at), to: sync.ended_at, ..all() }, 9),
            (LogEntryFilter { to: Some(sync.started_at), ..all() }, 0),
        ] {
            let page = history.entries(sync.id, &filter, PageRequest::default()).await.unwrap();
            assert_eq!(page.items.len(), expected, "{filter:?}");
        }
    });
}

#[test]
fn syncs_are_filtered_and_the_newest_comes_first() {
    on_each(|database| async move {
        let history = database.open().await;
        let dry_run = {
            let mut options = options();
            options.dry_run = true;
            options
        };
        let (_, first) = job(Records::new(1, 1), Records::default()).recorded(&history, options()).await;
        let (_, second) = job(Records::new(1, 1), Records::default()).recorded(&history, dry_run).await;
        let refuse = |_: &str| Err(TargetError::fatal("login refused"));
        let (_, third) =
            job(Records::new(1, 1), Records::default()).on_write(refuse).recorded(&history, options()).await;

        let all = SyncFilter::default;
        let some = |text: &str| Some(text.to_owned());
        let every = vec![third.id, second.id, first.id];
        for (filter, expected) in [
            (all(), every.clone()),
            (SyncFilter { job: some("sync-sites"), profile: some("emea"), ..all() }, every.clone()),
            (SyncFilter { source: some("List"), target: some("Inventory"), ..all() }, every.clone()),
            (SyncFilter { job: some("other"), ..all() }, vec![]),
            (SyncFilter { dry_run: Some(true), ..all() }, vec![second.id]),
            (SyncFilter { status: vec![SyncStatus::Failed, SyncStatus::Partial], ..all() }, vec![third.id]),
            (
                SyncFilter { started_by: some("anna"), from: Some(second.started_at), ..all() },
                vec![third.id, second.id],
            ),
            (SyncFilter { to: Some(second.started_at), ..all() }, vec![first.id]),
            (SyncFilter { text: some("LOGIN"), ..all() }, vec![third.id]),
            (SyncFilter { text: some("invent"), ..all() }, every),
        ] {
            let page = history.syncs(&filter, PageRequest::default()).await.unwrap();
            assert_eq!(page.items.iter().map(|sync| sync.id).collect::<Vec<_>>(), expected, "{filter:?}");
        }

        // Each sync of a page has its own steps.
        let page = history.syncs(&all(), PageRequest::first(2)).await.unwrap();
        assert_eq!(page.items, [third, second]);
        let last = history.syncs(&all(), PageRequest::after(page.next.unwrap(), 2)).await.unwrap();
        assert_eq!((last.items, last.next), (vec![first], None));
        let ids: HashSet<_> = page.items.iter().map(|sync| sync.id).collect();
        assert_eq!(ids.len(), 2);
    });
}
