//! JSON APIs, on servers of our own.

mod model;
