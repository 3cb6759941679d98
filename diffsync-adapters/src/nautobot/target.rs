//! Writing to a Nautobot.

use std::collections::HashSet;
use std::sync::PoisonError;

use diffsync_core::adapter::{Capabilities, TargetError, TargetErrorKind, WriteContext};
use diffsync_core::data::HasTable;
use diffsync_core::{ModelExt, Target};
use serde_json::Value;

use super::cascade::{CascadeSearch, Doomed};
use super::defaults::Defaults;
use super::{Nautobot, NautobotData, attributes, cascade, conflict, custom_fields, identity};
use crate::rest::{Rest, RestModel};

impl<D, M> Target<M> for Nautobot<D>
where
    D: NautobotData + HasTable<M>,
    M: RestModel,
{
    fn capabilities(&self) -> Capabilities {
        let capabilities = <Rest<D> as Target<M>>::capabilities(&self.rest);
        match M::REST.path {
            // Nautobot finds out which prefix is in which when it stores one. Two that are stored at the same moment do
            // not see each other.
            "ipam/prefixes" => Capabilities { concurrency_limit: Some(1), ..capabilities },
            _ => capabilities,
        }
    }

    // The futures are boxed: those of a data set of many models would else be too much for a small stack.

    async fn create(&self, new: &M, cx: &WriteContext<'_, D>) -> Result<M, TargetError> {
        one(Box::pin(self.create_many(&[new], cx)).await?)
    }

    async fn update(&self, old: &M, patch: &M::Patch, cx: &WriteContext<'_, D>) -> Result<M, TargetError> {
        let changed = attributes::changed::<M>(patch)?;
        let new = old.patched(patch);
        let same = new.patch(&new, &|position| changed.contains(&position));
        one(Box::pin(self.update_many(&[(old, same)], cx)).await?)
    }

    async fn delete(&self, old: &M, cx: &WriteContext<'_, D>) -> Result<(), TargetError> {
        one(Box::pin(self.delete_many(&[old], cx)).await?)
    }

    async fn create_many(
        &self,
        new: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let mut answers: Vec<Option<Result<M, TargetError>>> = Vec::with_capacity(new.len());
        for record in new {
            answers.push(identity::refused(*record)?.map(Err));
        }

        if conflict::may_double(M::REST.path) {
            Box::pin(self.look_again(new, &mut answers)).await?;
        }

        let mut sent: Vec<(usize, Sent<M>)> = Vec::new();
        for (at, record) in new.iter().enumerate().filter(|(at, _)| answers.get(*at).is_some_and(Option::is_none)) {
            sent.push((at, self.sent(*record, true)?));
        }

        let records: Vec<&M> = sent.iter().map(|(_, sent)| &sent.record).collect();
        let stored = Box::pin(self.rest.create_many(&records, cx)).await?;

        for ((at, sent), stored) in sent.iter().zip(stored) {
            let stored = Box::pin(self.named(&sent.record, stored)).await;
            if let Some(answer) = answers.get_mut(*at) {
                *answer = Some(stored.and_then(|stored| self.as_loaded(stored, sent)));
            }
        }

        Ok(all(answers))
    }

    async fn update_many(
        &self,
        changes: &[(&M, M::Patch)],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let mut sent: Vec<(&M, M::Patch, Sent<M>)> = Vec::with_capacity(changes.len());
        for (old, patch) in changes {
            let positions = attributes::changed::<M>(patch)?;
            let is_changed = |position| positions.contains(&position);
            let mut new = self.sent(&old.patched(patch), false)?;
            new.default = new.default.filter(|(position, _)| is_changed(*position));
            let waits = new.default.as_ref().map(|(position, _)| *position);
            let patch = new.record.patch(&new.record, &|position| is_changed(position) && Some(position) != waits);
            sent.push((old, patch, new));
        }

        let (asked, sent): (Vec<_>, Vec<_>) = sent.into_iter().map(|(old, patch, sent)| ((old, patch), sent)).unzip();
        let stored = Box::pin(self.rest.update_many(&asked, cx)).await?;

        let mut answers = Vec::with_capacity(changes.len());
        for (sent, stored) in sent.iter().zip(stored) {
            let stored = Box::pin(self.named(&sent.record, stored)).await;
            answers.push(stored.and_then(|stored| self.as_loaded(stored, sent)));
        }

        Ok(answers)
    }

    async fn delete_many(
        &self,
        old: &[&M],
        cx: &WriteContext<'_, D>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        if !cascade::is_known(M::REST.path) && !self.may_go.contains(M::REST.path) {
            return Ok(old.iter().map(|_| Err(cascade::unknown(M::REST.path))).collect());
        }
        let kind = attributes::position::<M>("type");
        let mut doomed = Vec::with_capacity(old.len());
        for record in old {
            let key = record.remote_key()?.as_str().map(str::to_lowercase).unwrap_or_default();
            let kind = kind.map(|position| record.attribute(position)).transpose()?;
            doomed.push(Doomed { key, kind: kind.and_then(|kind| kind.as_str().map(str::to_owned)) });
        }

        let planned = self.planned(cx);
        let dialect = self.rest.dialect();
        let look = CascadeSearch {
            client: self.rest.client(),
            query: &dialect.query,
            format: &dialect.collection_format,
            allowed: &self.may_go,
            planned: &planned,
        };

        let keys: Vec<String> = doomed.iter().map(|record| record.key.clone()).collect();
        let losses = Box::pin(look.losses(M::REST.path, doomed)).await?;

        let is_free = |at: &usize| keys.get(*at).is_none_or(|key| !losses.contains_key(key));
        let places: Vec<usize> = (0..old.len()).filter(is_free).collect();
        let free: Vec<&M> = places.iter().filter_map(|at| old.get(*at).copied()).collect();
        let deleted = if free.is_empty() { Vec::new() } else { Box::pin(self.rest.delete_many(&free, cx)).await? };
        let mut answers: Vec<Option<Result<(), TargetError>>> =
            keys.iter().map(|key| losses.get(key).map(|losses| Err(cascade::refused(losses)))).collect();
        for (at, deleted) in places.into_iter().zip(deleted) {
            if let Some(answer) = answers.get_mut(at) {
                *answer = Some(deleted);
            }
        }

        Ok(all(answers))
    }
}

