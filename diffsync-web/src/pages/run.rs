//! The form that runs a job, and what it does.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use diffsync_core::job::{JobInfo, VariableKind, VariableSpec, VariableValues};
use diffsync_core::model::{LimitOverride, Operation};
use diffsync_core::value::Url;

use super::job::{named, profile_of};
use super::{Answer, Choice, Frame, render};
use crate::error::PageError;
use crate::fields::Fields;
use crate::icon::System;
use crate::router::User;
use crate::runs::{FieldError, JobPage, ProfilePage, StartError, StartRun};
use crate::site::Site;

/// What precedes the name of a variable in the names of fields, so that it is none of the form's own.
const PREFIX: &str = "v.";

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage<'a> {
    frame: Frame,
    info: &'static JobInfo,
    systems: [System; 2],
    profiles: &'a [ProfilePage],
    profile: Option<&'a ProfilePage>,
    fields: Vec<Field>,
    options: Vec<OptionBox>,
    limits: Vec<LimitField>,
    /// What is wrong with the whole.
    errors: Vec<String>,
    /// How many fields have an error.
    wrong: usize,
}

/// The field of a variable.
struct Field {
    name: String,
    label: String,
    help: &'static str,
    control: Control,
    value: String,
    choices: Vec<Choice>,
    /// What happens if it is left empty.
    empty: String,
    is_required: bool,
    note: Option<String>,
    /// Whether it has a line for each value.
    is_list: bool,
    error: Option<String>,
}

impl RunPage<'_> {
    /// What marks the profile that is shown.
    fn current(&self, profile: &ProfilePage) -> &'static str {
        if self.profile.is_some_and(|shown| shown.name == profile.name) { "page" } else { "false" }
    }

    /// Whether a limit is given, so that its field is shown.
    fn has_limits(&self) -> bool {
        self.limits.iter().any(|limit| !limit.value.is_empty() || limit.error.is_some())
    }
}

/// What a value is entered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Line { kind: &'static str, mode: &'static str },
    Lines,
    Secret,
    Choice,
    Choices,
}

/// A box that is checked or not.
struct OptionBox {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    is_checked: bool,
}

struct LimitField {
    name: &'static str,
    label: &'static str,
    value: String,
    error: Option<String>,
}

/// How a kind of value is called.
pub(super) fn kind_name(kind: VariableKind) -> String {
    match kind {
        VariableKind::Integer => "whole number".to_owned(),
        VariableKind::Number => "number".to_owned(),
        VariableKind::Boolean => "yes or no".to_owned(),
        VariableKind::Url => "URL".to_owned(),
        VariableKind::Path => "file or folder".to_owned(),
        VariableKind::Json => "JSON".to_owned(),
        VariableKind::Choice(names) => format!("one of {}", names.join(", ")),
        VariableKind::List(kind) => format!("any number of: {}", kind_name(*kind)),
        _ => "text".to_owned(),
    }
}

/// The form, empty or as an earlier run was started.
pub(crate) async fn form(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(id): Path<String>,
    query: Fields,
) -> Answer {
    let page = named(&site, &id)?;
    let profile = profile_of(page, &query)?;

    let mut given = query.clone();
    if let Some(again) = query.get("again") {
        let sync = site.history.sync(again).await?;
        for (name, values) in sync.variables.iter().filter(|_| sync.job == id) {
            given.extend(&format!("{PREFIX}{name}"), values);
        }
    }
    let filled = Filled { fields: given, ..Filled::default() };
    render(&run_page(&site, &user, page, profile, filled).await)
}

