//! Writing many records with one request.

use std::collections::{HashMap, HashSet};

use diffsync_core::{TargetError, TargetErrorKind};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};

use super::adapter::Rest;
use super::dialect::Dialect;
use super::error::Error;
use super::pages::plain;
use super::record::read;
use super::schema::RestModel;
use super::store::key_text;
use super::write::{Written, key_of};

/// How many bytes the keys in one URL may have: servers take some 8,000, with the host, the path and the paging.
const LONGEST: usize = 7000;

/// What became of each record of a list.
struct Answers<R>(Vec<Option<Result<R, TargetError>>>);

/// What came of sending a list.
enum Sent {
    /// The body of the answer.
    Answered(Value),
    /// There was nothing to send, or what became of each record is entered.
    Nothing,
    /// The server broke at it, and may have written it.
    Broken(Error),
}

impl<R> Answers<R> {
    fn new(records: usize) -> Self {
        Self((0..records).map(|_| None).collect())
    }

    fn set(&mut self, at: usize, answer: Result<R, TargetError>) {
        if let Some(place) = self.0.get_mut(at) {
            *place = Some(answer);
        }
    }

    /// Whether these records were written is not known.
    fn leave_open(&mut self, open: &[(usize, Written)], error: &Error) {
        for (at, _) in open {
            self.set(*at, Err(error.clone().into_target()));
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
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => answers.set(at, Err(error)),
            }
        }
        let rows = match self.send_list(Method::POST, M::REST.path, &mut open, &mut answers).await? {
            Sent::Answered(rows) => rows,
            Sent::Nothing => return Ok(answers.all()),
            // A server that breaks at one row takes back the whole list. Sent in halves, only that row fails.
            Sent::Broken(error) if self.has_none_of(new, &open).await => return Err(TargetError::from(error)),
            Sent::Broken(error) => {
                answers.leave_open(&open, &error);
                return Ok(answers.all());
            }
        };
        let rows = match rows {
            Value::Array(rows) => self.matched(new, &open, rows),
            // It succeeded, and says no more.
            Value::Null => open.iter().map(|(at, _)| (*at, Value::Null)).collect(),
            _ => return Ok(answers.all()),
        };
        let mut reads = true;
        for (at, row) in rows {
            if let Some((_, written)) = open.iter().find(|(place, _)| *place == at) {
                answers.set(at, self.stored(row, written, &mut reads).await);
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
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => answers.set(at, Err(error)),
            }
        }
        let rows = match self.send_list(self.update_method(), M::REST.path, &mut open, &mut answers).await? {
            Sent::Answered(rows) => rows,
            Sent::Nothing => return Ok(answers.all()),
            Sent::Broken(error) => {
                answers.leave_open(&open, &error);
                return Ok(answers.all());
            }
        };
        let mut rows = match rows {
            Value::Array(rows) => Some(
                rows.into_iter().filter_map(|row| Some((key_text(row.get(&name)?)?, row))).collect::<HashMap<_, _>>(),
            ),
            // It succeeded, and says no more.
            Value::Null => None,
            _ => return Ok(answers.all()),
        };
        let mut reads = true;
        for (at, written) in &open {
            let row = match &mut rows {
                Some(rows) => key_text(&written.key).and_then(|key| rows.remove(&key)),
                None => Some(Value::Null),
            };
            let answer = match row {
                Some(row) => self.stored(row, written, &mut reads).await,
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
            Err(error) => return Err(of_list(error, keys.len())),
        }
        let left = if self.dialect.confirms_deletes {
            self.left(M::REST.path, &name, &keys).await
        } else {
            Ok(HashSet::new())
        };
        for (at, key) in keys {
            let answer = match &left {
                Ok(left) if key_text(&key).is_some_and(|key| left.contains(&key)) => Err(TargetError::new(
                    "the server took the request to delete it, and still has it: may the login delete it?",
                )),
                Ok(_) => {
                    self.store().remove(M::REST.path, &key);
                    Ok(())
                }
                Err(error) => Err(TargetError::unknown(format!("whether it was deleted could not be asked: {error}"))),
            };
            answers.set(at, answer);
        }
        Ok(answers.all())
    }

