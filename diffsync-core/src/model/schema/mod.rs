//! The schemas that the derives generate, and the checks that run on them at compile time.

mod dataset_checks;
mod job_checks;
mod message;
mod model_schema;
mod variable_checks;

pub use self::dataset_checks::check_table;
pub use self::job_checks::{check_ignored, check_skipped};
pub use self::model_schema::{Comparison, FieldSchema, LinkKind, LinkSchema, ModelSchema};
pub use self::variable_checks::{
    RUN_FLAGS, VariableKind, check_choice, check_default, check_default_text, check_variable,
};
