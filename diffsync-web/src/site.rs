//! What all pages share.

use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use axum::Router;
use diffsync_history::History;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::files::Files;
use crate::icon::Icons;
use crate::router::router;
use crate::runs::{JobPage, OtherJob, Runs};

/// The pages of a program.
pub struct Pages {
    site: Site,
}

/// What all pages share.
pub(crate) struct Site {
    pub(crate) history: History,
    /// Sorted by id.
    pub(crate) jobs: Vec<JobPage>,
    /// Jobs that are only listed, sorted by id.
    pub(crate) others: Vec<OtherJob>,
    pub(crate) runs: Arc<dyn Runs>,
    /// Who uses a server that only its own machine can reach.
    pub(crate) user: String,
    /// The program's version.
    pub(crate) version: String,
    pub(crate) files: Files,
    pub(crate) icons: Icons,
    /// Ends what would otherwise last as long as a browser listens.
    pub(crate) end: CancellationToken,
}

impl Pages {
    /// The pages of these jobs and this history.
    #[must_use]
    pub fn new(history: History, jobs: Vec<JobPage>, runs: Arc<dyn Runs>) -> Self {
        let icons = Icons::load(&jobs);
        let site = Site {
            history,
            jobs,
            others: Vec::new(),
            runs,
            user: "web".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            files: Files::default(),
            icons,
            end: CancellationToken::new(),
        };
        Self { site }
    }

    /// Sets the jobs that are listed, but not run from a page. By default there are none.
    #[must_use]
    pub fn other_jobs(mut self, jobs: Vec<OtherJob>) -> Self {
        self.site.others = jobs;
        self
    }

    /// Who is recorded as the one who started a run. The default is `web`.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.site.user = user.into();
        self
    }

    /// The program's version. The default is that of this crate.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.site.version = version.into();
        self
    }

    /// The folder whose files a run may be given. Without one, a variable that is a path cannot be set.
    ///
    /// # Errors
    ///
    /// If it is not a folder that can be read.
    pub fn files(mut self, folder: impl AsRef<Path>) -> io::Result<Self> {
        self.site.files = Files::below(folder.as_ref())?;
        Ok(self)
    }

    /// The pages as something that answers requests.
    pub fn router(self) -> Router {
        router(Arc::new(self.site))
    }

    /// Answers requests until `end` is cancelled, and then finishes those in progress.
    ///
    /// # Errors
    ///
    /// If the listener fails.
    pub async fn serve(mut self, listener: TcpListener, end: CancellationToken) -> io::Result<()> {
        self.site.end = end.clone();
        axum::serve(listener, self.router()).with_graceful_shutdown(async move { end.cancelled().await }).await
    }
}

impl Site {
    /// The job with this id.
    pub(crate) fn job(&self, id: &str) -> Option<&JobPage> {
        self.jobs.iter().find(|page| page.job.info().id == id)
    }

    /// The job with this id that no page runs.
    pub(crate) fn other(&self, id: &str) -> Option<&OtherJob> {
        self.others.iter().find(|job| job.info.id == id)
    }

    /// The ids of all jobs.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.jobs.iter().map(|page| page.job.info().id).chain(self.others.iter().map(|job| job.info.id))
    }

    /// The jobs that lists show.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &JobPage> {
        self.jobs.iter().filter(|page| !page.job.info().hidden)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("history", &self.site.history).finish_non_exhaustive()
    }
}
