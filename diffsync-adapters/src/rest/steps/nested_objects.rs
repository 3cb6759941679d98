//! Objects within a record keep the keys that the types of their fields do not know.

use diffsync_core::adapter::TargetError;
use serde_json::{Map, Value};

use crate::nested::merge::{has_keys, merged};
use crate::rest::context::RestContext;
use crate::rest::model::record_path::path_of;
use crate::rest::model::schema::{PartKind, RestField};
use crate::rest::model::{RestModel, json_path};
use crate::rest::record::{RecordValues, read};

impl RestContext {
    /// Adds the keys that the server has to the objects of a body that changes a record.
    ///
    /// The record is requested only if an object changes.
    pub(crate) async fn with_unknown_keys<M: RestModel>(
        &self,
        old: &M,
        mut body: Map<String, Value>,
    ) -> Result<Map<String, Value>, TargetError> {
        if self.dialect.merge_patch {
            return Ok(body);
        }

        let before = RecordValues::of(old)?;
        let objects: Vec<(&RestField, Value)> = M::REST
            .fields
            .iter()
            .filter(|field| field.readable && field.writable && matches!(field.part.kind, PartKind::Value))
            .filter(|field| field.names.iter().any(|name| has_keys(&before.get(name))))
            .filter_map(|field| {
                let (first, rest) = field.part.path.split_first()?;
                let new = json_path::get(body.get(*first)?, rest)?;
                has_keys(new).then(|| (field, new.clone()))
            })
            .collect();

        if objects.is_empty() {
            return Ok(body);
        }

        let answer = self.client.get(&path_of(old)?).send().await.map_err(crate::rest::Error::into_target_error)?;
        let row = self.in_answer::<M>(answer.body);
        if !row.is_object() {
            let text = "an object in it changes, but a request for the record, to keep the object's other keys, did not \
                        return it; set `Dialect::merge_patch` if the server keeps them itself";
            return Err(TargetError::new(text));
        }

        // The current object, reduced to what the type knows, in the type's own form.
        let now = read::<M>(&self.cache(), &M::REST.collection(), &row, None).ok();
        let before = now.as_ref().map_or(Ok(before), RecordValues::of)?;

        for (field, new) in objects {
            let Some((name, stored)) = field.names.first().zip(json_path::get(&row, field.part.path)) else { continue };
            if has_keys(stored) {
                let whole = merged(stored, &before.get(name), &new);
                let whole =
                    whole.map_err(|reason| TargetError::new(format!("`{}` {reason}", field.part.path.join("."))))?;
                json_path::set(&mut body, field.part.path, whole);
            }
        }

        Ok(body)
    }
}
