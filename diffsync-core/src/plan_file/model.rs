//! The models of a plan file, as they were when it was created.

use serde::{Deserialize, Serialize};

use crate::model::schema::{Comparison, FieldSchema, ModelSchema};

/// The schema of a model when a plan was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedModel {
    /// The model's name.
    pub name: String,
    /// The fields that say which record it is, each with its type.
    pub identifiers: Vec<SavedField>,
    /// The fields that are compared.
    pub attributes: Vec<SavedField>,
}

/// A field of a model when a plan was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedField {
    /// Its name.
    pub name: String,
    /// Its type and how it is compared.
    pub r#type: String,
}

impl SavedModel {
    pub(crate) fn of(schema: &ModelSchema) -> Self {
        let fields = |fields: &[FieldSchema]| fields.iter().map(SavedField::of).collect();
        Self {
            name: schema.name.to_owned(),
            identifiers: fields(schema.identifiers),
            attributes: fields(schema.attributes),
        }
    }

    /// The changes of the model since then.
    pub(super) fn changes(&self, schema: &ModelSchema) -> Vec<String> {
        let now = Self::of(schema);
        let mut changes = Vec::new();
        for (kind, then, now) in
            [("identifier", &self.identifiers, &now.identifiers), ("attribute", &self.attributes, &now.attributes)]
        {
            let name = |field: &SavedField| format!("{}.{}", self.name, field.name);
            for field in then {
                match now.iter().find(|other| other.name == field.name) {
                    None => changes.push(format!("the {kind} `{}` is gone", name(field))),
                    Some(other) if other != field => {
                        changes.push(format!("`{}` was `{}` and is `{}`", name(field), field.r#type, other.r#type));
                    }
                    Some(_) => {}
                }
            }

            for field in now {
                if !then.iter().any(|other| other.name == field.name) {
                    changes.push(format!("the {kind} `{}` is new", name(field)));
                }
            }

            if changes.is_empty() && then != now {
                changes.push(format!("the {kind}s of `{}` are in another order", self.name));
            }
        }
        changes
    }
}

impl SavedField {
    fn of(field: &FieldSchema) -> Self {
        let compared = match field.comparison {
            Comparison::Equal => None,
            Comparison::Unordered => Some("unordered".to_owned()),
            Comparison::IgnoreCase => Some("ignore_case".to_owned()),
            Comparison::Contains => Some("contains".to_owned()),
            Comparison::BlankIsNone => Some("blank_is_none".to_owned()),
            Comparison::Tolerance(tolerance) => Some(format!("tolerance({tolerance})")),
            Comparison::With(path) => Some(format!("with({path})")),
        };

        let set = [(field.when_some, "when_some"), (field.create_only, "create_only")];
        let set = set.into_iter().filter(|(is_set, _)| *is_set).map(|(_, key)| key.to_owned());

        let parts: Vec<_> = [field.type_name.to_owned()].into_iter().chain(compared).chain(set).collect();
        Self { name: field.name.to_owned(), r#type: parts.join(", ") }
    }
}