/// A record as it is sent, and what of it is not.
struct Sent<M> {
    record: M,
    /// The default that waits for the choices of the custom field, and the attribute that holds it.
    default: Option<(usize, Value)>,
    /// Custom fields that must be filled, and are not: the server fills them with their defaults.
    left_out: HashSet<String>,
}

impl<D: NautobotData> Nautobot<D> {
    /// A record as the server takes it.
    fn sent<M: RestModel>(&self, record: &M, is_new: bool) -> Result<Sent<M>, TargetError> {
        let mut sent = Sent { record: record.clone(), default: Defaults::waiting(record)?, left_out: HashSet::new() };
        if let Some((position, _)) = sent.default {
            sent.record = attributes::with(&sent.record, position, Value::Null)?;
        }

        // An empty tag is one that only one device could have.
        if M::REST.path == "dcim/devices"
            && let Some(position) = attributes::position::<M>("asset_tag")
            && sent.record.attribute(position)? == ""
        {
            sent.record = attributes::with(&sent.record, position, Value::Null)?;
        }

        if is_new {
            let required = self.required.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let is_unset = |key: &str, value: &Value| value.is_null() && required.contains(key);
            if let Some(patch) = custom_fields::taking_out(&sent.record, &is_unset)? {
                sent.record.apply(&patch);
                sent.left_out = required.into_iter().collect();
            }
        }

        Ok(sent)
    }

    /// Looks whether records are there since the target was loaded, where the server would store them a second time.
    async fn look_again<M: RestModel>(
        &self,
        new: &[&M],
        answers: &mut [Option<Result<M, TargetError>>],
    ) -> Result<(), TargetError> {
        let open: Vec<usize> = (0..new.len()).filter(|at| answers.get(*at).is_some_and(Option::is_none)).collect();
        let records: Vec<&M> = open.iter().filter_map(|at| new.get(*at).copied()).collect();
        let found = match self.rest.context.find(&records).await {
            Ok(found) => found,
            // A model of one's own may be identified by what the collection cannot be searched for.
            Err(error) if error.kind() == TargetErrorKind::Record => {
                tracing::debug!(?error, path = M::REST.path, "whether records are there already is not looked at");
                return Ok(());
            }
            Err(error) => return Err(error),
        };

        for ((at, record), row) in open.into_iter().zip(records).zip(found) {
            let Some(row) = row else { continue };
            let url = row.get("url").and_then(Value::as_str).unwrap_or_default();
            let text = format!("it is there since the target was loaded: {url}; run again to compare it");
            if let Some(answer) = answers.get_mut(at) {
                *answer = Some(Err(TargetError::conflict(text).held_by(M::NAME, record.id())));
            }
        }

        Ok(())
    }

    /// The same answer, where a conflict names the record that has the value.
    async fn named<M: RestModel>(&self, record: &M, stored: Result<M, TargetError>) -> Result<M, TargetError> {
        match stored {
            Err(error) if error.is_conflict() => Err(conflict::named(&self.rest.context, record, error).await),
            stored => stored,
        }
    }

    /// The keys of all records that the plan deletes. A delete that fails or is held back in the course of the run is no
    /// longer among them, so they are gathered each time.
    fn planned(&self, cx: &WriteContext<'_, D>) -> HashSet<String> {
        let mut keys = HashSet::new();
        self.entries.iter().for_each(|entry| (entry.plan)(cx, &mut keys));
        keys
    }

    /// A record that was written as it is loaded: without the stamp, or it would seem to have changed since when the run is
    /// taken back.
    fn as_loaded<M: RestModel>(&self, stored: M, sent: &Sent<M>) -> Result<M, TargetError> {
        self.finished(stored, sent).map_err(|error| {
            TargetError::unknown(format!("it was written, and what the server then answered cannot be read: {error}"))
        })
    }

    fn finished<M: RestModel>(&self, mut stored: M, sent: &Sent<M>) -> Result<M, diffsync_core::adapter::AdapterError> {
        if let Some((position, default)) = &sent.default {
            self.defaults.note(&stored, default.clone())?;
            stored = attributes::with(&stored, *position, default.clone())?;
        }

        if !sent.left_out.is_empty()
            && let Some(patch) = custom_fields::taking_out(&stored, &|key, _| sent.left_out.contains(key))?
        {
            stored.apply(&patch);
        }

        match &self.owner {
            Some(owner) => owner.take_stamp_of(stored),
            None => Ok(stored),
        }
    }
}

/// The one answer of a list.
fn one<R>(answers: Vec<Result<R, TargetError>>) -> Result<R, TargetError> {
    answers.into_iter().next().unwrap_or_else(|| Err(TargetError::unknown("there is no answer for this record")))
}

/// All answers, each of which is there.
fn all<R>(answers: Vec<Option<Result<R, TargetError>>>) -> Vec<Result<R, TargetError>> {
    let silent = || Err(TargetError::unknown("there is no answer for this record"));
    answers.into_iter().map(|answer| answer.unwrap_or_else(silent)).collect()
}
