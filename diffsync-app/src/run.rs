//! `run JOB`.

use std::num::NonZeroUsize;
use std::sync::Arc;

use clap::ArgMatches;
use diffsync_core::{JobEntry, JobRegistry, Observer, RunOptions, TracingObserver};

use crate::command::{flag_name, variable_values, wants_json};
use crate::exit::Exit;
use crate::report;
use crate::terminal::{self, Progress};

pub(crate) fn run(registry: &JobRegistry, matches: &ArgMatches) -> Exit {
    let Some((id, matches)) = matches.subcommand() else { return Exit::Failed };
    let job = match registry.get(id) {
        Ok(job) => job,
        Err(error) => return terminal::fail(&error.to_string()),
    };
    let prepared = match job.prepare(&variable_values(job, matches)) {
        Ok(prepared) => prepared,
        Err(errors) => {
            let lines = errors.iter().map(|error| format!("{error}\n  set it with --{}", flag_name(error.variable())));
            return terminal::fail(&lines.collect::<Vec<_>>().join("\nerror: "));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return terminal::fail(&format!("no threads can be started: {error}")),
    };
    let observers: Vec<Arc<dyn Observer>> = vec![Arc::new(Progress::new()), Arc::new(TracingObserver::default())];
    let report = runtime.block_on(prepared.run(options(job, matches), observers));
    let printed = if wants_json(matches) {
        terminal::print_json(&report)
    } else {
        terminal::print(&report::text(job.info(), &report))
    };
    if let Some(error) = report.error_text() {
        // Last, where it is seen, and apart from a report that is piped on.
        terminal::fail(&terminal::indented(&error));
    }
    match printed {
        Exit::Done => report.status.into(),
        failed => failed,
    }
}

fn options(job: &JobEntry, matches: &ArgMatches) -> RunOptions {
    let mut options = RunOptions::of(job.info());
    if matches.get_flag("apply") {
        options.dry_run = false;
    }
    if matches.get_flag("dry-run") {
        options.dry_run = true;
    }
    options.memory_profiling = matches.get_flag("memory-profiling");
    options.parallel_loading = matches.get_flag("parallel-loading");
    options.continue_on_failure = !matches.get_flag("stop-on-failure");
    if let Some(&concurrency) = matches.get_one::<NonZeroUsize>("concurrency") {
        options.concurrency = Some(concurrency);
    }
    if let Some(&percent) = matches.get_one::<f64>("max-rejected") {
        options.max_rejected = percent / 100.0;
    }
    options
}
