//! The commands `list` and `show`, which describe the jobs.

use std::fmt::{self, Write};

use clap::ArgMatches;
use diffsync_core::job::{DataMapping, JobInfo, JobKind, VariableSpec, VariableValues};
use diffsync_core::model::{Limits, OnGuard};
use diffsync_core::schema::{LinkKind, LinkSchema, ModelSchema};
use serde::Serialize;

use crate::choices::{self, listed};
use crate::exit::Exit;
use crate::flags::wants_json;
use crate::jobs::{AnyJob, Jobs};
use crate::profile::{Profile, Profiles};
use crate::program::ProgramJob;
use crate::terminal::{self, one_line};
use crate::variables::flag_name;

/// A job with its profiles.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    info: &'static JobInfo,
    profiles: Vec<&'a Profile>,
}

pub(crate) fn list(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches) -> Exit {
    for problem in jobs.problems() {
        terminal::warn(problem);
    }
    let jobs = jobs.iter().map(|job| Listed { info: job.info(), profiles: profiles.of(job).collect() });
    let jobs: Vec<_> = jobs.filter(|job| !job.info.hidden).collect();
    if wants_json(matches) {
        return terminal::print_json(&jobs);
    }
    let width = jobs.iter().map(|job| job.info.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Listed { info: job, profiles } in &jobs {
        let description = first_line(job.description);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:width$}  {} -> {}  {description}", job.id, job.source_label, job.target_label);
        for profile in profiles {
            let _ = writeln!(text, "{}", profile.line());
        }
    }
    terminal::print(&text)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The description of a job.
#[derive(Serialize)]
struct Description<'a> {
    #[serde(flatten)]
    info: &'static JobInfo,
    data_mappings: Vec<DataMapping>,
    models: Vec<Model>,
    variables: Vec<DescribedVariable>,
    /// The names of the job's profiles.
    profiles: Vec<&'a str>,
    /// The profile that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a Profile>,
    /// The program that the job is in, if it is not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a ProgramJob>,
    #[serde(skip)]
    name: &'a str,
}

/// A variable with its choices.
#[derive(Serialize)]
struct DescribedVariable {
    #[serde(flatten)]
    spec: &'static VariableSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<String>>,
    /// Why the choices could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices_error: Option<String>,
}

impl DescribedVariable {
    fn of(job: AnyJob<'_>, spec: &'static VariableSpec, values: &VariableValues) -> Self {
        let (choices, choices_error) = match choices::choices(job, spec, values) {
            None => (None, None),
            Some(Ok(choices)) => (Some(choices), None),
            Some(Err(error)) => (None, Some(error)),
        };
        Self { spec, choices, choices_error }
    }
}

/// The rules of a model that hold in every run.
#[derive(Serialize)]
struct Model {
    name: &'static str,
    /// The references to other models.
    references: Vec<Reference>,
    /// The names of the flags, such as `skip_unmatched_dst`.
    flags: Vec<String>,
    limits: Limits,
    after: &'static [&'static str],
    deletes_first: bool,
}

#[derive(Serialize)]
struct Reference {
    model: &'static str,
    fields: &'static [&'static str],
    deferred: bool,
}

impl Model {
    /// A model of which only the name is known.
    fn named(name: &'static str) -> Self {
        let (references, flags) = (Vec::new(), Vec::new());
        Self { name, references, flags, limits: Limits::NONE, after: &[], deletes_first: false }
    }

    fn of(schema: &'static ModelSchema) -> Self {
        let reference = |link: &'static LinkSchema| match link.kind {
            LinkKind::Reference { deferred } => Some(Reference { model: link.model, fields: link.fields, deferred }),
            LinkKind::Parent => None,
        };
        Self {
            name: schema.name,
            references: schema.links.iter().filter_map(reference).collect(),
            flags: schema.flags.iter_names().map(|(name, _)| name.to_lowercase()).collect(),
            limits: schema.limits,
            after: schema.after,
            deletes_first: schema.deletes_first,
        }
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        for Reference { model, fields, deferred } in &self.references {
            let when = if *deferred { ", set once both exist" } else { "" };
            writeln!(out, "    refers to {model} by {}{when}", fields.join(", "))?;
        }
        if !self.after.is_empty() {
            writeln!(out, "    is written after {}", self.after.join(", "))?;
        }
        if self.deletes_first {
            writeln!(out, "    is deleted before others are created")?;
        }
        if !self.flags.is_empty() {
            writeln!(out, "    flags {}", self.flags.join(", "))?;
        }
        if let Some(limits) = limits(self.limits) {
            writeln!(out, "    limits {limits}")?;
        }
        Ok(())
    }
}

/// The limits, in words.
fn limits(limits: Limits) -> Option<String> {
    let of = [("creates", limits.creates), ("updates", limits.updates), ("deletes", limits.deletes)];
    let given: Vec<_> = of.iter().filter_map(|(what, limit)| limit.map(|limit| format!("{limit} {what}"))).collect();
    (!given.is_empty()).then(|| given.join(", "))
}

