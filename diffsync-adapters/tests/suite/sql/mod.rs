//! Tables of a database: the same tests on all three kinds.

mod bad_input;
mod checks;
mod laws;
mod lookups;
mod names;
mod sets;
mod streaming;
pub(crate) mod systems;
mod transactions;
mod values;
mod world;
mod writes;
