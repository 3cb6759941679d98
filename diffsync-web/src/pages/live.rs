//! A run while it is in progress: how far each step is.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use diffsync_core::report::Step;
use diffsync_history::{SavedSync, SyncStatus};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;

use super::{Answer, render};
use crate::error::PageError;
use crate::figures::{count, duration, percent};
use crate::progress::Progress;
use crate::site::Site;

/// The shortest time between two states that a browser is sent.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest, so that the clock of a step goes on.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How far a run is, as a page shows it.
#[derive(Template, Clone, Default)]
#[template(path = "live.html")]
pub(crate) struct Live {
    /// Whether this program runs it, and so knows how far it is.
    pub(crate) is_known: bool,
    /// Where it runs, if that is another program.
    pub(crate) elsewhere: String,
    steps: Vec<LiveStep>,
    written: String,
    unwritten: u64,
    retries: u64,
}

#[derive(Clone)]
pub(crate) struct LiveStep {
    pub(crate) name: String,
    /// `waiting`, `running` or `done`.
    state: &'static str,
    pub(crate) done: u64,
    pub(crate) total: Option<u64>,
    pub(crate) figures: String,
    pub(crate) percent: String,
    took: String,
}

impl Live {
    fn new(progress: &Progress) -> Self {
        let step = |step: Step| {
            let Some(at) = progress.steps.iter().find(|progress| progress.step == step) else {
                return LiveStep::waiting(step);
            };
            let total = at.total.filter(|total| *total > 0);
            let figures = match total {
                _ if at.done == 0 => String::new(),
                Some(total) => format!("{} of {}", count(at.done), count(total)),
                None => count(at.done),
            };
            LiveStep {
                name: step.to_string(),
                state: if at.took.is_some() { "done" } else { "running" },
                done: at.done,
                total,
                figures,
                percent: total.map_or(String::new(), |total| format!("{:.0} %", percent(at.done, total))),
                took: duration(at.took.unwrap_or_else(|| at.began.elapsed())),
            }
        };
        Self {
            is_known: true,
            elsewhere: String::new(),
            steps: Step::ALL.into_iter().map(step).collect(),
            written: count(progress.written),
            unwritten: progress.unwritten,
            retries: progress.retries,
        }
    }

    /// The step that runs now, and its figures.
    pub(crate) fn now(&self) -> Option<&LiveStep> {
        self.steps.iter().rev().find(|step| step.state == "running")
    }
}

impl LiveStep {
    fn waiting(step: Step) -> Self {
        Self {
            name: step.to_string(),
            state: "waiting",
            done: 0,
            total: None,
            figures: String::new(),
            percent: String::new(),
            took: String::new(),
        }
    }
}

/// How far a sync is. Of one that another program runs, only that it does is known.
pub(crate) fn live_of(site: &Site, sync: &SavedSync) -> Live {
    match site.runs.progress(sync.id) {
        Some(progress) => Live::new(&progress.borrow()),
        None => Live { elsewhere: format!("process {} on {}", sync.pid, sync.host), ..Live::default() },
    }
}

/// A sync that another program runs is asked for again while its page is open.
pub(crate) async fn live(State(site): State<Arc<Site>>, Path(sync): Path<String>) -> Answer {
    site.history.mark_interrupted().await?;
    let sync = site.history.sync(&sync).await?;
    if sync.status == SyncStatus::Running { render(&live_of(&site, &sync)) } else { Ok(String::new().into()) }
}

/// What a browser that listens has been sent.
enum Sent {
    /// The states up to now.
    States(watch::Receiver<Progress>),
    /// That the run has ended.
    End,
}

/// The states of a run as they come: `progress` with the part of the page, and `end` once the run is recorded.
pub(crate) async fn events(
    State(site): State<Arc<Site>>,
    Path(sync): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, PageError> {
    let sync = site.history.sync(&sync).await?;
    let sent = site.runs.progress(sync.id).map_or(Sent::End, Sent::States);
    let end = site.end.clone();

    let events = unfold((Some(sent), true), move |(sent, is_first)| {
        let end = end.clone();
        async move {
            let mut states = match sent? {
                Sent::States(states) => states,
                Sent::End => return Some((Ok(Event::default().event("end").data("ended")), (None, false))),
            };

            let mut has_ended = false;
            if !is_first {
                tokio::select! {
                    // The server ends; the browser will ask again.
                    () = end.cancelled() => return None,
                    changed = next_state(&mut states) => has_ended = changed.is_err(),
                }
            }
            if has_ended {
                return Some((Ok(Event::default().event("end").data("ended")), (None, false)));
            }
            let live = Live::new(&states.borrow_and_update());
            let text = live.render().unwrap_or_default();
            Some((Ok(Event::default().event("progress").data(text)), (Some(Sent::States(states)), false)))
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Waits for another state, or for a while.
async fn next_state(states: &mut watch::Receiver<Progress>) -> Result<(), watch::error::RecvError> {
    // A closed channel is no new state, so the end of a run is not kept waiting.
    tokio::select! {
        changed = states.changed() => changed?,
        () = tokio::time::sleep(LONGEST_PAUSE) => {}
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}
