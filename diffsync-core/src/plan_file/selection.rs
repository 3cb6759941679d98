//! Looking up the operations of a saved plan.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::request::ApplyRequest;
use crate::model::operation::Operation;
use crate::model::{ModelExt, SyncModel};

/// The operations of a saved plan, to be looked up by a comparison that is limited to them.
#[derive(Debug, Clone)]
pub(crate) struct PlanSelection {
    request: ApplyRequest,
    /// The place of each operation in the plan, by kind, model and identifier.
    places: Arc<HashMap<(Operation, String, String), usize>>,
}

impl PlanSelection {
    pub(crate) fn new(request: ApplyRequest) -> Self {
        let operations = request.plan.operations.iter().enumerate();
        let places = operations.map(|(place, its)| ((its.op, its.model.clone(), its.id.to_string()), place)).collect();
        Self { request, places: Arc::new(places) }
    }

    pub(crate) fn request(&self) -> &ApplyRequest {
        &self.request
    }

    pub(crate) fn get(&self, operation: Operation, model: &str, id: &str) -> Option<usize> {
        self.places.get(&(operation, model.to_owned(), id.to_owned())).copied()
    }

    /// Whether the plan has an operation with these values before and after.
    pub(crate) fn admits<M: SyncModel>(
        &self,
        operation: Operation,
        record: &M,
        old: &M,
        changed: &dyn Fn(usize) -> bool,
    ) -> bool {
        let Ok(id) = serde_json::to_value(record.id()) else { return false };
        let id: Arc<str> = id.to_string().into();
        let Some(place) = self.get(operation, M::NAME, &id) else { return false };

        let saved = &self.request.plan.operations[place];
        let same = |values: &Map<String, Value>, read: &dyn Fn(usize) -> Result<Value, serde_json::Error>| {
            let attributes = M::SCHEMA.attributes.iter().enumerate();
            let mut compared = 0;
            let all = attributes.filter(|(position, _)| changed(*position)).all(|(position, attribute)| {
                compared += 1;
                let now = self.request.key.read(M::SCHEMA, &id, position, read);
                now.is_ok_and(|now| values.get(attribute.name) == Some(&now))
            });
            all && compared == values.len()
        };

        let before = operation == Operation::Create || same(&saved.before, &|position| old.attribute(position));
        before
            && match operation {
                Operation::Create => same(&saved.after, &|position| record.attribute(position)),
                Operation::Update => same(&saved.after, &|position| record.planned(old, position)),
                Operation::Delete => true,
            }
    }

    /// Whether the plan has this delete as a cascaded one, or `None` if it does not have it.
    pub(crate) fn is_cascaded(&self, model: &str, id: &Value) -> Option<bool> {
        let place = self.get(Operation::Delete, model, &id.to_string())?;
        Some(self.request.plan.operations[place].cascaded)
    }
}
