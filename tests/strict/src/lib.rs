//! Generated code under the strictest lints: a crate as a careful user would write it, with every kind of model, data
//! set, adapter and job. It only has to compile; `tests` checks the generated types.

#![deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
#![deny(missing_debug_implementations, rust_2018_idioms, rustdoc::all)]
#![deny(single_use_lifetimes, trivial_casts, unused_lifetimes, unused_qualifications, unused_results)]
#![forbid(unsafe_code)]

pub mod adapters;
pub mod elsewhere;
pub mod hidden;
mod inside;
pub mod keys;
pub mod taken_names;
#[cfg(test)]
mod tests;
pub mod void;
pub mod world;
