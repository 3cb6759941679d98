//! Ctrl-C, SIGTERM and SIGHUP: the first ends a run in good order, a second one ends the program at once.

use std::time::Duration;

use diffsync_core::run::CancellationToken;
use tokio::task::JoinHandle;

use crate::exit::Exit;
use crate::terminal;

/// Cancels the run when the program is asked to end.
pub(crate) async fn cancel_when_asked(cancellation: CancellationToken) {
    asked_to_end().await;
    cancellation.cancel();
    drop(say("ending: what is in flight is finished, the rest is not attempted; ask again to end at once"));

    asked_to_end().await;
    let said = say("ended at once: what was in flight may or may not have been written");
    let _ = tokio::time::timeout(LONGEST_WORD, said).await;
    std::process::exit(Exit::Cancelled.code().into());
}

/// How long the program waits to be heard before it ends at once.
const LONGEST_WORD: Duration = Duration::from_millis(200);

/// Says something on a thread of its own: a standard error that takes no more (a full pipe that is not read) must keep
/// neither this signal nor the next one from ending the run.
fn say(message: &'static str) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || terminal::note(message))
}

#[cfg(unix)]
async fn asked_to_end() {
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
        // The terminal is gone, or the session has ended.
        () = sent(SignalKind::hangup()) => {}
        () = interrupted() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Where nobody can be told of it, the system's own way of ending a program is left.
        std::future::pending::<()>().await;
    }
}
