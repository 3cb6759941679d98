//! The log entries of one sync or of all, and the lines that a sync logged.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use diffsync_core::report::Step;
use diffsync_history::{LogEntry, LogEntryFilter, LogLevel, LogLine, LogLineFilter, PageRequest, SavedSync, SyncId};
use jiff::Timestamp;
use serde_json::Value;

use super::download::{Csv, Format, stream};
use super::status::Mark;
use super::sync_row::SyncRow;
use super::value::{Attribute, Shown, attributes};
use super::{Answer, Choice, Frame, choices, operation, page_request, position, render};
use crate::error::PageError;
use crate::fields::Fields;
use crate::figures::{Moment, count};
use crate::router::User;
use crate::site::Site;

/// How many entries or lines a page has.
const ROWS: u32 = 100;

/// A log entry as a row.
pub(crate) struct Entry {
    /// Its own page.
    pub(crate) link: String,
    pub(crate) at: Moment,
    pub(crate) action: Option<Mark>,
    pub(crate) status: Mark,
    pub(crate) model: String,
    pub(crate) record: Shown,
    /// The record's page in the system that it is in.
    pub(crate) url: Option<String>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) message: Option<Shown>,
    /// The sync, in a list of all.
    pub(crate) sync: Option<(String, String)>,
}

impl Entry {
    pub(crate) fn new(entry: &LogEntry, sync: SyncId, now: Timestamp) -> Self {
        Self::with(entry, sync, now, Shown::cut)
    }

    fn with(entry: &LogEntry, sync: SyncId, now: Timestamp, show: impl Fn(&str) -> Shown) -> Self {
        // A link that is not to a page could be a script.
        let url = entry.url.as_ref().filter(|url| matches!(url.scheme(), "http" | "https"));
        Self {
            link: format!("/syncs/{sync}/logs/{}", entry.position),
            at: Moment::new(entry.at, now),
            action: entry.action.map(Mark::of_action),
            status: Mark::of_outcome(&entry.status),
            model: entry.model.clone(),
            record: show(&entry.record),
            url: url.map(ToString::to_string),
            attributes: attributes(entry.changes.as_ref(), &show),
            message: entry.message.as_deref().map(&show),
            sync: None,
        }
    }
}

