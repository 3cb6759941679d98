//! Writing many records with one request.

use diffsync_core::{TargetError, TargetErrorKind};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};

use super::adapter::Rest;
use super::record::read;
use super::schema::RestModel;
use super::write::{Written, key_of};

/// What became of each record of a list.
struct Answers<R>(Vec<Option<Result<R, TargetError>>>);

impl<R> Answers<R> {
    fn new(records: usize) -> Self {
        Self((0..records).map(|_| None).collect())
    }

    fn set(&mut self, at: usize, answer: Result<R, TargetError>) {
        if let Some(place) = self.0.get_mut(at) {
            *place = Some(answer);
        }
    }

    fn all(self) -> Vec<Result<R, TargetError>> {
        let silent = || Err(TargetError::unknown("the server's answer says nothing of this record"));
        self.0.into_iter().map(|answer| answer.unwrap_or_else(silent)).collect()
    }
}

impl<D> Rest<D> {
    /// Creates records with one request. Those with which the server finds fault are taken out, and the others sent again.
    pub(super) async fn create_list<M: RestModel>(
        &self,
        new: &[&M],
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let mut answers = Answers::new(new.len());
        let mut open = Vec::new();
        for (at, record) in new.iter().enumerate() {
            match self.creation(*record).await {
                Ok(written) => open.push((at, written)),
                Err(error) => answers.set(at, Err(error)),
            }
        }
        let Some(rows) = self.send_list(Method::POST, M::REST.path, &mut open, &mut answers).await? else {
            return Ok(answers.all());
        };
        let Value::Array(rows) = rows else { return Ok(answers.all()) };
        for (at, row) in self.matched(new, &open, rows) {
            if let Some((_, written)) = open.iter().find(|(place, _)| *place == at) {
                answers.set(at, self.stored(row, written).await);
            }
        }
        Ok(answers.all())
    }

    /// The rows of an answer with the records that they are of, which is by their order unless that shows otherwise.
    fn matched<M: RestModel>(&self, new: &[&M], open: &[(usize, Written)], rows: Vec<Value>) -> Vec<(usize, Value)> {
        let store = self.store();
        let collection = M::REST.collection();
        let is_of = |(at, written): &(usize, Written), row: &Value| {
            let record = read::<M>(&store, &collection, row, Some(&written.values));
            // What cannot be read is said when it is stored.
            record.map_or(true, |record| new.get(*at).is_some_and(|new| new.is(record.key())))
        };
        let in_order = rows.len() == open.len() && open.iter().zip(&rows).all(|(open, row)| is_of(open, row));
        if in_order {
            return open.iter().map(|(at, _)| *at).zip(rows).collect();
        }
        let mut left: Vec<&(usize, Written)> = open.iter().collect();
        let mut matched = Vec::new();
        for row in rows {
            if let Some(found) = left.iter().position(|open| is_of(open, &row)) {
                matched.push((left.swap_remove(found).0, row));
            }
        }
        matched
    }

    /// Updates records with one request.
    pub(super) async fn update_list<M: RestModel>(
        &self,
        changes: &[(&M, M::Patch)],
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let mut answers = Answers::new(changes.len());
        let mut open = Vec::new();
        let name = self.store().key_of(&M::REST.collection()).to_owned();
        for (at, (old, patch)) in changes.iter().enumerate() {
            let written = match key_of(*old) {
                Ok(_) => self.change(*old, patch).await,
                Err(error) => Err(error),
            };
            match written {
                Ok(written) if written.body.is_empty() => answers.set(at, Ok((*old).clone())),
                Ok(mut written) => {
                    written.body.insert(name.clone(), written.key.clone());
                    open.push((at, written));
                }
                Err(error) => answers.set(at, Err(error)),
            }
        }
        let Some(rows) = self.send_list(self.update_method(), M::REST.path, &mut open, &mut answers).await? else {
            return Ok(answers.all());
        };
        let Value::Array(rows) = rows else { return Ok(answers.all()) };
        for (at, written) in &open {
            let row = rows.iter().find(|row| row.get(&name) == Some(&written.key));
            let answer = match row {
                Some(row) => self.stored(row.clone(), written).await,
                None => Err(TargetError::new("the server no longer has the record: it left it out of what it changed")),
            };
            answers.set(*at, answer);
        }
        Ok(answers.all())
    }

    /// Deletes records with one request.
    pub(super) async fn delete_list<M: RestModel>(
        &self,
        old: &[&M],
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        let name = self.store().key_of(&M::REST.collection()).to_owned();
        let mut answers = Answers::new(old.len());
        let mut keys = Vec::new();
        for (at, record) in old.iter().enumerate() {
            match key_of(*record) {
                Ok(key) => keys.push((at, key)),
                Err(error) => answers.set(at, Err(error)),
            }
        }
        if keys.is_empty() {
            return Ok(answers.all());
        }
        let list: Vec<Value> =
            keys.iter().map(|(_, key)| Map::from_iter([(name.clone(), key.clone())]).into()).collect();
        let sent = self.client.request(Method::DELETE, M::REST.path).json(list.into()).send().await;
        match sent {
            Ok(_) => {}
            Err(error) if keys.len() == 1 && error.status() == Some(StatusCode::NOT_FOUND) => {}
            Err(error) => return Err(error.into_target()),
        }
        for (at, key) in keys {
            self.store().remove(M::REST.path, &key);
            answers.set(at, Ok(()));
        }
        Ok(answers.all())
    }

    /// Sends a list, and gives the body of the answer, if there was anything to send. An error says that none of it was
    /// written.
    async fn send_list<R>(
        &self,
        method: Method,
        path: &str,
        open: &mut Vec<(usize, Written)>,
        answers: &mut Answers<R>,
    ) -> Result<Option<Value>, TargetError> {
        while !open.is_empty() {
            let list: Vec<Value> = open.iter().map(|(_, written)| written.body.clone().into()).collect();
            let secrets: Vec<String> = open.iter().flat_map(|(_, written)| written.values.secrets.clone()).collect();
            let request = self.client.request(method.clone(), path).json(list.into()).hiding(&secrets);
            let error = match request.send().await {
                Ok(answer) => return Ok(Some(answer.body)),
                Err(error) => error,
            };
            let faults = (self.dialect.row_errors)(&error, open.len()).filter(|_| error.did_nothing());
            let faults = faults.filter(|faults| faults.len() == open.len() && faults.iter().any(Option::is_some));
            let Some(faults) = faults else {
                let again = error.clone().into_target();
                if again.kind() != TargetErrorKind::Unknown {
                    return Err(again);
                }
                // To say that none was written would have them written twice.
                for (at, _) in &*open {
                    answers.set(*at, Err(error.clone().into_target()));
                }
                return Ok(None);
            };
            let mut faults = faults.into_iter();
            open.retain(|(at, _)| match faults.next().flatten() {
                Some(fault) => {
                    answers.set(*at, Err(TargetError::new(error.said(&fault))));
                    false
                }
                None => true,
            });
        }
        Ok(None)
    }
}
