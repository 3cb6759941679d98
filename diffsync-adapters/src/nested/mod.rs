//! Changes within a nested value, so that keys stay that the type of its field does not know.

#![cfg_attr(
    not(all(
        feature = "csv",
        feature = "json",
        feature = "toml",
        feature = "yaml",
        any(feature = "rest", feature = "sql")
    )),
    allow(dead_code, unused_imports, reason = "no kind of system needs all that they share")
)]

pub(crate) mod change;
pub(crate) mod datum;
pub(crate) mod json;
#[cfg(any(feature = "rest", feature = "sql"))]
pub(crate) mod merge;
