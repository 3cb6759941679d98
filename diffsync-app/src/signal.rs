//! Ctrl-C, SIGTERM and SIGHUP: the first ends a run in good order, a second one ends the program at once.

use diffsync_core::CancellationToken;

use crate::exit::Exit;
use crate::terminal;

/// Cancels the run when the program is asked to end.
pub(crate) async fn cancel_when_asked(cancellation: CancellationToken) {
    asked_to_end().await;
    // Before anything is printed, since a terminal that is gone may block.
    cancellation.cancel();
    terminal::note("ending: what is in flight is finished, the rest is not attempted; ask again to end at once");
    asked_to_end().await;
    terminal::note("ended at once: what was in flight may or may not have been written");
    std::process::exit(Exit::Cancelled.code().into());
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
