//! Holds nothing but the documents whose examples are tested. All other tests are in `suite`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/introduction.md")]
mod introduction {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/your-first-job.md")]
mod your_first_job {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/models.md")]
mod models {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/links.md")]
mod links {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/values.md")]
mod values {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/loading.md")]
mod loading {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/leaving-out.md")]
mod leaving_out {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/the-diff.md")]
mod the_diff {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/guards.md")]
mod guards {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/writing.md")]
mod writing {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/failures.md")]
mod failures {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/plans.md")]
mod plans {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/files.md")]
mod files {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/databases.md")]
mod databases {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/rest.md")]
mod rest {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/nautobot.md")]
mod nautobot {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/jobs.md")]
mod jobs {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/kept-exactly.md")]
mod kept_exactly {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/running.md")]
mod running {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/measuring.md")]
mod measuring {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/testing-your-job.md")]
mod testing_your_job {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/testing-your-target.md")]
mod testing_your_target {}

#[cfg(doctest)]
#[doc = include_str!("../docs/src/coming-from-python.md")]
mod coming_from_python {}
