//! Pages and filters of what is recorded.

use std::collections::HashSet;

use diffsync_core::adapter::TargetError;
use diffsync_core::model::Operation;
use diffsync_history::{
    ChangeFilter, Cursor, LogEntryFilter, PageRequest, Recorder, RecorderOptions, SyncFilter, SyncStatus,
};

use crate::databases::on_each;
use crate::world::{Records, job, new_sync, options};

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

#[test]
fn a_part_of_a_diff_is_found_and_counted() {
    on_each(|database| async move {
        let history = database.open().await;
        let (mut source, mut target) = (Records::new(3, 4), Records::new(3, 4));
        source.devices[0].role = Some("core".into());
        source.devices.remove(1);
        target.sites.pop();
        target.devices.truncate(8);
        target.devices.remove(2);
        let (_, sync) = job(source, target).recorded(&history, options()).await;

        let all = history.changes(sync.id, &ChangeFilter::default(), PageRequest::default()).await.unwrap().items;
        for change in &all {
            // What the tree itself says is below it.
            let is_below = |other: &&diffsync_history::Change| {
                let mut parent = other.parent;
                while let Some(above) = parent {
                    if above == change.position {
                        return true;
                    }
                    parent = all.iter().find(|other| other.position == above).and_then(|other| other.parent);
                }
                false
            };
            let below: Vec<_> = all.iter().filter(is_below).collect();
            let range = history.below(sync.id, change.position).await.unwrap();
            assert_eq!(range.clone().collect::<Vec<_>>(), below.iter().map(|c| c.position).collect::<Vec<_>>());

            let counts = history.count_actions(sync.id, range).await.unwrap();
            let of = |action| below.iter().filter(|change| change.action == Some(action)).count() as u64;
            assert_eq!(
                (counts.create, counts.update, counts.delete),
                (of(Operation::Create), of(Operation::Update), of(Operation::Delete))
            );
            assert_eq!(history.change(sync.id, change.position).await.unwrap().as_ref(), Some(change));
        }
        assert_eq!(history.change(sync.id, 9_999).await.unwrap(), None);
        assert!(history.below(sync.id, 9_999).await.unwrap().is_empty());
    });
}

#[test]
fn the_entries_of_all_syncs_are_read_page_by_page_with_the_latest_first() {
    on_each(|database| async move {
        let history = database.open().await;
        let refuse = |record: &str| if record == "site-0001" { Err(TargetError::new("no such name")) } else { Ok(()) };
        let mut expected = Vec::new();
        for _ in 0..3 {
            let run = job(Records::new(3, 2), Records::default()).on_write(refuse);
            let (_, sync) = run.recorded(&history, options()).await;
            let of_sync = history.entries(sync.id, &LogEntryFilter::default(), PageRequest::default()).await.unwrap();
            expected.extend(of_sync.items.into_iter().map(|entry| (sync.id, entry)));
        }
        expected.reverse();

        for size in [1, 4, 1_000] {
            let (mut found, mut request) = (Vec::new(), PageRequest::first(size));
            loop {
                let page = history.all_entries(&LogEntryFilter::default(), request).await.unwrap();
                found.extend(page.items.into_iter().map(|of_sync| (of_sync.sync, of_sync.entry)));
                let Some(next) = page.next else { break };
                request = PageRequest::after(next.to_string().parse::<Cursor>().unwrap(), size);
            }
            assert_eq!(found, expected);
        }

        let failed = LogEntryFilter { status: vec!["failed".into()], ..LogEntryFilter::default() };
        let page = history.all_entries(&failed, PageRequest::default()).await.unwrap();
        assert_eq!(page.items.len(), 3);
        assert!(page.items.iter().all(|of_sync| of_sync.job == "sync-sites" && of_sync.entry.record == "site-0001"));

        let (sync, entry) = &expected[0];
        assert_eq!(history.entry(*sync, entry.position).await.unwrap().as_ref(), Some(entry));
        assert_eq!(history.entry(*sync, 9_999).await.unwrap(), None);
    });
}

#[test]
fn syncs_are_listed_from_the_oldest_on_request_and_the_running_ones_by_an_index() {
    on_each(|database| async move {
        let history = database.open().await;
        let mut expected = Vec::new();
        for _ in 0..3 {
            let (_, sync) = job(Records::new(1, 1), Records::default()).recorded(&history, options()).await;
            expected.push(sync);
        }
        let filter = SyncFilter { oldest_first: true, ..SyncFilter::default() };
        let first = history.syncs(&filter, PageRequest::first(2)).await.unwrap();
        let second = history.syncs(&filter, PageRequest::after(first.next.unwrap(), 2)).await.unwrap();
        assert_eq!([first.items, second.items].concat(), expected);

        let running = SyncFilter { status: vec![SyncStatus::Running], ..SyncFilter::default() };
        assert!(history.syncs(&running, PageRequest::default()).await.unwrap().items.is_empty());
        let recorder = Recorder::start(&history, &new_sync(), RecorderOptions::default()).await.unwrap();
        let found = history.syncs(&running, PageRequest::default()).await.unwrap().items;
        assert_eq!(found.iter().map(|sync| sync.id).collect::<Vec<_>>(), [recorder.sync()]);
        recorder.finish().await.unwrap();
    });
}
