//! What a recorded run leaves behind.

use diffsync_core::adapter::TargetError;
use diffsync_core::model::Operation;
use diffsync_core::plan::Counts;
use diffsync_core::value::Secret;
use diffsync_history::{
    ChangeFilter, HistoryError, LogEntry, LogEntryFilter, LogLevel, LogLine, LogLineFilter, NewSync, PageRequest,
    Recorder, RecorderOptions, SyncFilter, SyncStatus, TreeScope,
};
use serde_json::json;

use crate::databases::on_each;
use crate::world::{Records, job, new_sync, options};

/// One site to be created with a device, one to be changed, one device to be deleted.
fn sides() -> (Records, Records) {
    let (mut source, mut target) = (Records::new(3, 1), Records::new(3, 1));
    target.sites.remove(0);
    target.devices.remove(0);
    source.sites[1].name = "New name".into();
    source.sites[1].password = Secret::from("new-pass\"w\\o=rd".to_owned());
    target.sites[0].password = Secret::from("old-pass\"w\\o=rd".to_owned());
    source.devices.remove(2);
    (source, target)
}

#[test]
fn a_run_leaves_its_sync_behind() {
    on_each(|database| async move {
        let history = database.open().await;
        let (source, target) = sides();
        let options = {
            let mut options = options();
            options.memory_profiling = true;
            options
        };
        let (report, sync) = job(source, target).recorded(&history, options).await;

        assert_eq!(report.status.to_string(), "completed", "{report:?}");
        assert_eq!(sync.status, SyncStatus::Completed);
        assert_eq!(
            (&*sync.job, sync.profile.as_deref(), &*sync.source, &*sync.target),
            ("sync-sites", Some("emea"), "List", "Inventory")
        );
        assert_eq!((&*sync.started_by, &*sync.host, &*sync.program), ("anna", "host-1", "1.2.3"));
        assert_eq!((sync.pid, sync.dry_run), (std::process::id(), false));
        assert_eq!(sync.variables, new_sync().variables);
        assert!(sync.ended_at.unwrap() >= sync.started_at);
        assert_eq!(sync.counts, Some(report.counts));
        assert_eq!(sync.planned.clone().unwrap().total, report.summary().unwrap().total);
        assert_eq!(sync.planned.unwrap().models[0].model, "site");
        let micros = |steps: &[diffsync_core::report::StepReport]| -> Vec<_> {
            steps.iter().map(|step| (step.step, step.duration.as_micros(), step.memory)).collect()
        };
        assert_eq!(micros(&sync.steps), micros(&report.steps));
        assert_eq!((sync.changes, sync.entries, sync.lines, sync.dropped), (5, 4, 0, 0));
        assert_eq!((sync.error, sync.breaches, sync.last_record, sync.pruned_at), (None, None, None, None));
    });
}

