//! The types of columns in Arrow, derived from the types of fields.

use arrow_schema::FieldRef;
use serde::de::DeserializeOwned;
use serde_arrow::schema::{SchemaLike, TracingOptions};
use serde_arrow::utils::Item;

/// The type of a column.
pub(crate) type Field = FieldRef;

/// The column for values of a type, if it can be derived.
pub(crate) fn field_of<T: DeserializeOwned>() -> Option<Field> {
    let options = TracingOptions::new()
        .enums_without_data_as_strings(true)
        .map_as_struct(false)
        .sequence_as_large_list(false)
        .strings_as_large_utf8(false);
    let fields = Vec::<FieldRef>::from_type::<Item<T>>(options).ok()?;
    fields.into_iter().next()
}
