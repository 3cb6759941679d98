//! JSON APIs, on servers of our own.

mod client;
mod fake;
mod laws;
mod lists;
mod load;
mod model;
mod owners;
mod pages;
mod runs;
mod sets;
pub(crate) mod wire;
