//! Tables of a database: the same tests on all three kinds.

mod laws;
mod systems;
mod world;