/// Starts a run, or shows the form again with what is wrong.
pub(crate) async fn start(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, PageError> {
    let page = named(&site, &id)?;
    let form = Fields::read(&body);
    let profile = profile_of(page, &form)?;

    let (values, mut wrong) = values(&site, page, &form);
    let mut limit_overrides = Vec::new();
    for (name, operation) in LIMITS {
        match limits(operation, form.get(name).unwrap_or_default()) {
            Ok(limits) => limit_overrides.extend(limits),
            Err(message) => wrong.push(FieldError { variable: name.to_owned(), message }),
        }
    }

    let mut errors = Vec::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if wrong.is_empty() {
        let run = StartRun {
            job: id.clone(),
            profile: profile.map(|profile| profile.name.clone()),
            values,
            dry_run: form.has("dry_run", "on"),
            memory_profiling: form.has("memory_profiling", "on"),
            parallel_loading: form.has("parallel_loading", "on"),
            continue_on_failure: form.has("continue_on_failure", "on"),
            limit_overrides,
            started_by: user.name.clone(),
        };
        match site.runs.start(run).await {
            Ok(sync) => return Ok(Redirect::to(&format!("/syncs/{sync}")).into_response()),
            Err(StartError::Fields(fields)) => wrong = fields,
            Err(StartError::Busy(error)) => {
                status = StatusCode::CONFLICT;
                errors.push(error);
            }
            Err(StartError::Failed(error)) => {
                status = StatusCode::INTERNAL_SERVER_ERROR;
                errors.push(error);
            }
        }
    }
    let filled = Filled { fields: form, is_sent: true, wrong, errors };
    let page = run_page(&site, &user, page, profile, filled).await;
    Ok((status, render(&page)?).into_response())
}

/// Cancels a run of this program.
pub(crate) async fn cancel(State(site): State<Arc<Site>>, Path(sync): Path<String>) -> Result<Redirect, PageError> {
    let sync = site.history.sync(&sync).await?;
    if site.runs.cancel(sync.id) {
        return Ok(Redirect::to(&format!("/syncs/{}", sync.id)));
    }
    Err(PageError::Conflict(if sync.ended_at.is_some() {
        format!("sync {} has ended, so there is nothing to cancel", sync.id)
    } else {
        format!("sync {} is process {} on {}, and only that can cancel it", sync.id, sync.pid, sync.host)
    }))
}

/// The fields of limits that a run may exceed.
const LIMITS: [(&str, Operation); 3] =
    [("allow_creates", Operation::Create), ("allow_updates", Operation::Update), ("allow_deletes", Operation::Delete)];

fn limits(operation: Operation, text: &str) -> Result<Vec<LimitOverride>, String> {
    let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    parts.map(|part| LimitOverride::parse(operation, part).map_err(|error| format!("{part:?}: {error}"))).collect()
}

/// The values of a form, and those that no form may give.
fn values(site: &Site, page: &JobPage, form: &Fields) -> (VariableValues, Vec<FieldError>) {
    let (mut values, mut wrong) = (VariableValues::new(), Vec::new());
    for spec in page.job.variables() {
        let name = format!("{PREFIX}{}", spec.name);
        let is_list = matches!(spec.kind, VariableKind::List(_));
        for text in form.all(&name) {
            // A list has a line for each value.
            let texts = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let texts: Vec<&str> = if is_list { texts.collect() } else { vec![text] };
            for text in texts {
                match allowed(site, spec, text) {
                    Ok(text) => values = values.with(spec.name, text),
                    Err(message) => wrong.push(FieldError { variable: spec.name.to_owned(), message }),
                }
            }
        }
    }
    (values, wrong)
}

/// A value, unless it is a file of the server that its owner does not allow.
fn allowed(site: &Site, spec: &VariableSpec, text: &str) -> Result<String, String> {
    let kind = if let VariableKind::List(kind) = spec.kind { *kind } else { spec.kind };
    let path = |text: &str| {
        let path = site.files.allow(text)?;
        path.into_os_string().into_string().map_err(|_| format!("{text:?} is not below a folder whose name is Unicode"))
    };
    match kind {
        VariableKind::Path => path(text),
        // A URL may name a file as well.
        VariableKind::Url => match text.split_once("://") {
            Some((scheme @ ("file" | "sqlite"), rest)) => Ok(format!("{scheme}://{}", path(rest)?)),
            _ if text.parse::<Url>().is_ok_and(|url| matches!(url.scheme(), "file" | "sqlite")) => {
                Err("write it with two slashes, as in sqlite://inventory.db".to_owned())
            }
            _ => Ok(text.to_owned()),
        },
        _ => Ok(text.to_owned()),
    }
}

/// What a form is shown with.
#[derive(Default)]
struct Filled {
    fields: Fields,
    /// Whether it was sent: a box that was not checked is not among its fields.
    is_sent: bool,
    wrong: Vec<FieldError>,
    /// What is wrong with the whole.
    errors: Vec<String>,
}

async fn run_page<'a>(
    site: &Site,
    user: &User,
    page: &'a JobPage,
    profile: Option<&'a ProfilePage>,
    form: Filled,
) -> RunPage<'a> {
    let info = page.job.info();
    let given = &form.fields;
    let message = |name: &str| {
        let of_field: Vec<_> =
            form.wrong.iter().filter(|error| error.variable == name).map(|error| &*error.message).collect();
        (!of_field.is_empty()).then(|| of_field.join("; "))
    };

    let mut fields = Vec::new();
    for spec in page.job.variables() {
        let choices = site.runs.choices(&page.job, profile.map(|profile| &*profile.name), spec).await;
        let mut field = Field::new(site, spec, profile, given, choices);
        field.error = message(spec.name);
        fields.push(field);
    }

    let by_default = profile.map_or(info.dryrun_default, |profile| profile.dry_run);
    let is_checked = |name: &str, by_default: bool| if form.is_sent { given.has(name, "on") } else { by_default };
    let option =
        |name, label, help, by_default| OptionBox { name, label, help, is_checked: is_checked(name, by_default) };
    RunPage {
        frame: Frame::new(site, user, "jobs"),
        info,
        systems: site.icons.systems(info),
        profiles: &page.profiles,
        profile,
        options: vec![
            option("dry_run", "Dry run", "Show the changes, and write nothing", by_default),
            option(
                "memory_profiling",
                "Memory profiling",
                "Measure the memory that each step takes",
                profile.is_some_and(|profile| profile.memory_profiling),
            ),
            option(
                "parallel_loading",
                "Parallel loading",
                "Load both sides at the same time",
                profile.is_some_and(|profile| profile.parallel_loading),
            ),
            option(
                "continue_on_failure",
                "Continue on failure",
                "Go on with the other records when one fails",
                profile.is_none_or(|profile| profile.continue_on_failure),
            ),
        ],
        limits: LIMITS
            .into_iter()
            .map(|(name, operation)| LimitField {
                name,
                label: match operation {
                    Operation::Create => "Allow creates",
                    Operation::Update => "Allow updates",
                    Operation::Delete => "Allow deletes",
                },
                value: given.text(name).unwrap_or_default(),
                error: message(name),
            })
            .collect(),
        wrong: form.wrong.len(),
        errors: form.errors,
        fields,
    }
}