    /// The keys of those records that the server still has.
    async fn left(&self, path: &str, name: &str, keys: &[(usize, Value)]) -> Result<HashSet<String>, Error> {
        let mut asked: Vec<Vec<(String, String)>> = Vec::new();
        let mut length = LONGEST;
        for (_, key) in keys {
            let key = plain(key);
            // A letter of a key may take three in a URL.
            let more = name.len() + 2 + 3 * key.len();
            length += more;
            if length > LONGEST {
                length = more;
                asked.push(self.dialect.query.clone());
            }
            asked.last_mut().into_iter().for_each(|query| query.push((name.to_owned(), key.clone())));
        }
        let mut left = HashSet::new();
        for query in asked {
            let rows = self.client.rows(path, &query, &self.dialect.paging, Some(name), |_, _| {}).await?;
            left.extend(rows.iter().filter_map(|row| key_text(row.get(name)?)));
        }
        Ok(left)
    }

    /// Sends a list, and gives the body of the answer, if there was anything to send. An error says that none of it was
    /// written.
    async fn send_list<R>(
        &self,
        method: Method,
        path: &str,
        open: &mut Vec<(usize, Written)>,
        answers: &mut Answers<R>,
    ) -> Result<Sent, TargetError> {
        while !open.is_empty() {
            let list: Vec<Value> = open.iter().map(|(_, written)| written.body.clone().into()).collect();
            too_long(&self.dialect, &list)?;
            let secrets: Vec<String> = open.iter().flat_map(|(_, written)| written.values.secrets.clone()).collect();
            let request = self.client.request(method.clone(), path).json(list.into()).hiding(&secrets);
            let error = match request.send().await {
                Ok(answer) => return Ok(Sent::Answered(answer.body)),
                Err(error) => error,
            };
            let faults = (self.dialect.row_errors)(&error, open.len()).filter(|_| error.did_nothing());
            let faults = faults.filter(|faults| faults.len() == open.len() && faults.iter().any(Option::is_some));
            let Some(faults) = faults else {
                let again = of_list(error.clone(), open.len());
                if again.kind() != TargetErrorKind::Unknown {
                    return Err(self.refused(error, again, open.len()));
                }
                if self.dialect.finds_by_fields && breaks(&error) {
                    return Ok(Sent::Broken(error));
                }
                // To say that none was written would have them written twice.
                answers.leave_open(open, &error);
                return Ok(Sent::Nothing);
            };
            let rows = error.answer().and_then(Value::as_array);
            let is_taken = |row: usize| rows.and_then(|rows| rows.get(row)).is_some_and(self.dialect.taken);
            let mut faults = faults.into_iter().enumerate();
            open.retain(|(at, _)| match faults.next() {
                Some((row, Some(fault))) => {
                    let said = error.said(&fault);
                    let fault = if is_taken(row) { TargetError::conflict(said) } else { TargetError::new(said) };
                    answers.set(*at, Err(fault));
                    false
                }
                Some((_, None)) | None => true,
            });
        }
        Ok(Sent::Nothing)
    }

    /// An error as a conflict, if it is of one record and says that a value is taken.
    fn refused(&self, error: Error, otherwise: TargetError, rows: usize) -> TargetError {
        let is_taken = rows == 1 && error.did_nothing() && error.answer().is_some_and(self.dialect.taken);
        if is_taken { TargetError::conflict(error) } else { otherwise }
    }

    /// An error of a request that writes one record.
    pub(super) fn refusal(&self, error: Error) -> TargetError {
        let otherwise = error.clone().into_target();
        self.refused(error, otherwise, 1)
    }
}

/// Whether a server broke at what it was sent, and says so itself. A page in HTML comes from what is before it, or while
/// its database is away.
fn breaks(error: &Error) -> bool {
    error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR) && error.answer().is_some()
}

/// An error of a list that is longer than the server takes. As an error of records it has the list halved.
fn too_long(dialect: &Dialect, list: &[Value]) -> Result<(), TargetError> {
    let Some(longest) = dialect.longest_list else { return Ok(()) };
    let bytes: usize = list.iter().map(|row| row.to_string().len() + 1).sum();
    if bytes < longest {
        return Ok(());
    }
    Err(TargetError::new(format!("a body of {bytes} bytes is more than the {longest} that the server takes")))
}

/// The error of a list. A server that breaks at one row breaks at all of the list, however often it is sent: as an error of
/// records it has the list halved until that row is alone.
fn of_list(error: Error, rows: usize) -> TargetError {
    let breaks = error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR);
    if breaks && rows > 1 && error.is_idempotent() { TargetError::from(error) } else { error.into_target() }
}

/// Whether nothing can be sent at all, now or for good: a collection that records are looked up in could not be read.
fn concerns_all(error: &TargetError) -> bool {
    error.kind() != TargetErrorKind::Record
}
