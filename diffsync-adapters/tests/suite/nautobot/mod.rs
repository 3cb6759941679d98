//! Nautobot.

mod fake;
mod scratch;
