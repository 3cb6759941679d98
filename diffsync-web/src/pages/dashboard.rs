//! The dashboard: all jobs with their latest syncs, those that run, and the latest of all.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use diffsync_core::job::{JobInfo, JobKind};
use diffsync_history::{History, HistoryError, PageRequest, SavedSync, SyncFilter, SyncStatus};
use jiff::Timestamp;

use super::live::{Live, live_of};
use super::status::Mark;
use super::sync_row::SyncRow;
use super::{Answer, Frame, render};
use crate::icon::System;
use crate::router::User;
use crate::runs::ProfilePage;
use crate::site::Site;

/// How many syncs of a job its card shows.
const OF_A_JOB: u32 = 10;

/// How many syncs the list at the end has.
const LATEST: u32 = 10;

/// The most runs that are shown with their progress.
const RUNNING: u32 = 20;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    frame: Frame,
    groups: [Group; 2],
    running: Vec<RunningSync>,
    latest: Vec<SyncRow>,
}

/// The jobs of one direction.
struct Group {
    title: &'static str,
    note: &'static str,
    cards: Vec<Card>,
}

struct Card {
    id: &'static str,
    name: &'static str,
    description: String,
    systems: [System; 2],
    last: Option<SyncRow>,
    /// The oldest first.
    outcomes: Vec<Outcome>,
    /// When it is to run, as its profiles say.
    schedules: Vec<(String, String)>,
    /// What runs it, if no page does.
    command: Option<String>,
}

/// One of the latest syncs of a job.
struct Outcome {
    mark: Mark,
    began: String,
}

/// A sync that has not ended.
pub(crate) struct RunningSync {
    sync: SyncRow,
    live: Live,
}

#[derive(Template)]
#[template(path = "running.html")]
struct Running {
    running: Vec<RunningSync>,
}

pub(crate) async fn dashboard(State(site): State<Arc<Site>>, Extension(user): Extension<User>) -> Answer {
    site.history.mark_interrupted().await?;
    let now = Timestamp::now();

    let mut groups = [
        Group { title: "Data sources", note: "Records come from elsewhere into your system", cards: Vec::new() },
        Group { title: "Data targets", note: "Your records go to other systems", cards: Vec::new() },
    ];
    let [sources, targets] = &mut groups;
    let others = site.others.iter().filter(|job| !job.info.hidden);
    let others = others.map(|job| (job.info, &[][..], Some(&*job.command)));
    for (info, profiles, command) in site.listed().map(|page| (page.job.info(), &*page.profiles, None)).chain(others) {
        let group = match info.kind {
            JobKind::DataSource => &mut *sources,
            JobKind::DataTarget => &mut *targets,
        };
        group.cards.push(card(&site, info, profiles, command, now).await?);
    }

    let latest = site.history.syncs(&SyncFilter::default(), PageRequest::first(LATEST)).await?;
    render(&Dashboard {
        frame: Frame::new(&site, &user, "dashboard"),
        groups,
        running: running_syncs(&site, now).await?,
        latest: latest.items.iter().map(|sync| SyncRow::new(sync, now)).collect(),
    })
}

/// The part of the dashboard that is asked for again while it is open.
pub(crate) async fn running(State(site): State<Arc<Site>>) -> Answer {
    render(&Running { running: running_syncs(&site, Timestamp::now()).await? })
}

async fn card(
    site: &Site,
    info: &'static JobInfo,
    profiles: &[ProfilePage],
    command: Option<&str>,
    now: Timestamp,
) -> Result<Card, HistoryError> {
    let syncs = latest_of(&site.history, info.id, OF_A_JOB).await?;
    let schedule = |profile: &ProfilePage| Some((profile.name.clone(), profile.schedule.clone()?));
    Ok(Card {
        id: info.id,
        name: info.name,
        description: info.description.lines().next().unwrap_or_default().to_owned(),
        systems: site.icons.systems(info),
        last: syncs.first().map(|sync| SyncRow::new(sync, now)),
        outcomes: syncs.iter().rev().map(|sync| Outcome::new(sync, now)).collect(),
        schedules: profiles.iter().filter_map(schedule).collect(),
        command: command.map(str::to_owned),
    })
}

/// The latest syncs of a job, the newest first.
pub(super) async fn latest_of(history: &History, job: &str, most: u32) -> Result<Vec<SavedSync>, HistoryError> {
    let filter = SyncFilter { job: Some(job.to_owned()), ..SyncFilter::default() };
    Ok(history.syncs(&filter, PageRequest::first(most)).await?.items)
}

async fn running_syncs(site: &Site, now: Timestamp) -> Result<Vec<RunningSync>, HistoryError> {
    let filter = SyncFilter { status: vec![SyncStatus::Running], ..SyncFilter::default() };
    let syncs = site.history.syncs(&filter, PageRequest::first(RUNNING)).await?.items;
    Ok(syncs.iter().map(|sync| RunningSync { sync: SyncRow::new(sync, now), live: live_of(site, sync) }).collect())
}

impl Outcome {
    fn new(sync: &SavedSync, now: Timestamp) -> Self {
        let row = SyncRow::new(sync, now);
        Self { mark: row.status, began: row.began.whole }
    }

    /// How high its bar is, so that not only its colour tells how it ended.
    fn height(&self) -> u8 {
        match self.mark.class {
            "good" => 18,
            "doubtful" | "busy" => 12,
            _ => 7,
        }
    }
}
