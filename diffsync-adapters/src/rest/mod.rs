//! JSON APIs over HTTP.
