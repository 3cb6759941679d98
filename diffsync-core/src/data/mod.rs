//! The data of one side.
//!
//! A [`Dataset`] is a struct of [`Table`]s, and a table holds the records of one model. A loader fills the tables; the core
//! then checks them, and reports each [`Problem`] that it finds.

pub(crate) mod check;
pub(crate) mod dataset;
pub(crate) mod graph;
pub(crate) mod problem;
pub(crate) mod refusal;
pub(crate) mod side;
pub(crate) mod table;

pub use self::dataset::{Dataset, HasTable, LinksIn, Visit, VisitedBy};
pub use self::problem::{Problem, ProblemKind, SkippedModel};
pub use self::side::Side;
pub use self::table::{LoadState, Table};