pub(crate) fn show(jobs: &Jobs, profiles: &Profiles, matches: &ArgMatches) -> Exit {
    let name = matches.get_one::<String>("job").map_or("", String::as_str);
    let selected = match profiles.select(jobs, name) {
        Ok(selected) => selected,
        Err(error) => return terminal::fail(&format!("{error}\n`list` shows all jobs")),
    };

    let job = selected.job;
    let values = selected.profile.map(Profile::written_values).unwrap_or_default();
    let description = Description {
        info: job.info(),
        data_mappings: job.data_mappings(),
        models: models(job),
        variables: job.variables().iter().map(|spec| DescribedVariable::of(job, spec, &values)).collect(),
        profiles: profiles.of(job).map(Profile::id).collect(),
        profile: selected.profile,
        program: match job {
            AnyJob::Linked(_) => None,
            AnyJob::Program(job) => Some(job),
        },
        name: selected.name(),
    };
    if wants_json(matches) {
        return terminal::print_json(&description);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, &description);
    terminal::print(&text)
}

/// The rules of a job's models. Another program does not tell more than their names.
fn models(job: AnyJob<'_>) -> Vec<Model> {
    match job {
        AnyJob::Linked(job) => job.models().iter().map(|schema| Model::of(schema)).collect(),
        AnyJob::Program(job) => job.models().iter().copied().map(Model::named).collect(),
    }
}

/// The rules that hold in every run of a job.
fn rules(out: &mut String, job: &Description<'_>) -> fmt::Result {
    let info = job.info;
    if !info.skip.is_empty() {
        writeln!(out, "\nleft out: {}", info.skip.join(", "))?;
    }
    if !info.ignore.is_empty() {
        let names: Vec<_> = info.ignore.iter().map(|(model, attribute)| format!("{model}.{attribute}")).collect();
        writeln!(out, "\nnot compared: {}", names.join(", "))?;
    }

    let limits = limits(info.limits).unwrap_or_else(|| "30% deletes (unless a model says otherwise)".into());
    let then = match info.on_guard {
        OnGuard::Stop => "a run that exceeds them is refused",
        OnGuard::Hold => "operations that exceed them are held",
    };
    // A program that says nothing of limits may have none.
    if job.program.is_none_or(ProgramJob::has_limits) {
        writeln!(out, "\nlimits: {limits}; {then}")?;
    }
    if let Some(limit) = info.time_limit {
        writeln!(out, "time limit: {limit:?}")?;
    }
    Ok(())
}

fn write(out: &mut String, job: &Description<'_>) -> fmt::Result {
    let info = job.info;
    writeln!(out, "{} ({})", info.name, info.id)?;
    for line in info.description.lines() {
        writeln!(out, "  {line}")?;
    }
    let kind = match info.kind {
        JobKind::DataSource => "data source: records come from elsewhere into your system",
        JobKind::DataTarget => "data target: records go from your system elsewhere",
    };
    writeln!(out, "\n{kind}\n{} -> {}", info.source_label, info.target_label)?;

    if let Some(program) = job.program {
        writeln!(out, "in the job program {}", program.place())?;
    }

    writeln!(out, "\nmodels:")?;
    for mapping in &job.data_mappings {
        let parent = mapping.parent.as_ref().map(|parent| format!(", under {parent}")).unwrap_or_default();
        writeln!(out, "  {}: identified by {}{parent}", mapping.model, mapping.identifiers.join(", "))?;
        if !mapping.description.is_empty() {
            writeln!(out, "    {}", first_line(&mapping.description))?;
        }
        if !mapping.attributes.is_empty() {
            writeln!(out, "    compares {}", mapping.attributes.join(", "))?;
        }
        job.models.iter().filter(|model| model.name == mapping.model).try_for_each(|model| model.write(out))?;
    }

    rules(out, job)?;

    if !job.variables.is_empty() {
        writeln!(out, "\nvariables:")?;
    }
    for DescribedVariable { spec: variable, choices, choices_error } in &job.variables {
        write!(out, "  --{}", flag_name(variable))?;
        if let Some(default) = variable.default.filter(|_| !variable.secret) {
            write!(out, " [default: {default}]")?;
        }
        if let Some(env) = variable.env {
            write!(out, " [env: {env}]")?;
        }
        if variable.required {
            write!(out, " [required]")?;
        }
        writeln!(out)?;
        if !variable.help.is_empty() {
            writeln!(out, "    {}", variable.help)?;
        }
        if let Some(choices) = choices {
            writeln!(out, "    choices: {}", listed(choices))?;
        }
        if let Some(error) = choices_error {
            writeln!(out, "    choices cannot be listed now: {}", one_line(error))?;
        }
    }

    match job.profile {
        Some(profile) => profile.write(out)?,
        None if job.profiles.is_empty() => {}
        None => writeln!(out, "\nprofiles: {}", job.profiles.join(", "))?,
    }

    match job.program {
        None => writeln!(out, "\nrun it with `run {0}`, or plan it with `plan {0} -o FILE`", job.name),
        Some(_) => writeln!(out, "\nrun it with `run {}`", job.name),
    }
}
