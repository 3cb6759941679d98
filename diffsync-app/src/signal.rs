//! Ctrl-C, SIGTERM and SIGHUP: the first signal ends a run cleanly, the second ends the program at once.

use std::time::Duration;

use diffsync_core::run::CancellationToken;
use tokio::task::JoinHandle;

use crate::exit::Exit;
use crate::terminal;

/// Cancels the run at the first signal, and ends the program at the second, after `at_once`.
pub(crate) async fn cancel_when_asked(cancellation: CancellationToken, at_once: impl FnOnce() + Send) {
    next_signal().await;
    cancellation.cancel();
    drop(say("ending: calls in flight are finished, the rest is not attempted; a second signal ends it at once"));

    next_signal().await;
    at_once();
    let printed = say("ended at once: records in flight may or may not have been written");
    let _ = tokio::time::timeout(LONGEST_WAIT, printed).await;
    std::process::exit(Exit::Cancelled.code().into());
}

/// How long the program waits for its last message to be printed.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Prints a message on its own thread, so that a blocked standard error (a full pipe) keeps neither this signal nor the next
/// one from ending the run.
fn say(message: &'static str) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || terminal::note(message))
}

#[cfg(unix)]
async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let sent = |kind| async move {
        match signal(kind) {
            Ok(mut sent) => {
                sent.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = sent(SignalKind::terminate()) => {}
        // The terminal was closed, or the session ended.
        () = sent(SignalKind::hangup()) => {}
        () = interrupted() => {}
    }
}

#[cfg(not(unix))]
async fn next_signal() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // No signal handler could be installed, so the system's default action applies.
        std::future::pending::<()>().await;
    }
}
