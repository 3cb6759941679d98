//! `list` and `show`: what jobs there are and what they do.

use std::fmt::{self, Write};

use clap::ArgMatches;
use diffsync_core::{DataMapping, JobEntry, JobInfo, JobKind, JobRegistry, VariableSpec};
use serde::Serialize;

use crate::command::{flag_name, wants_json};
use crate::exit::Exit;
use crate::terminal;

pub(crate) fn list(registry: &JobRegistry, matches: &ArgMatches) -> Exit {
    let jobs: Vec<&JobInfo> = registry.iter().map(JobEntry::info).filter(|info| !info.hidden).collect();
    if wants_json(matches) {
        return terminal::print_json(&jobs);
    }
    let width = jobs.iter().map(|job| job.id.len()).max().unwrap_or(0);
    let lines = jobs.iter().map(|job| {
        format!("{:width$}  {} -> {}  {}\n", job.id, job.source_label, job.target_label, first_line(job.description))
    });
    terminal::print(&lines.collect::<String>())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// All that is known of a job before it runs.
#[derive(Serialize)]
struct Description {
    #[serde(flatten)]
    info: &'static JobInfo,
    data_mappings: Vec<DataMapping>,
    variables: &'static [VariableSpec],
}

pub(crate) fn show(registry: &JobRegistry, matches: &ArgMatches) -> Exit {
    let id = matches.get_one::<String>("job").map_or("", String::as_str);
    let job = match registry.get(id) {
        Ok(job) => job,
        Err(error) => return terminal::fail(&format!("{error}\n`list` shows all jobs")),
    };
    let description = Description { info: job.info(), data_mappings: job.data_mappings(), variables: job.variables() };
    if wants_json(matches) {
        return terminal::print_json(&description);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, &description);
    terminal::print(&text)
}

fn write(out: &mut String, job: &Description) -> fmt::Result {
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
    }
    if !job.variables.is_empty() {
        writeln!(out, "\nvariables:")?;
    }
    for variable in job.variables {
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
    }
    writeln!(out, "\nrun it with `run {}`", info.id)
}
