//! A job's variables: what can be set for a run, from flags, forms, the environment and defaults.

mod error;
mod read;
mod spec;
mod types;
mod values;

pub use self::error::{VariableError, VariableErrors};
pub use self::read::{Variable, VariableReader};
pub use self::spec::VariableSpec;
pub use self::values::VariableValues;
pub use crate::model::schema::VariableKind;
