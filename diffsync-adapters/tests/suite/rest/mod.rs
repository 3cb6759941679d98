//! JSON APIs, on servers of our own.

mod client;
mod fake;
mod laws;
mod model;
mod wire;
