//! What crosses crates.

mod compile_fail;
mod conformance;
