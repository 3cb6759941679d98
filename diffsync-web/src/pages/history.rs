//! The list of all syncs, with filters.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use diffsync_history::{PageRequest, SavedSync, SyncFilter, SyncStatus};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::download::{Csv, Format, stream};
use super::sync_row::{SyncRow, took};
use super::{Answer, Choice, Frame, choices, page_request, render};
use crate::error::PageError;
use crate::fields::Fields;
use crate::router::User;
use crate::site::Site;

/// How many syncs a page has.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    fields: Fields,
    jobs: Vec<Choice>,
    statuses: Vec<Choice>,
    types: Vec<Choice>,
    rows: Vec<SyncRow>,
    oldest_first: bool,
    next: Option<String>,
}

impl HistoryPage {
    fn reversed(&self) -> String {
        let order = (!self.oldest_first).then_some("oldest");
        format!("/history?{}", Fields::read(self.fields.with("after", None).as_bytes()).with("order", order))
    }
}

pub(crate) async fn history(State(site): State<Arc<Site>>, Extension(user): Extension<User>, fields: Fields) -> Answer {
    site.history.mark_interrupted().await?;
    let filter = filter(&fields)?;
    let page = site.history.syncs(&filter, page_request(&fields, ROWS)?).await?;
    let now = Timestamp::now();

    render(&HistoryPage {
        frame: Frame::new(&site, &user, "history"),
        jobs: choices(&fields, "job", site.ids()),
        statuses: choices(&fields, "status", SyncStatus::ALL.map(SyncStatus::as_str)),
        types: choices(&fields, "type", ["sync", "dry_run"]),
        rows: page.items.iter().map(|sync| SyncRow::new(sync, now)).collect(),
        oldest_first: filter.oldest_first,
        next: page.next.map(|next| fields.with("after", Some(&next.to_string()))),
        fields,
    })
}

fn filter(fields: &Fields) -> Result<SyncFilter, PageError> {
    let dry_run = |text: &str| match text {
        "dry_run" => Some(true),
        "sync" => Some(false),
        _ => None,
    };
    let mut status = Vec::new();
    for name in fields.all("status") {
        let named = SyncStatus::named(name);
        status.push(named.ok_or_else(|| PageError::field("status", name, "a status such as completed or failed"))?);
    }
    Ok(SyncFilter {
        job: fields.text("job"),
        profile: fields.text("profile"),
        source: fields.text("source"),
        target: fields.text("target"),
        status,
        dry_run: fields.value("type", "sync or dry_run", dry_run)?,
        started_by: fields.text("by"),
        from: fields.value("from", "a day such as 2026-11-27", |text| beginning(text, 0))?,
        // The last day belongs to the range.
        to: fields.value("to", "a day such as 2026-11-27", |text| beginning(text, 1))?,
        text: fields.text("text"),
        oldest_first: fields
            .value("order", "oldest or newest", |order| match order {
                "oldest" => Some(true),
                "newest" => Some(false),
                _ => None,
            })?
            .unwrap_or(false),
    })
}

/// When the day begins that is this many days after the one that is written, in UTC as all times of the pages.
fn beginning(text: &str, days_after: i8) -> Option<Timestamp> {
    let date: Date = text.parse().ok()?;
    let date = if days_after == 0 { date } else { date.tomorrow().ok()? };
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

pub(crate) async fn json_lines(State(site): State<Arc<Site>>, fields: Fields) -> Result<Response, PageError> {
    export(site, &fields, Format::JsonLines)
}

pub(crate) async fn csv(State(site): State<Arc<Site>>, fields: Fields) -> Result<Response, PageError> {
    export(site, &fields, Format::Csv)
}

fn export(site: Arc<Site>, fields: &Fields, format: Format) -> Result<Response, PageError> {
    let filter = filter(fields)?;
    let read = move |request: PageRequest| {
        let (site, filter) = (Arc::clone(&site), filter.clone());
        async move { site.history.syncs(&filter, request).await }
    };
    Ok(stream("history", format, read))
}

impl Csv for SavedSync {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "job",
        "profile",
        "source",
        "target",
        "dry_run",
        "status",
        "started_by",
        "started_at",
        "ended_at",
        "seconds",
        "create",
        "update",
        "delete",
        "created",
        "updated",
        "deleted",
        "unchanged",
        "failed",
        "error",
    ];

    fn cells(&self) -> Vec<String> {
        let planned = self.planned.as_ref().map(|planned| planned.total);
        let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
        vec![
            self.id.to_string(),
            self.job.clone(),
            self.profile.clone().unwrap_or_default(),
            self.source.clone(),
            self.target.clone(),
            self.dry_run.to_string(),
            self.status.to_string(),
            self.started_by.clone(),
            self.started_at.to_string(),
            self.ended_at.map(|at| at.to_string()).unwrap_or_default(),
            took(self).as_secs_f64().to_string(),
            number(planned.map(|counts| counts.create)),
            number(planned.map(|counts| counts.update)),
            number(planned.map(|counts| counts.delete)),
            number(self.counts.map(|counts| counts.created)),
            number(self.counts.map(|counts| counts.updated)),
            number(self.counts.map(|counts| counts.deleted + counts.cascaded)),
            number(self.counts.map(|counts| counts.unchanged)),
            number(self.counts.map(|counts| counts.failed)),
            self.error.clone().unwrap_or_default(),
        ]
    }
}
