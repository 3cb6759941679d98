//! JSON APIs, on servers of our own.

mod fake;
mod laws;
mod model;
