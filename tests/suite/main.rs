//! What crosses crates.

mod book;
mod compile_fail;
mod conformance;
