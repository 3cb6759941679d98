//! The data of one side: tables of records, the data set that holds them, and what is wrong with it.

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
