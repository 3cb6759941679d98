//! One job: what it compares, how it is configured, and how its runs have gone.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use diffsync_core::job::{DataMapping, JobEntry, JobInfo, JobKind, VariableSpec};
use diffsync_core::model::{Limits, OnGuard};
use diffsync_core::schema::{LinkKind, ModelSchema};
use diffsync_history::SavedSync;
use jiff::Timestamp;

use super::dashboard::latest_of;
use super::sync_row::{SyncRow, took};
use super::{Frame, render};
use crate::error::PageError;
use crate::fields::Fields;
use crate::figures::{count, duration, number, percent, size};
use crate::icon::System;
use crate::router::User;
use crate::runs::{JobPage, ProfilePage};
use crate::site::Site;

/// How many syncs the charts show.
const CHARTED: u32 = 40;

/// How many syncs the list has.
const LISTED: usize = 10;

/// How high a chart is, in its own units.
const HEIGHT: f64 = 60.0;

/// How wide a bar of a chart is, with the gap to the next one.
const BAR: usize = 8;

#[derive(Template)]
#[template(path = "job.html")]
struct JobTemplate<'a> {
    frame: Frame,
    info: &'static JobInfo,
    kind: &'static str,
    description: Vec<&'static str>,
    systems: [System; 2],
    mappings: Vec<DataMapping>,
    models: ModelTree,
    rules: Vec<(&'static str, String)>,
    configuration: Vec<(String, String, String)>,
    variables: Vec<VariableRow>,
    profiles: &'a [ProfilePage],
    profile: Option<&'a ProfilePage>,
    charts: Vec<Chart>,
    rows: Vec<SyncRow>,
}

impl JobTemplate<'_> {
    /// What marks the profile that is shown.
    fn current(&self, profile: &ProfilePage) -> &'static str {
        if self.profile.is_some_and(|shown| shown.name == profile.name) { "page" } else { "false" }
    }
}

/// The models whose records live under those of another, or under no others.
#[derive(Template)]
#[template(path = "model_tree.html")]
struct ModelTree {
    nodes: Vec<ModelNode>,
    is_top: bool,
}

/// A model in the tree of a job's models.
struct ModelNode {
    name: &'static str,
    description: &'static str,
    identifiers: String,
    attributes: String,
    /// The models that it refers to.
    references: Vec<String>,
    limits: String,
    children: ModelTree,
}

/// A variable with what it is set by.
struct VariableRow {
    name: &'static str,
    help: &'static str,
    kind: String,
    default: Option<&'static str>,
    env: Option<&'static str>,
    is_required: bool,
    is_secret: bool,
    in_profile: Option<String>,
}

/// One figure of the latest syncs, as bars from the oldest to the newest.
struct Chart {
    title: &'static str,
    latest: String,
    highest: String,
    bars: Vec<ChartBar>,
}

struct ChartBar {
    link: String,
    label: String,
    x: usize,
    y: String,
    height: String,
    class: &'static str,
}

impl Chart {
    /// How wide it is, in its own units.
    fn width(&self) -> usize {
        self.bars.len().max(12) * BAR
    }
}

fn unknown_job(site: &Site, id: &str) -> PageError {
    if let Some(job) = site.other(id) {
        return PageError::NotFound(format!("the job {id:?} is in another program; run it with `{}`", job.command));
    }
    let near = diffsync_core::value::suggest(id, site.ids());
    let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    PageError::NotFound(format!("there is no job {id:?}{near}"))
}

/// The job with this id.
pub(super) fn named<'a>(site: &'a Site, id: &str) -> Result<&'a JobPage, PageError> {
    site.job(id).ok_or_else(|| unknown_job(site, id))
}

/// The profile that a query names, if it does.
pub(super) fn profile_of<'a>(page: &'a JobPage, fields: &Fields) -> Result<Option<&'a ProfilePage>, PageError> {
    let Some(name) = fields.get("profile") else { return Ok(None) };
    let found = page.profiles.iter().find(|profile| profile.name == name);
    let missing = || PageError::NotFound(format!("the job {:?} has no profile {name:?}", page.job.info().id));
    found.map(Some).ok_or_else(missing)
}

pub(crate) async fn job(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    // What is known of the job of another program is its history.
    if let Some(job) = site.other(&id) {
        return Ok(Redirect::to(&format!("/history?job={}", job.info.id)).into_response());
    }
    let page = named(&site, &id)?;
    let profile = profile_of(page, &fields)?;
    let info = page.job.info();
    let now = Timestamp::now();
    let syncs = latest_of(&site.history, info.id, CHARTED).await?;
    let configuration = site.runs.configuration(&page.job, profile.map(|profile| &*profile.name));
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);

    let page = render(&JobTemplate {
        frame: Frame::new(&site, &user, "jobs"),
        info,
        kind: match info.kind {
            JobKind::DataSource => "data source",
            JobKind::DataTarget => "data target",
        },
        description: info.description.lines().collect(),
        systems: site.icons.systems(info),
        mappings: page.job.data_mappings(),
        models: tree(&page.job, None),
        rules: rules(info),
        configuration: configuration
            .into_iter()
            .flatten()
            .map(|item| (item.name, text(&item.value), item.help))
            .collect(),
        variables: page.job.variables().iter().map(|spec| VariableRow::new(spec, profile)).collect(),
        profiles: &page.profiles,
        profile,
        charts: charts(&syncs),
        rows: syncs.iter().take(LISTED).map(|sync| SyncRow::new(sync, now)).collect(),
    })?;
    Ok(page.into_response())
}

