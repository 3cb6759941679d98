//! The threads that adapters run on.

use tokio::runtime::Runtime;

/// The runtime of the adapters.
pub(crate) fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("no threads can be started: {error}"))
}
