//! Tests the examples of the documents, and holds the items that they and the compile-fail cases share. All other tests
//! are in `suite`.

pub mod book;
mod fakes;
pub mod regions;

pub use crate::fakes::{block_on, run};

/// A module with the examples of each document.
macro_rules! documents {
    ($($name:ident = $file:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../", $file))]
            mod $name {}
        )*
    };
}

documents! {
    readme = "README.md",
    readme_of_the_crate = "diffsync/README.md",
    introduction = "docs/src/introduction.md",
    your_first_job = "docs/src/your-first-job.md",
    models = "docs/src/models.md",
    links = "docs/src/links.md",
    values = "docs/src/values.md",
    loading = "docs/src/loading.md",
    leaving_out = "docs/src/leaving-out.md",
    the_diff = "docs/src/the-diff.md",
    guards = "docs/src/guards.md",
    writing = "docs/src/writing.md",
    failures = "docs/src/failures.md",
    plans = "docs/src/plans.md",
    files = "docs/src/files.md",
    databases = "docs/src/databases.md",
    rest = "docs/src/rest.md",
    nautobot = "docs/src/nautobot.md",
    jobs = "docs/src/jobs.md",
    kept_exactly = "docs/src/kept-exactly.md",
    running = "docs/src/running.md",
    profiles = "docs/src/profiles.md",
    measuring = "docs/src/measuring.md",
    history = "docs/src/history.md",
    job_programs = "docs/src/job-programs.md",
    web = "docs/src/web.md",
    testing_your_job = "docs/src/testing-your-job.md",
    testing_your_target = "docs/src/testing-your-target.md",
    coming_from_python = "docs/src/coming-from-python.md",
}
