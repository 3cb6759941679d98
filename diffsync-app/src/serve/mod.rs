//! The command `serve`: the program's web pages.

mod runs;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command, value_parser};
use diffsync_history::HistoryPolicy;
use diffsync_web::{JobPage, OtherJob, Pages, ProfilePage, listen};
use tokio_util::sync::CancellationToken;

use self::runs::ServedRuns;
use crate::advice;
use crate::exit::Exit;
use crate::history;
use crate::jobs::{AnyJob, Jobs};
use crate::profile::{Profile, Profiles, Selected};
use crate::runtime::runtime;
use crate::signal::cancel_when_asked;
use crate::signature::{program_name, user};
use crate::terminal;

/// The command line of `serve`.
pub(crate) fn command() -> Command {
    Command::new("serve")
        .about("Show the jobs and their history as web pages, and run jobs from them")
        .arg(
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS")
                .value_parser(|text: &str| {
                    text.parse::<SocketAddr>().map_err(|_| "expected an IP address and a port, as in 127.0.0.1:8080")
                })
                .default_value("127.0.0.1:8080")
                .help("The address of the pages; port 0 takes a free one"),
        )
        .arg(
            Arg::new("files")
                .long("files")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("The folder whose files a run may be given on a page [default: none]"),
        )
        .arg(history::served_policy())
        .arg(history::database_url())
}

/// Serves the pages until the program receives a signal.
pub(crate) fn serve(jobs: Jobs, profiles: Profiles, matches: &ArgMatches, program: &'static str) -> Exit {
    for problem in jobs.problems() {
        terminal::warn(problem);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return terminal::fail(&error),
    };
    let served = runtime.block_on(serve_until_asked(jobs, profiles, matches, program));
    // A cancelled loader may still block a thread; its result is not needed.
    runtime.shutdown_background();
    served.unwrap_or_else(|error| terminal::fail(&error))
}

async fn serve_until_asked(
    jobs: Jobs,
    profiles: Profiles,
    matches: &ArgMatches,
    program: &'static str,
) -> Result<Exit, String> {
    let history = history::open(matches).await.map_err(|error| advice::on_history(&error))?;
    let address = matches.get_one::<SocketAddr>("listen").copied().unwrap_or(([127, 0, 0, 1], 8080).into());
    let listener = listen(address).await.map_err(|error| format!("{address} cannot be listened on: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;

    let end = CancellationToken::new();
    let policy = match matches.get_one::<String>("history").map(String::as_str) {
        Some("required") => HistoryPolicy::Required,
        _ => HistoryPolicy::BestEffort,
    };
    let (pages, others) = (job_pages(&jobs, &profiles), other_jobs(&jobs, matches));
    let runs = Arc::new(ServedRuns::new(jobs, profiles, history.clone(), policy, program, end.clone()));
    let pages = Pages::new(history, pages, Arc::clone(&runs) as _).other_jobs(others);
    let pages = with_files(pages, matches)?.user(user()).version(program);

    let printed = terminal::print(&format!("open http://{address}/ in a browser; Ctrl-C ends the server\n"));
    let signals = tokio::spawn(cancel_when_asked(end.clone(), || {}));
    let served = pages.serve(listener, end.clone()).await;
    // Runs are cancelled with the server, and end as they do on the command line.
    end.cancel();
    runs.ended().await;
    signals.abort();
    served.map_err(|error| format!("the server ended: {error}"))?;
    Ok(printed)
}

fn with_files(pages: Pages, matches: &ArgMatches) -> Result<Pages, String> {
    match matches.get_one::<PathBuf>("files") {
        Some(folder) => pages
            .files(folder)
            .map_err(|error| format!("`{}` (named by --files) cannot be read as a folder: {error}", folder.display())),
        None => Ok(pages),
    }
}

/// What pages show of the jobs that they run.
fn job_pages(jobs: &Jobs, profiles: &Profiles) -> Vec<JobPage> {
    let page = |job| {
        let AnyJob::Linked(linked) = job else { return None };
        let profiles = profiles.of(job).map(|profile| profile_page(Selected { job, profile: Some(profile) }));
        Some(JobPage { job: *linked, profiles: profiles.collect() })
    };
    jobs.iter().filter_map(page).collect()
}

/// The jobs of other programs, which are run from the command line.
fn other_jobs(jobs: &Jobs, matches: &ArgMatches) -> Vec<OtherJob> {
    // The environment names it for other commands, too.
    let root = matches.get_one::<PathBuf>("jobs-root");
    let root = root.map(|root| format!(" --jobs-root {}", root.display())).unwrap_or_default();
    let others = jobs.iter().filter(|job| matches!(job, AnyJob::Program(_))).map(AnyJob::info);
    others.map(|info| OtherJob { info, command: format!("{}{root} run {}", program_name(), info.id) }).collect()
}

fn profile_page(selected: Selected<'_>) -> ProfilePage {
    let options = selected.options();
    let profile = selected.profile;
    ProfilePage {
        name: selected.profile_name().unwrap_or_default().to_owned(),
        description: profile.and_then(|profile| profile.description()).map(str::to_owned),
        schedule: profile.and_then(|profile| profile.schedule()).map(str::to_owned),
        dry_run: options.dry_run,
        memory_profiling: options.memory_profiling,
        parallel_loading: options.parallel_loading,
        continue_on_failure: options.continue_on_failure,
        settings: profile.map(Profile::shown_settings).unwrap_or_default(),
    }
}
