//! The program end to end: real processes on real files and a real database.

mod bad_input;
mod countries;
mod device_tags;
mod ipam;
mod program;
