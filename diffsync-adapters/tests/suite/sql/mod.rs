//! Tables of a database: the same tests on all three kinds.

mod bad_input;
mod cascades;
mod checks;
mod documents;
mod identity;
mod keys;
mod laws;
mod lookups;
mod names;
mod pooler;
mod same;
mod sets;
mod spared;
mod stored;
mod streaming;
mod swaps;
pub(crate) mod systems;
mod transactions;
mod values;
mod ways;
mod world;
mod writes;