#[derive(Template)]
#[template(path = "logs.html")]
struct LogsPage {
    frame: Frame,
    fields: Fields,
    /// Nothing in the list of all syncs.
    row: Option<SyncRow>,
    path: String,
    statuses: Vec<Choice>,
    actions: Vec<Choice>,
    models: Vec<Choice>,
    entries: Vec<Entry>,
    counts: [String; 2],
    next: Option<String>,
    is_pruned: bool,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage {
    frame: Frame,
    row: SyncRow,
    entry: Entry,
    identifiers: String,
}

#[derive(Template)]
#[template(path = "lines.html")]
struct LinesPage {
    frame: Frame,
    fields: Fields,
    row: SyncRow,
    levels: Vec<Choice>,
    steps: Vec<Choice>,
    lines: Vec<Line>,
    counts: [String; 2],
    next: Option<String>,
    is_pruned: bool,
}

/// A log line as a row.
struct Line {
    at: Moment,
    level: Mark,
    step: String,
    target: String,
    message: Shown,
    fields: Option<Shown>,
}

fn filter(fields: &Fields) -> Result<LogEntryFilter, PageError> {
    let status: Vec<_> = fields.all("status").map(str::to_owned).collect();
    if let Some(unknown) = status.iter().find(|status| !LogEntry::STATUSES.contains(&status.as_str())) {
        return Err(PageError::field("status", unknown, &format!("one of {}", LogEntry::STATUSES.join(", "))));
    }
    Ok(LogEntryFilter {
        status,
        model: fields.text("model"),
        action: operation(fields)?,
        text: fields.text("text"),
        ..LogEntryFilter::default()
    })
}

/// The models that a field of the filter offers.
fn models<'a>(site: &'a Site, sync: Option<&'a SavedSync>) -> Vec<&'a str> {
    let Some(sync) = sync else {
        let mut names: Vec<_> = site.jobs.iter().flat_map(|page| page.job.models()).map(|model| model.name).collect();
        names.sort_unstable();
        names.dedup();
        return names;
    };
    sync.planned.iter().flat_map(|planned| &planned.models).map(|model| &*model.model).collect()
}

/// The entries of one sync.
pub(crate) async fn entries(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Answer {
    let sync = site.history.sync(&sync).await?;
    let page = site.history.entries(sync.id, &filter(&fields)?, page_request(&fields, ROWS)?).await?;
    let now = Timestamp::now();
    render(&LogsPage {
        frame: Frame::new(&site, &user, "history"),
        path: format!("/syncs/{}/logs", sync.id),
        statuses: choices(&fields, "status", LogEntry::STATUSES),
        actions: choices(&fields, "action", ["create", "update", "delete"]),
        models: choices(&fields, "model", models(&site, Some(&sync))),
        entries: page.items.iter().map(|entry| Entry::new(entry, sync.id, now)).collect(),
        counts: [count(sync.entries), count(sync.lines)],
        next: page.next.map(|next| fields.with("after", Some(&next.to_string()))),
        is_pruned: sync.pruned_at.is_some(),
        row: Some(SyncRow::new(&sync, now)),
        fields,
    })
}

/// The entries of all syncs, the latest first.
pub(crate) async fn all(State(site): State<Arc<Site>>, Extension(user): Extension<User>, fields: Fields) -> Answer {
    let page = site.history.all_entries(&filter(&fields)?, page_request(&fields, ROWS)?).await?;
    let now = Timestamp::now();
    let entries = page.items.iter().map(|of_sync| Entry {
        sync: Some((of_sync.sync.to_string(), of_sync.job.clone())),
        ..Entry::new(&of_sync.entry, of_sync.sync, now)
    });
    render(&LogsPage {
        frame: Frame::new(&site, &user, "logs"),
        row: None,
        path: "/logs".to_owned(),
        statuses: choices(&fields, "status", LogEntry::STATUSES),
        actions: choices(&fields, "action", ["create", "update", "delete"]),
        models: choices(&fields, "model", models(&site, None)),
        entries: entries.collect(),
        counts: Default::default(),
        next: page.next.map(|next| fields.with("after", Some(&next.to_string()))),
        is_pruned: false,
        fields,
    })
}

/// One entry with all of its text.
pub(crate) async fn entry(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path((sync, at)): Path<(String, String)>,
) -> Answer {
    let (sync, position) = (site.history.sync(&sync).await?, position(&at)?);
    let found = site.history.entry(sync.id, position).await?;
    let missing = || PageError::NotFound(format!("sync {} has no log entry {position}", sync.id));
    let entry = found.ok_or_else(missing)?;
    let now = Timestamp::now();
    render(&EntryPage {
        frame: Frame::new(&site, &user, "history"),
        row: SyncRow::new(&sync, now),
        identifiers: entry.identifiers.to_string(),
        entry: Entry::with(&entry, sync.id, now, Shown::whole),
    })
}

fn line_filter(fields: &Fields) -> Result<LogLineFilter, PageError> {
    let level = |text: &str| LogLevel::ALL.into_iter().find(|level| level.as_str() == text);
    let step = |text: &str| Step::ALL.into_iter().find(|step| step.to_string() == text);
    Ok(LogLineFilter {
        level: fields.value("level", "error, warn, info, debug or trace", level)?,
        step: fields.value("step", "a step such as load source", step)?,
        text: fields.text("text"),
    })
}

/// The lines that a sync logged.
pub(crate) async fn lines(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Answer {
    let sync = site.history.sync(&sync).await?;
    let page = site.history.lines(sync.id, &line_filter(&fields)?, page_request(&fields, ROWS)?).await?;
    let now = Timestamp::now();
    let steps = Step::ALL.map(|step| step.to_string());
    render(&LinesPage {
        frame: Frame::new(&site, &user, "history"),
        levels: choices(&fields, "level", LogLevel::ALL.map(LogLevel::as_str)),
        steps: choices(&fields, "step", steps.iter().map(String::as_str)),
        lines: page.items.iter().map(|line| Line::new(line, now)).collect(),
        counts: [count(sync.entries), count(sync.lines)],
        next: page.next.map(|next| fields.with("after", Some(&next.to_string()))),
        is_pruned: sync.pruned_at.is_some(),
        row: SyncRow::new(&sync, now),
        fields,
    })
}

impl Line {
    fn new(line: &LogLine, now: Timestamp) -> Self {
        Self {
            at: Moment::new(line.at, now),
            level: Mark::of_level(line.level),
            step: line.step.map(|step| step.to_string()).unwrap_or_default(),
            target: line.target.clone(),
            message: Shown::cut(&line.message),
            fields: line.fields.as_ref().map(|fields| Shown::cut(&named(fields))),
        }
    }
}

/// The fields of a log line, as `name=value`.
fn named(fields: &Value) -> String {
    let Value::Object(fields) = fields else { return fields.to_string() };
    let field = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        _ => format!("{name}={value}"),
    };
    fields.iter().map(field).collect::<Vec<_>>().join("  ")
}

pub(crate) async fn json_lines(
    State(site): State<Arc<Site>>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    export(site, &sync, &fields, Format::JsonLines).await
}

pub(crate) async fn csv(
    State(site): State<Arc<Site>>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    export(site, &sync, &fields, Format::Csv).await
}

async fn export(site: Arc<Site>, sync: &str, fields: &Fields, format: Format) -> Result<Response, PageError> {
    let (sync, filter) = (site.history.sync(sync).await?.id, filter(fields)?);
    let read = move |request: PageRequest| {
        let (site, filter) = (Arc::clone(&site), filter.clone());
        async move { site.history.entries(sync, &filter, request).await }
    };
    Ok(stream(&format!("logs-{sync}"), format, read))
}

pub(crate) async fn lines_json(
    State(site): State<Arc<Site>>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let (sync, filter) = (site.history.sync(&sync).await?.id, line_filter(&fields)?);
    let read = move |request: PageRequest| {
        let (site, filter) = (Arc::clone(&site), filter.clone());
        async move { site.history.lines(sync, &filter, request).await }
    };
    Ok(stream(&format!("lines-{sync}"), Format::JsonLines, read))
}

impl Csv for LogEntry {
    const COLUMNS: &'static [&'static str] =
        &["at", "action", "status", "model", "record", "url", "before", "after", "message"];

    fn cells(&self) -> Vec<String> {
        let side = |sign: &str| {
            self.changes.as_ref().and_then(|changes| changes.get(sign)).map(ToString::to_string).unwrap_or_default()
        };
        vec![
            self.at.to_string(),
            self.action.map(|action| action.to_string()).unwrap_or_default(),
            self.status.clone(),
            self.model.clone(),
            self.record.clone(),
            self.url.as_ref().map(ToString::to_string).unwrap_or_default(),
            side("-"),
            side("+"),
            self.message.clone().unwrap_or_default(),
        ]
    }
}

impl Csv for LogLine {
    const COLUMNS: &'static [&'static str] = &["at", "level", "step", "target", "message", "fields"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.at.to_string(),
            self.level.to_string(),
            self.step.map(|step| step.to_string()).unwrap_or_default(),
            self.target.clone(),
            self.message.clone(),
            self.fields.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    }
}
