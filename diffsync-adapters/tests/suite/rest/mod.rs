//! JSON APIs, on servers of our own.

mod answers;
mod client;
mod fake;
mod keys;
mod laws;
mod lists;
mod load;
mod memory;
mod mini;
mod model;
mod nested;
mod owners;
mod pages;
mod runs;
mod sets;
pub(crate) mod wire;
