//! Records as plain values, whichever model they are of.

use diffsync_core::model::Flags;
use diffsync_core::schema::{FieldSchema, ModelSchema};
use diffsync_core::{Dataset, ModelExt, SyncModel, Table};
use serde_json::{Map, Value, json};

/// A data set that can be copied and listed.
pub(super) trait Records: Dataset {
    /// Adds all records to another data set, whose tables count as loaded then.
    fn copy_to(&self, other: &mut Self);

    /// All records, model by model.
    fn rows(&self) -> Vec<Row>;

    /// Sets flags on each record.
    fn flag(&mut self, flags: &dyn Fn(&Row) -> Flags);

    /// Sets flags on the table of a model.
    fn flag_table(&mut self, model: &str, flags: Flags);

    /// Removes records.
    fn remove(&mut self, goes: &dyn Fn(&Row) -> bool);

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

            fn flag(&mut self, flags: &dyn Fn(&$crate::conformance::records::Row) -> ::diffsync_core::model::Flags) {
                $($crate::conformance::records::flag(&mut self.$table, flags);)*
            }

            fn flag_table(&mut self, model: &str, flags: ::diffsync_core::model::Flags) {
                $($crate::conformance::records::flag_table(&mut self.$table, model, flags);)*
            }

            fn remove(&mut self, goes: &dyn Fn(&$crate::conformance::records::Row) -> bool) {
                $($crate::conformance::records::remove(&mut self.$table, goes);)*
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
    key: Key,
}

/// What a record is found by: its model and its identifiers as JSON.
pub(super) type Key = (&'static str, String);

/// How the peer knows a record: by its model and its joined identifiers.
pub(super) type Name = (String, String);

pub(super) fn rows<M: SyncModel>(table: &Table<M>) -> impl Iterator<Item = Row> {
    table.iter().map(Row::of)
}

pub(super) fn flag<M: SyncModel>(table: &mut Table<M>, flags: &dyn Fn(&Row) -> Flags) {
    let flagged: Vec<_> = table.iter().map(|record| (record.id(), flags(&Row::of(record)))).collect();
    for (id, flags) in flagged.into_iter().filter(|(_, flags)| !flags.is_empty()) {
        table.flag(id, flags);
    }
}

pub(super) fn flag_table<M: SyncModel>(table: &mut Table<M>, model: &str, flags: Flags) {
    if M::NAME == model {
        table.set_flags(flags);
    }
}

pub(super) fn remove<M: SyncModel>(table: &mut Table<M>, goes: &dyn Fn(&Row) -> bool) {
    let going: Vec<_> = table.iter().filter(|record| goes(&Row::of(*record))).map(ModelExt::id).collect();
    for id in going {
        table.remove(&id);
    }
}

impl Row {
    pub(super) fn of<M: SyncModel>(record: &M) -> Self {
        let values = |count: usize, value: &dyn Fn(usize) -> Result<Value, serde_json::Error>| -> Vec<Value> {
            (0..count).map(|position| value(position).expect("all fields here are plain values")).collect()
        };
        let ids = values(M::SCHEMA.identifiers.len(), &|position| record.identifier(position));
        let attrs = values(M::SCHEMA.attributes.len(), &|position| record.attribute(position));
        let uid = ids.iter().map(python_str).collect::<Vec<_>>().join("__");
        let key = (M::NAME, json!(ids).to_string());
        Self { schema: M::SCHEMA, ids, attrs, text: record.id().to_string(), uid, key }
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
        self.key.clone()
    }

    /// How the peer knows the record.
    pub(super) fn name(&self) -> Name {
        (self.model().to_owned(), self.uid.clone())
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