impl Field {
    fn new(
        site: &Site,
        spec: &'static VariableSpec,
        profile: Option<&ProfilePage>,
        given: &Fields,
        choices: Option<Result<Vec<String>, String>>,
    ) -> Self {
        let name = format!("{PREFIX}{}", spec.name);
        let in_profile = profile.and_then(|profile| profile.settings.iter().find(|(name, _)| name == spec.name));
        let in_env = spec.env.filter(|env| std::env::var_os(env).is_some());
        let empty = match (in_profile, in_env, spec.default) {
            (Some((_, shown)), ..) => format!("Empty: the profile's value, {shown}"),
            (None, Some(env), _) => format!("Empty: what the environment variable {env} of the server holds"),
            (None, None, Some(_)) if spec.secret => "Empty: its default".to_owned(),
            (None, None, Some(default)) => format!("Empty: {default}"),
            (None, None, None) if spec.required => String::new(),
            (None, None, None) => "May be empty".to_owned(),
        };

        let (is_list, kind) = if let VariableKind::List(kind) = spec.kind { (true, *kind) } else { (false, spec.kind) };
        let control = match kind {
            _ if spec.secret => Control::Secret,
            VariableKind::Choice(_) if is_list => Control::Choices,
            VariableKind::Choice(_) | VariableKind::Boolean if !is_list => Control::Choice,
            VariableKind::Json => Control::Lines,
            _ if is_list => Control::Lines,
            VariableKind::Integer => Control::Line { kind: "number", mode: "numeric" },
            VariableKind::Number => Control::Line { kind: "text", mode: "decimal" },
            VariableKind::Url => Control::Line { kind: "text", mode: "url" },
            _ => Control::Line { kind: "text", mode: "text" },
        };

        let mut note = None;
        let offered = match (kind, choices) {
            (VariableKind::Boolean, _) => vec!["true".to_owned(), "false".to_owned()],
            (VariableKind::Choice(names), _) => names.iter().map(|name| (*name).to_owned()).collect(),
            (_, Some(Ok(choices))) => choices,
            (_, Some(Err(error))) => {
                note = Some(format!("Its choices cannot be listed now: {error}"));
                Vec::new()
            }
            (VariableKind::Path, None) => site.files.list(),
            (_, None) => Vec::new(),
        };
        if kind == VariableKind::Path && !site.files.are_allowed() {
            note = Some("This server allows no files; `serve --files DIR` allows those below DIR".to_owned());
        }

        // What may hold a secret, as a URL with a password, is not shown again.
        let may_hide = |text: &str| spec.secret || (kind == VariableKind::Url && text.contains(['@', '?']));
        let texts: Vec<&str> = given.all(&name).filter(|text| !may_hide(text)).collect();
        let choices = offered.into_iter().map(|value| Choice {
            label: match (kind, &*value) {
                (VariableKind::Boolean, "true") => "yes".to_owned(),
                (VariableKind::Boolean, _) => "no".to_owned(),
                _ => value.clone(),
            },
            is_chosen: texts.contains(&&*value),
            value,
        });
        Self {
            label: label(spec.name),
            help: spec.help,
            control,
            value: texts.join("\n"),
            choices: choices.collect(),
            is_required: spec.required && in_profile.is_none() && in_env.is_none(),
            empty,
            note,
            is_list: is_list && control == Control::Lines,
            error: None,
            name,
        }
    }

    /// The id of its control.
    fn id(&self) -> String {
        self.name.replace('.', "-")
    }

    /// What describes its control to those who cannot see it.
    fn described_by(&self) -> String {
        let id = self.id();
        if self.error.is_some() { format!("{id}-error {id}-help") } else { format!("{id}-help") }
    }
}

/// A variable's name as a label.
fn label(name: &str) -> String {
    if ["api", "id", "ip", "url"].contains(&name) {
        return name.to_uppercase();
    }
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect::<String>().replace('_', " "))
}