pub(crate) async fn source_icon(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, PageError> {
    let icon = named(&site, &id)?.job.info().source_icon;
    site.icons.file(icon).ok_or_else(|| PageError::NotFound(format!("the source of {id:?} has no icon")))
}

pub(crate) async fn target_icon(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, PageError> {
    let icon = named(&site, &id)?.job.info().target_icon;
    site.icons.file(icon).ok_or_else(|| PageError::NotFound(format!("the target of {id:?} has no icon")))
}

fn tree(job: &JobEntry, parent: Option<&str>) -> ModelTree {
    let is_left_out = |model: &ModelSchema| job.info().skip.contains(&model.name);
    let is_here = |model: &&&ModelSchema| {
        // Records of a model that nests in itself are below themselves, and shown once.
        let above = model.parent().map(|link| link.model).filter(|above| *above != model.name);
        above == parent && !is_left_out(model)
    };
    let nodes = job.models().iter().filter(is_here).map(|model| ModelNode::new(job, model)).collect();
    ModelTree { nodes, is_top: parent.is_none() }
}

impl ModelNode {
    fn new(job: &JobEntry, model: &'static ModelSchema) -> Self {
        let names = |fields: &[diffsync_core::schema::FieldSchema]| {
            fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
        };
        let references = model.links.iter().filter(|link| matches!(link.kind, LinkKind::Reference { .. }));
        Self {
            name: model.name,
            description: model.description.lines().next().unwrap_or_default(),
            identifiers: names(model.identifiers),
            attributes: names(model.attributes),
            references: references.map(|link| format!("{} by {}", link.model, link.fields.join(", "))).collect(),
            limits: limits(model.limits).unwrap_or_default(),
            children: tree(job, Some(model.name)),
        }
    }
}

/// The limits, in words.
fn limits(limits: Limits) -> Option<String> {
    let of = [("creates", limits.creates), ("updates", limits.updates), ("deletes", limits.deletes)];
    let given: Vec<_> = of.iter().filter_map(|(what, limit)| limit.map(|limit| format!("{limit} {what}"))).collect();
    (!given.is_empty()).then(|| given.join(", "))
}

/// What holds in every run of a job.
fn rules(info: &JobInfo) -> Vec<(&'static str, String)> {
    let of_limits = limits(info.limits).unwrap_or_else(|| "30% deletes, unless a model says otherwise".into());
    let beyond = match info.on_guard {
        OnGuard::Stop => "a run that exceeds them is refused",
        OnGuard::Hold => "operations that exceed them are held",
    };
    let mut rules = vec![("Limits", format!("{of_limits}; {beyond}"))];
    if let Some(limit) = info.time_limit {
        rules.push(("Time limit", duration(limit)));
    }
    if !info.skip.is_empty() {
        rules.push(("Left out", info.skip.join(", ")));
    }
    if !info.ignore.is_empty() {
        let names = info.ignore.iter().map(|(model, attribute)| format!("{model}.{attribute}"));
        rules.push(("Not compared", names.collect::<Vec<_>>().join(", ")));
    }
    rules
}

impl VariableRow {
    fn new(spec: &'static VariableSpec, profile: Option<&ProfilePage>) -> Self {
        let setting = |profile: &ProfilePage| {
            profile.settings.iter().find(|(name, _)| name == spec.name).map(|(_, shown)| shown.clone())
        };
        Self {
            name: spec.name,
            help: spec.help,
            kind: super::run::kind_name(spec.kind),
            default: spec.default.filter(|_| !spec.secret),
            env: spec.env,
            is_required: spec.required,
            is_secret: spec.secret,
            in_profile: profile.and_then(setting),
        }
    }
}

/// The duration, the memory and the changes of syncs, which are the newest first.
fn charts(syncs: &[SavedSync]) -> Vec<Chart> {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let ended = |sync: &SavedSync| sync.ended_at.map(|_| micros(took(sync)));
    let peak = |sync: &SavedSync| sync.steps.iter().filter_map(|step| Some(step.memory?.heap?.peak)).max();
    let changes = |sync: &SavedSync| sync.planned.as_ref().map(|planned| number(planned.total.operations()));
    [
        Chart::new("Duration", syncs, ended, |micros| duration(Duration::from_micros(micros))),
        Chart::new("Heap peak", syncs, peak, size),
        Chart::new("Changes", syncs, changes, count),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Chart {
    fn new(
        title: &'static str,
        syncs: &[SavedSync],
        of: impl Fn(&SavedSync) -> Option<u64>,
        show: impl Fn(u64) -> String,
    ) -> Option<Self> {
        let values: Vec<_> = syncs.iter().rev().map(|sync| (sync, of(sync))).collect();
        let highest = values.iter().filter_map(|(_, value)| *value).max()?;
        let latest = values.iter().rev().find_map(|(_, value)| *value)?;
        let bar = |(at, (sync, value)): (usize, &(&SavedSync, Option<u64>))| {
            let value = (*value)?;
            // Even the smallest is seen.
            let height = (percent(value, highest) / 100.0 * HEIGHT).max(1.0);
            let dry_run = if sync.dry_run { ", dry run" } else { "" };
            let began = sync.started_at.strftime("%Y-%m-%d %H:%M");
            Some(ChartBar {
                link: format!("/syncs/{}", sync.id),
                label: format!("{began}{dry_run}: {}", show(value)),
                x: at * BAR,
                y: format!("{:.1}", HEIGHT - height),
                height: format!("{height:.1}"),
                class: if sync.dry_run { "dry" } else { "real" },
            })
        };
        let bars = values.iter().enumerate().filter_map(bar).collect();
        Some(Self { title, latest: show(latest), highest: show(highest), bars })
    }
}
