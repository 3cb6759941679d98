//! Records as plain values, whichever model they are of.

use diffsync_core::schema::{FieldSchema, ModelSchema};
use diffsync_core::{Dataset, SyncModel, Table};
use serde_json::{Map, Value, json};

/// A data set that can be copied and listed.
pub(super) trait Records: Dataset {
    /// Adds all records to another data set, whose tables count as loaded then.
    fn copy_to(&self, other: &mut Self);

    /// All records, model by model.
    fn rows(&self) -> Vec<Row>;

    fn copy(&self) -> Self {
        let mut copy = Self::default();
        self.copy_to(&mut copy);
        copy
    }
}

/// Implements [`Records`] for a data set, whose tables it names.
macro_rules! records {
    ($data:ty { $($table:ident),* }) => {
        impl $crate::conformance::records::Records for $data {
            fn copy_to(&self, other: &mut Self) {
                $(other.$table.extend(self.$table.iter().cloned());)*
            }

            fn rows(&self) -> Vec<$crate::conformance::records::Row> {
                let mut rows = Vec::new();
                $(rows.extend($crate::conformance::records::rows(&self.$table));)*
                rows
            }
        }
    };
}
pub(super) use records;

/// A record as plain values.
pub(super) struct Row {
    pub(super) schema: &'static ModelSchema,
    /// The identifiers in the order of the schema.
    ids: Vec<Value>,
    /// The attributes in the order of the schema.
    attrs: Vec<Value>,
    /// The identifier as we write it.
    pub(super) text: String,
    /// The identifier as the peer writes it: `"__".join(str(identifier))`.
    pub(super) uid: String,
}

/// What a record is found by: its model and its identifiers as JSON.
pub(super) type Key = (&'static str, String);

pub(super) fn rows<M: SyncModel>(table: &Table<M>) -> impl Iterator<Item = Row> {
    table.iter().map(Row::of)
}

impl Row {
    pub(super) fn of<M: SyncModel>(record: &M) -> Self {
        let values = |count: usize, value: &dyn Fn(usize) -> Result<Value, serde_json::Error>| -> Vec<Value> {
            (0..count).map(|position| value(position).expect("all fields here are plain values")).collect()
        };
        let ids = values(M::SCHEMA.identifiers.len(), &|position| record.identifier(position));
        let attrs = values(M::SCHEMA.attributes.len(), &|position| record.attribute(position));
        let uid = ids.iter().map(python_str).collect::<Vec<_>>().join("__");
        Self { schema: M::SCHEMA, ids, attrs, text: record.id().to_string(), uid }
    }

    pub(super) fn model(&self) -> &'static str {
        self.schema.name
    }

    pub(super) fn ids(&self) -> Map<String, Value> {
        by_name(self.schema.identifiers, &self.ids)
    }

    pub(super) fn attrs(&self) -> Map<String, Value> {
        by_name(self.schema.attributes, &self.attrs)
    }

    /// Identifiers and attributes together.
    pub(super) fn fields(&self) -> Map<String, Value> {
        self.ids().into_iter().chain(self.attrs()).collect()
    }

    pub(super) fn key(&self) -> Key {
        (self.model(), json!(self.ids).to_string())
    }

    /// The key of the record that this one says it lives under.
    ///
    /// A link over several fields names them in the order of the parent's identifiers here.
    pub(super) fn parent(&self) -> Option<Key> {
        let link = self.schema.parent()?;
        let fields = self.fields();
        let ids: Vec<_> = link.fields.iter().map(|field| &fields[*field]).collect();
        (!ids.iter().any(|id| id.is_null())).then(|| (link.model, json!(ids).to_string()))
    }
}

fn by_name(fields: &[FieldSchema], values: &[Value]) -> Map<String, Value> {
    fields.iter().zip(values).map(|(field, value)| (field.name.to_owned(), value.clone())).collect()
}

/// What Python's `str` makes of an identifier.
fn python_str(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
