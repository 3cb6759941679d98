//! Objects within a record keep the keys that the types of their fields do not know.

use diffsync_core::adapter::TargetError;
use serde_json::{Map, Value};

use crate::nested::merge::{has_keys, merged};
use crate::rest::context::RestContext;
use crate::rest::model::record_path::path_of;
use crate::rest::model::schema::{Of, RestField};
use crate::rest::model::{RestModel, json_path};
use crate::rest::record::{RecordValues, read};

impl RestContext {
    /// A body that changes a record, whose objects hold all that the server's have.
    ///
    /// The record is requested only where an object changes.
    pub(crate) async fn with_unknown_keys<M: RestModel>(
        &self,
        old: &M,
        mut body: Map<String, Value>,
    ) -> Result<Map<String, Value>, TargetError> {
        if self.dialect.merges_objects {
            return Ok(body);
        }

        let before = RecordValues::of(old)?;
        let objects: Vec<(&RestField, Value)> = M::REST
            .fields
            .iter()
            .filter(|field| field.reads && field.writes && matches!(field.part.of, Of::Value))
            .filter(|field| field.names.iter().any(|name| has_keys(&before.get(name))))
            .filter_map(|field| {
                let (first, rest) = field.part.at.split_first()?;
                let new = json_path::get(body.get(*first)?, rest)?;
                has_keys(new).then(|| (field, new.clone()))
            })
            .collect();

        if objects.is_empty() {
            return Ok(body);
        }

        let answer = self.client.get(&path_of(old)?).send().await.map_err(crate::rest::Error::into_target)?;
        let row = self.in_answer::<M>(answer.body);
        if !row.is_object() {
            let text = "an object in it changes, and the server did not answer with the record when it was asked for the \
                        keys that the object has; `Dialect::merges_objects` says that it keeps them itself";
            return Err(TargetError::new(text));
        }

        // What the type knows of the object as it is now, in the type's own form.
        let now = read::<M>(&self.cache(), &M::REST.collection(), &row, None).ok();
        let before = now.as_ref().map_or(Ok(before), RecordValues::of)?;

        for (field, new) in objects {
            let Some((name, stored)) = field.names.first().zip(json_path::get(&row, field.part.at)) else { continue };
            if has_keys(stored) {
                let whole = merged(stored, &before.get(name), &new);
                let whole =
                    whole.map_err(|reason| TargetError::new(format!("`{}` {reason}", field.part.at.join("."))))?;
                json_path::set(&mut body, field.part.at, whole);
            }
        }

        Ok(body)
    }
}