#[test]
fn the_diff_is_kept_as_a_tree_of_rows_without_secrets() {
    on_each(|database| async move {
        let history = database.open().await;
        let (source, target) = sides();
        let (_, sync) = job(source, target).recorded(&history, options()).await;

        let all = history.changes(sync.id, &ChangeFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(all.next, None);
        let rows: Vec<_> = all
            .items
            .iter()
            .map(|change| {
                (change.position, change.parent, change.depth, &*change.record, change.action, change.has_children)
            })
            .collect();
        assert_eq!(
            rows,
            [
                (0, None, 0, "site-0000", Some(Operation::Create), true),
                (1, Some(0), 1, "site-0000-00000", Some(Operation::Create), false),
                (2, None, 0, "site-0001", Some(Operation::Update), false),
                (3, None, 0, "site-0002", None, true),
                (4, Some(3), 1, "site-0002-00000", Some(Operation::Delete), false),
            ]
        );
        assert_eq!(
            all.items[2].changes,
            Some(json!({
                "+": {"name": "New name", "password": "[secret]"},
                "-": {"name": "Site 1", "password": "[secret]"},
            }))
        );
        assert_eq!(all.items[3].changes, None);

        let under = |under| ChangeFilter { under, ..ChangeFilter::default() };
        let roots = history.changes(sync.id, &under(TreeScope::Root), PageRequest::default()).await.unwrap();
        assert_eq!(roots.items.iter().map(|change| change.position).collect::<Vec<_>>(), [0, 2, 3]);
        let children = history.changes(sync.id, &under(TreeScope::Record(3)), PageRequest::default()).await.unwrap();
        assert_eq!(children.items.iter().map(|change| change.position).collect::<Vec<_>>(), [4]);
    });
}

#[test]
fn a_log_entry_says_what_became_of_a_record() {
    on_each(|database| async move {
        let history = database.open().await;
        let (source, target) = sides();
        let refuse =
            |record: &str| if record == "site-0000" { Err(TargetError::new("no\0 such name")) } else { Ok(()) };
        let (report, sync) = job(source, target).on_write(refuse).recorded(&history, options()).await;

        let all = history.entries(sync.id, &LogEntryFilter::default(), PageRequest::default()).await.unwrap();
        let mut rows: Vec<_> = all
            .items
            .iter()
            .map(|entry| {
                (&*entry.model, &*entry.record, entry.action.unwrap(), &*entry.status, entry.message.as_deref())
            })
            .collect();
        rows.sort_by_key(|(_, record, ..)| *record);
        assert_eq!(
            rows,
            [
                ("site", "site-0000", Operation::Create, "failed", Some("no\u{fffd} such name")),
                ("device", "site-0000-00000", Operation::Create, "blocked", Some("because of site \"site-0000\"")),
                ("site", "site-0001", Operation::Update, "updated", None),
                ("device", "site-0002-00000", Operation::Delete, "deleted", None),
            ]
        );
        let updated = all.items.iter().find(|entry| entry.status == "updated").unwrap();
        assert_eq!(updated.identifiers, json!("site-0001"));
        assert_eq!(updated.url.as_ref().unwrap().as_str(), "https://inventory.example.com/site/site-0001");
        assert_eq!(updated.changes.as_ref().unwrap()["+"]["name"], "New name");
        assert!(updated.at >= sync.started_at && updated.at <= sync.ended_at.unwrap());
        assert_eq!(sync.status, SyncStatus::Partial);
        assert_eq!(sync.counts, Some(report.counts));
    });
}

#[test]
fn a_dry_run_keeps_its_diff() {
    on_each(|database| async move {
        let history = database.open().await;
        let (source, target) = sides();
        let dry_run = {
            let mut options = options();
            options.dry_run = true;
            options
        };
        let (_, sync) = job(source, target).recorded(&history, dry_run).await;
        assert!(sync.dry_run);
        assert_eq!((sync.status, sync.changes, sync.entries), (SyncStatus::Completed, 5, 0));
        assert_eq!(sync.planned.unwrap().total, {
            let mut counts = Counts::default();
            (counts.create, counts.update, counts.delete, counts.no_change) = (2, 1, 1, 2);
            counts
        });
    });
}

#[test]
fn unchanged_records_are_counted_and_kept_only_if_the_run_logs_them() {
    on_each(|database| async move {
        let history = database.open().await;
        let (_, quiet) = job(Records::new(2, 2), Records::new(2, 2)).recorded(&history, options()).await;
        assert_eq!((quiet.counts.unwrap().unchanged, quiet.entries, quiet.changes), (6, 0, 0));

        let logging = {
            let mut options = options();
            options.log_unchanged_records = true;
            options
        };
        let (_, sync) = job(Records::new(2, 2), Records::new(2, 2)).recorded(&history, logging).await;
        assert_eq!((sync.counts.unwrap().unchanged, sync.entries), (6, 6));
        let unchanged = LogEntryFilter { status: vec!["unchanged".into()], ..LogEntryFilter::default() };
        let entries = history.entries(sync.id, &unchanged, PageRequest::default()).await.unwrap();
        assert!(entries.items.iter().all(|entry| entry.action.is_none() && entry.changes.is_none()));
        assert_eq!(entries.items.len(), 6);
    });
}

#[test]
fn the_error_that_ended_a_run_is_kept() {
    on_each(|database| async move {
        let history = database.open().await;
        let (source, target) = sides();
        let (report, sync) = job(source, target)
            .on_write(|_| Err(TargetError::fatal("login refused")))
            .recorded(&history, options())
            .await;
        assert_eq!(sync.status, SyncStatus::Failed);
        assert_eq!(sync.error, report.error_text());
        assert!(sync.error.unwrap().contains("login refused"));
    });
}

#[test]
fn log_lines_are_kept_by_level_and_step() {
    on_each(|database| async move {
        let history = database.open().await;
        let recorder = Recorder::start(&history, &new_sync(), RecorderOptions::default()).await.unwrap();
        let line = |level, message: &str| LogLine {
            at: jiff::Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
            level,
            target: "diffsync_core::run".into(),
            step: Some(diffsync_core::report::Step::LoadSource),
            message: message.into(),
            fields: Some(json!({"records": 7})),
        };
        let lines =
            [line(LogLevel::Info, "loaded"), line(LogLevel::Warn, "100 % \0 odd"), line(LogLevel::Debug, "100 rows")];
        for line in &lines {
            recorder.line(line.clone());
        }
        recorder.finish().await.unwrap();

        let id = recorder.sync();
        let of = |filter| {
            let history = history.clone();
            async move { history.lines(id, &filter, PageRequest::default()).await.unwrap().items }
        };
        assert_eq!(of(LogLineFilter::default()).await[0], lines[0]);
        let important = LogLineFilter { level: Some(LogLevel::Info), ..LogLineFilter::default() };
        assert_eq!(of(important).await.len(), 2);
        let text = LogLineFilter { text: Some("100 %".into()), ..LogLineFilter::default() };
        assert_eq!(of(text).await[0].message, "100 % \u{fffd} odd");
    });
}

#[test]
fn a_run_without_a_report_has_failed() {
    on_each(|database| async move {
        let history = database.open().await;
        let recorder = Recorder::start(&history, &new_sync(), RecorderOptions::default()).await.unwrap();
        let id = recorder.sync();
        assert_eq!(history.sync("last").await.unwrap().status, SyncStatus::Running);
        drop(recorder);
        let sync = history.sync(&id.to_string()).await.unwrap();
        assert_eq!(
            (sync.status, &*sync.error.unwrap()),
            (SyncStatus::Failed, "the program ended the run without a report")
        );
    });
}

#[test]
fn a_sync_is_found_by_the_beginning_of_its_id() {
    on_each(|database| async move {
        let history = database.open().await;
        assert!(matches!(history.sync("last").await, Err(HistoryError::UnknownSync(_))));
        let (_, first) = job(Records::new(1, 0), Records::new(1, 0)).recorded(&history, options()).await;
        let (_, second) = job(Records::new(1, 0), Records::new(1, 0)).recorded(&history, options()).await;
        assert_eq!(history.sync("last").await.unwrap().id, second.id);
        assert_eq!(history.sync(&first.id.to_string()[..30]).await.unwrap(), first);
        assert!(matches!(history.sync(&first.id.to_string()[..4]).await, Err(HistoryError::AmbiguousSync(_))));
        for unknown in ["ffff", "", "%", "LAST"] {
            assert!(matches!(history.sync(unknown).await, Err(HistoryError::UnknownSync(_))), "{unknown}");
        }
    });
}

#[test]
fn large_records_are_recorded_as_well() {
    on_each(|database| async move {
        let history = database.open().await;
        let mut source = Records::new(20, 0);
        for site in &mut source.sites {
            site.name = "ä\"".repeat(300_000);
        }
        let (_, sync) = job(source, Records::default()).recorded(&history, options()).await;
        assert_eq!((sync.changes, sync.entries, sync.dropped), (20, 20, 0));
        let entries = history.entries(sync.id, &LogEntryFilter::default(), PageRequest::first(1)).await.unwrap();
        assert_eq!(entries.items[0].changes.as_ref().unwrap()["+"]["name"], "ä\"".repeat(300_000));
    });
}

#[test]
fn entries_that_differ_in_their_record_alone_share_rows_and_are_read_one_by_one() {
    on_each(|database| async move {
        let history = database.open().await;
        // The entries of the sites are no neighbours in the diff; one device of them fails.
        let refuse = |record: &str| {
            if record == "site-0001-00200" { Err(TargetError::new("no such name")) } else { Ok(()) }
        };
        let (_, sync) = job(Records::new(3, 400), Records::default())
            .without_pages()
            .on_write(refuse)
            .recorded(&history, options())
            .await;
        assert_eq!((sync.entries, sync.dropped), (1_203, 0));
        assert_eq!(database.numbers("SELECT CAST(sum(count) AS BIGINT) FROM history_entry").await, [1_203]);
        let rows = database.numbers("SELECT count(*) FROM history_entry").await[0];
        assert!(rows < 600, "{rows} rows");

        let paged = async |filter: &LogEntryFilter, size| {
            let (mut entries, mut request) = (Vec::new(), PageRequest::first(size));
            loop {
                let page = history.entries(sync.id, filter, request).await.unwrap();
                assert!(page.items.len() == size as usize || page.next.is_none());
                entries.extend(page.items);
                let Some(next) = page.next else { return entries };
                request = PageRequest::after(next, size);
            }
        };
        let all = paged(&LogEntryFilter::default(), 5_000).await;
        let expected = Records::new(3, 400);
        let expected: Vec<_> = expected
            .sites
            .iter()
            .map(|site| &*site.slug)
            .chain(expected.devices.iter().map(|device| &*device.name))
            .collect();
        assert_eq!(all.iter().map(|entry| &*entry.record).collect::<Vec<_>>(), expected);
        assert!(all.is_sorted_by_key(|entry| entry.at));
        assert_eq!(all[700].changes, Some(json!({"+": {"role": null, "site": "site-0001"}})));
        for size in [1, 7, 100, 1_203] {
            assert!(paged(&LogEntryFilter::default(), size).await == all, "in pages of {size}");
        }

        let failed = LogEntryFilter { status: vec!["failed".into()], ..LogEntryFilter::default() };
        assert_eq!(paged(&failed, 1).await.iter().map(|entry| &*entry.record).collect::<Vec<_>>(), ["site-0001-00200"]);
        let created = LogEntryFilter { status: vec!["created".into()], ..LogEntryFilter::default() };
        assert_eq!(paged(&created, 50).await.len(), 1_202);
        let devices = LogEntryFilter { model: Some("device".into()), ..LogEntryFilter::default() };
        assert_eq!(paged(&devices, 50).await, all[3..]);
        let text = LogEntryFilter { text: Some("-003".into()), ..LogEntryFilter::default() };
        assert_eq!(paged(&text, 50).await.len(), 300);
        assert!(all.iter().map(|entry| entry.position).eq(0..1_203));
        for position in [0, 1, 3, 700, 1_000, 1_202] {
            let entry = history.entry(sync.id, position).await.unwrap();
            assert_eq!(entry.as_ref(), all.get(usize::try_from(position).unwrap()));
        }
        assert_eq!(history.entry(sync.id, 1_203).await.unwrap(), None);

        // The same in the order of all syncs: a newer one comes first.
        let (_, newer) = job(Records::new(2, 60), Records::default()).recorded(&history, options()).await;
        let of_newer = history.entries(newer.id, &LogEntryFilter::default(), PageRequest::first(5_000)).await.unwrap();
        let latest_first = |filter: LogEntryFilter, size| {
            let history = history.clone();
            async move {
                let (mut entries, mut request) = (Vec::new(), PageRequest::first(size));
                loop {
                    let page = history.all_entries(&filter, request).await.unwrap();
                    assert!(page.items.len() == size as usize || page.next.is_none());
                    entries.extend(page.items.into_iter().map(|found| (found.sync, found.entry)));
                    let Some(next) = page.next else { return entries };
                    request = PageRequest::after(next, size);
                }
            }
        };
        let mut both: Vec<_> = all.into_iter().map(|entry| (sync.id, entry)).collect();
        both.extend(of_newer.items.into_iter().map(|entry| (newer.id, entry)));
        both.reverse();
        for size in [1, 7, 100, 1_325] {
            assert!(latest_first(LogEntryFilter::default(), size).await == both, "in pages of {size}");
        }
        for filter in [failed, created, devices, text] {
            let is_wanted = |entry: &LogEntry| {
                (filter.status.is_empty() || filter.status.contains(&entry.status))
                    && filter.model.as_ref().is_none_or(|model| *model == entry.model)
                    && filter.text.as_ref().is_none_or(|text| entry.record.contains(text))
            };
            let wanted: Vec<_> = both.iter().filter(|(_, entry)| is_wanted(entry)).cloned().collect();
            assert!(latest_first(filter.clone(), 30).await == wanted, "{filter:?}");
        }
    });
}

#[test]
fn what_became_of_records_is_seen_while_the_diff_is_still_recorded() {
    on_each(|database| async move {
        let history = database.open().await;
        let recording = tokio::spawn(async move {
            job(Records::new(60, 1_000), Records::default()).recorded(&history, options()).await.1
        });
        let mut is_seen = false;
        while !recording.is_finished() {
            let seen = database.numbers("SELECT no FROM history_sync WHERE entries > 0 AND changes < 60060").await;
            is_seen |= !seen.is_empty();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let sync = recording.await.unwrap();
        assert_eq!((sync.changes, sync.entries, sync.dropped), (60_060, 60_060, 0));
        assert!(is_seen, "no entry was there before the last change");
    });
}

#[test]
fn a_job_by_itself_has_no_profile() {
    on_each(|database| async move {
        let history = database.open().await;
        let by_itself = NewSync { profile: None, ..new_sync() };
        for sync in [by_itself, new_sync()] {
            Recorder::start(&history, &sync, RecorderOptions::default()).await.unwrap().finish().await.unwrap();
        }

        let listed = history.syncs(&SyncFilter::default(), PageRequest::default()).await.unwrap().items;
        let profiles: Vec<_> = listed.iter().map(|sync| sync.profile.as_deref()).collect();
        assert_eq!(profiles, [Some("emea"), None]);
        assert_eq!(serde_json::to_value(&listed[1]).unwrap()["profile"], json!(null));
        // By this name it is selected.
        let of_job = SyncFilter { profile: Some("sync-sites".into()), ..SyncFilter::default() };
        assert_eq!(history.syncs(&of_job, PageRequest::default()).await.unwrap().items, listed[1..]);
        let jobs = history.jobs().await.unwrap();
        assert_eq!(jobs, [("sync-sites".into(), "emea".into()), ("sync-sites".into(), "sync-sites".into())]);
    });
}

#[test]
fn a_record_that_was_rejected_has_an_entry_with_the_problem() {
    on_each(|database| async move {
        let history = database.open().await;
        let (mut source, target) = sides();
        source.devices[0].site = "nowhere".into();
        source.sites.push(source.sites[2].clone());
        let mut options = options();
        options.max_rejected = 1.0;
        let (report, sync) = job(source, target).recorded(&history, options).await;

        let rejected = LogEntryFilter { status: vec!["rejected".into()], ..LogEntryFilter::default() };
        let entries = history.entries(sync.id, &rejected, PageRequest::default()).await.unwrap().items;
        let mut entries: Vec<_> = entries
            .iter()
            .map(|entry| (&*entry.model, &*entry.record, entry.action, entry.message.clone().unwrap()))
            .collect();
        entries.sort();
        let mut problems: Vec<_> = report
            .problems()
            .iter()
            .filter(|problem| problem.rejects())
            .map(|problem| (problem.model, &*problem.record, None, problem.to_string()))
            .collect();
        problems.sort();
        assert_eq!(entries, problems);
        assert_eq!(entries.len(), 2);
        assert!(entries[0].3.contains("is under site \"nowhere\", which does not exist"), "{entries:?}");
        assert!(sync.counts.unwrap().rejected >= 2);
    });
}
