//! The difference between a record to delete and a new record that may be the same.

use std::fmt;

use serde_json::Value;

use crate::model::schema::{Comparison, ModelSchema};
use crate::plan::folded::{folded, lower};
use crate::plan::record_ref::RecordRef;
use crate::plan::view::PlanView;

/// The difference between a record to delete and the new record that it is held back for.
pub(crate) struct Twin<'a> {
    plan: &'a dyn PlanView,
    new: RecordRef,
    case: bool,
    space: bool,
    /// The identifiers that differ in case, each with the model that it links to, if any.
    cased: Vec<(&'static str, Option<&'static str>)>,
}

impl<'a> Twin<'a> {
    pub(crate) fn of(plan: &'a dyn PlanView, record: RecordRef, new: RecordRef) -> Self {
        let mut twin = Self { plan, new, case: false, space: false, cased: Vec::new() };
        if record.model() != new.model() {
            return twin;
        }
        let (Ok(one), Ok(other)) = (plan.identifier(record), plan.identifier(new)) else { return twin };
        let all = |text: &str| lower(text.trim());
        if folded(&one, &all) != folded(&other, &all) {
            return twin;
        }

        let schema = plan.diff().tables()[record.model()].schema();
        for (position, field) in schema.identifiers.iter().enumerate() {
            let part = |id: &Value| match (id, schema.identifiers.len()) {
                (Value::Object(parts), 2..) => parts.get(field.name).cloned().unwrap_or_default(),
                (id, _) => id.clone(),
            };

            let (one, other) = (part(&one), part(&other));
            let trimmed = |text: &str| text.trim().to_owned();
            if folded(&one, &trimmed) != folded(&other, &trimmed) && field.comparison != Comparison::IgnoreCase {
                twin.case = true;
                twin.cased.push((field.name, leads_to(schema, schema.identifiers[position].name)));
            }
            twin.space |= folded(&one, &lower) != folded(&other, &lower);
        }
        twin
    }

    fn difference(&self) -> &'static str {
        match (self.case, self.space) {
            (true, true) => "case and surrounding space",
            (false, true) => "surrounding space",
            _ => "case",
        }
    }

    /// Whether not the record itself, but an ancestor of it, may be the new record.
    fn is_parents(&self) -> bool {
        !self.case && !self.space
    }

    /// The new record.
    fn name(&self) -> String {
        format!("{} {:?}", self.plan.diff().tables()[self.new.model()].schema().name, self.plan.record(self.new))
    }

    /// Why it is held back, and how to declare the two to be the same.
    pub(crate) fn reason(&self) -> String {
        if self.is_parents() {
            return format!("it is under a record that may be the new {}, and is held back with it", self.name());
        }

        let mut keys = Vec::new();
        let cased = self.cased.iter().map(|(field, model)| match model {
            Some(model) => format!("on the identifier of `{model}`, which `{field}` names"),
            None => format!("on `{field}`"),
        });
        keys.extend(cased.map(|place| format!("put `compare = ignore_case` {place}")));
        if self.space {
            keys.push("trim the identifier where the adapter reads it".to_owned());
        }

        format!(
            "its identifier is that of the new {} except for {}; if the two are the same, {}",
            self.name(),
            self.difference(),
            keys.join(", and "),
        )
    }
}

/// The model that an identifier links to.
fn leads_to(schema: &'static ModelSchema, field: &str) -> Option<&'static str> {
    schema.links.iter().find(|link| link.orders() && link.fields.contains(&field)).map(|link| link.model)
}

impl fmt::Display for Twin<'_> {
    /// As the diff shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_parents() {
            return write!(f, "under a record that may be the new {}", self.name());
        }
        write!(f, "the same as the new {} except for {}", self.name(), self.difference())
    }
}
