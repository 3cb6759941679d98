//! Writing many records with one request.

use std::collections::{HashMap, HashSet};

use diffsync_core::adapter::{AdapterError, TargetError, TargetErrorKind};
use diffsync_core::model::AsKey;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::MutexGuard as AsyncGuard;

use super::created_row::{found_or, has_key};
use super::write::{OutgoingRecord, unwritable};
use super::write_request::{Content, ListReply, content, foreign_answer, names_record};
use crate::rest::cache::key_text;
use crate::rest::cache::proof::PostProofs;
use crate::rest::context::RestContext;
use crate::rest::dialect::Dialect;
use crate::rest::http::client::Request;
use crate::rest::http::error::Error;
use crate::rest::model::RestModel;
use crate::rest::model::record_path::key_of;
use crate::rest::record::{RecordValues, read};
use crate::rest::verdict::{ResponseView, Verdict};

/// The outcome of each record of a list.
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
        let silent = || Err(TargetError::unknown("the server's answer does not mention this record"));
        self.0.into_iter().map(|answer| answer.unwrap_or_else(silent)).collect()
    }
}

impl RestContext {
    /// Creates records with one request. If the server rejects some of them, the others are sent again.
    ///
    /// Until an answer has shown that a `POST` to the collection creates a record, each is sent alone. If this returns an
    /// error, no record was written.
    pub(crate) async fn create_list<M: RestModel>(
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

        let mut parts = vec![open];
        let mut is_begun = false;
        let mut reads = true;
        while let Some(mut part) = parts.pop() {
            let created = match self.first_alone(M::REST.path).await {
                Ok(alone) => {
                    if alone.is_some() && part.len() > 1 {
                        parts.push(part.split_off(1));
                    }
                    self.create_part(new, &mut part, alone, &mut reads, &mut answers).await
                }
                Err(error) => Err(error),
            };

            let Err(error) = created else {
                is_begun = true;
                continue;
            };

            let is_own = error.kind() == TargetErrorKind::Record;
            match part.as_slice() {
                [(at, _)] if is_own => {
                    answers.set(*at, Err(error));
                    is_begun = true;
                }
                _ if !is_begun && !error.is_outcome_unknown() => return Err(error),
                // Some of the list is written, or may be, so the caller must not send all of it again.
                [] => {}
                several if is_own => {
                    let half = part.split_off(several.len() / 2);
                    parts.extend([half, part]);
                }
                _ => {
                    for (at, _) in &part {
                        answers.set(*at, Err(of_each(&error)));
                    }

                    for (at, _) in parts.drain(..).flatten() {
                        answers.set(at, Err(not_sent(&error)));
                    }
                }
            }
        }

        Ok(answers.all())
    }

    /// Creates a part of the records of a list with one request.
    async fn create_part<M: RestModel>(
        &self,
        new: &[&M],
        open: &mut Vec<(usize, OutgoingRecord)>,
        mut alone: Option<AsyncGuard<'_, PostProofs>>,
        reads: &mut bool,
        answers: &mut Answers<M>,
    ) -> Result<(), TargetError> {
        let sent = self.send_list(Method::POST, Some(new), open, answers).await;
        if let (Some(proven), Err(error)) = (&mut alone, &sent) {
            proven.failed(M::REST.path, error);
        }
        let Some((listed, request)) = sent? else {
            return Ok(());
        };
        let rows = self.rows_created(new, open, listed, &request, answers).await;
        if let (Some(proven), Err(error)) = (&mut alone, &rows) {
            proven.failed(M::REST.path, error);
        }

        let mut rows = rows?;
        self.find_keyless(new, &mut rows, answers).await;

        if let Some(proven) = &mut alone
            && let Some(first) = rows.first().and_then(|(at, _)| new.get(*at))
        {
            let shown: Vec<Value> = rows.iter().map(|(_, row)| row.clone()).collect();
            self.prove(proven, *first, &shown).await;
        }

        drop(alone);

        self.read_back::<M>(&mut rows, open).await;
        for (at, row) in rows {
            if let Some((_, written)) = open.iter().find(|(place, _)| *place == at) {
                answers.set(at, self.stored(row, written, reads).await);
            }
        }

        Ok(())
    }

    /// The rows that an answer gives, each with the place of its record.
    async fn rows_created<M: RestModel>(
        &self,
        new: &[&M],
        open: &[(usize, OutgoingRecord)],
        listed: ListReply,
        request: &Request,
        answers: &mut Answers<M>,
    ) -> Result<Vec<(usize, Value)>, TargetError> {
        let silent = || open.iter().map(|(at, _)| (*at, Value::Null)).collect();
        let told = match listed {
            ListReply::Whole(told) => told,
            ListReply::Rows(rows) if rows.len() == open.len() => {
                let mut created = Vec::new();
                for ((at, _), row) in open.iter().zip(rows) {
                    match row {
                        Ok(row) => created.push((*at, self.in_answer::<M>(row))),
                        Err(error) => answers.set(*at, Err(error.into_target_error())),
                    }
                }
                return Ok(created);
            }
            // It is unknown which row failed; created records are recognised by their identifiers.
            ListReply::Rows(rows) => {
                let are_more = rows.len() > open.len();
                let done = rows.into_iter().filter_map(Result::ok).map(|row| self.in_answer::<M>(row));
                let done: Vec<Value> = done.collect();
                let shown = Value::from(done.clone());
                let matched = self.by_identifier(new, open, done).await;
                // More rows than requested, and none of them is a requested record.
                if are_more && matched.is_empty() && shown != Value::Array(Vec::new()) {
                    return Err(foreign_answer::<M>(request, None, &shown).into_target_error());
                }
                return Ok(matched);
            }
        };

        let key = self.key_need::<M>().0;
        let foreign = |body: &Value| Err(foreign_answer::<M>(request, Some(told.status), body).into_target_error());
        match self.in_answer::<M>(told.body) {
            Value::Array(rows) => {
                let is_foreign = |row: &Value| content::<M>(row, &key) == Content::Foreign;
                if !told.is_vouched && !rows.is_empty() && rows.iter().all(is_foreign) {
                    return foreign(&rows.into());
                }

                if rows.len() == open.len() {
                    return Ok(self.matched(new, open, rows));
                }
                Ok(self.by_identifier(new, open, rows).await)
            }
            body => match (content::<M>(&body, &key), open) {
                (Content::Record, [(at, _)]) => Ok(vec![(*at, body)]),
                (Content::Foreign, _) if !told.is_vouched => foreign(&body),
                (content, _) if told.is_vouched || content == Content::Nothing => Ok(silent()),
                // It does not mention the records.
                _ => Ok(Vec::new()),
            },
        }
    }

    /// Looks for the rows of records whose key is needed, but not in the answer.
    async fn find_keyless<M: RestModel>(&self, new: &[&M], rows: &mut Vec<(usize, Value)>, answers: &mut Answers<M>) {
        let (key, needs_key) = self.key_need::<M>();
        let lacks = |row: &Value| needs_key && !has_key(row, &key);
        let wanted: Vec<&M> =
            rows.iter().filter(|(_, row)| lacks(row)).filter_map(|(at, _)| new.get(*at).copied()).collect();
        if wanted.is_empty() {
            return;
        }

        let found = self.find_rows(&wanted).await.map_err(|error| error.to_string());
        let mut found = found.map(Vec::into_iter);
        rows.retain_mut(|(at, row)| {
            if !lacks(row) {
                return true;
            }

            let one = match &mut found {
                Ok(found) => Ok(found.next().flatten()),
                Err(reason) => Err(AdapterError::new(reason.clone())),
            };

            match found_or(one, std::mem::take(row)) {
                Ok(now) => {
                    *row = now;
                    true
                }
                Err(error) => {
                    answers.set(*at, Err(error));
                    false
                }
            }
        });
    }

    /// Matches as many rows as records: by their order, unless identifiers contradict it.
    fn matched<M: RestModel>(
        &self,
        new: &[&M],
        open: &[(usize, OutgoingRecord)],
        rows: Vec<Value>,
    ) -> Vec<(usize, Value)> {
        let cache = self.cache();
        let collection = M::REST.collection();
        let is_of = |at: usize, row: &Value, otherwise: Option<&RecordValues>| {
            let record = read::<M>(&cache, &collection, row, otherwise).ok()?;
            Some(new.get(at).is_some_and(|new| new.is(record.key())))
        };

        // A row that cannot be read is reported when it is stored.
        let fits =
            |(at, written): &(usize, OutgoingRecord), row| is_of(*at, row, Some(&written.values)).unwrap_or(true);
        if open.iter().zip(&rows).all(|(open, row)| fits(open, row)) {
            return open.iter().map(|(at, _)| *at).zip(rows).collect();
        }

        let key = cache.key_of(&collection);
        let mut left: Vec<usize> = open.iter().map(|(at, _)| *at).collect();
        let (mut matched, mut others) = (Vec::new(), Vec::new());
        for row in rows {
            // A row without an identifier would match any record.
            let named = names_record::<M>(&row, key);
            match left.iter().position(|at| named && is_of(*at, &row, None).unwrap_or(false)) {
                Some(found) => matched.push((left.remove(found), row)),
                None => others.push(row),
            }
        }

        // A server that keeps identifiers in another form still answers in order.
        matched.extend(left.into_iter().zip(others));
        matched
    }

    /// Matches rows and records by identifier, if their numbers differ. The outcome of a record without a row is unknown.
    async fn by_identifier<M: RestModel>(
        &self,
        new: &[&M],
        open: &[(usize, OutgoingRecord)],
        rows: Vec<Value>,
    ) -> Vec<(usize, Value)> {
        let key = self.key_need::<M>().0;
        let mut left: Vec<usize> = open.iter().map(|(at, _)| *at).collect();
        let mut matched = Vec::new();
        for row in rows.into_iter().filter(|row| names_record::<M>(row, &key)) {
            let id = match self.identified::<M>(&row).await {
                Ok(Some(id)) => id,
                Ok(None) => continue,
                Err(reason) => {
                    tracing::warn!(?reason, path = M::REST.path, "cannot tell which records an answer is about");
                    break;
                }
            };

            let is_it = |at: &usize| new.get(*at).is_some_and(|new| id.key().is_some_and(|key| new.is(key)));
            if let Some(found) = left.iter().position(is_it) {
                matched.push((left.remove(found), row));
            }
        }

        matched
    }

    /// Updates records with one request.
    pub(crate) async fn update_list<M: RestModel>(
        &self,
        changes: &[(&M, M::Patch)],
    ) -> Result<Vec<Result<M, TargetError>>, TargetError> {
        let mut answers = Answers::new(changes.len());
        let mut open = Vec::new();
        let name = self.cache().key_of(&M::REST.collection()).to_owned();

        for (at, (old, patch)) in changes.iter().enumerate() {
            let written = match key_of(*old) {
                Ok(_) => self.change(*old, patch).await,
                Err(error) => Err(error),
            };

            match written {
                Ok(written) if written.body.is_empty() => answers.set(at, unwritable(*old, patch)),
                Ok(mut written) => {
                    written.body.insert(name.clone(), written.key.clone());
                    open.push((at, written));
                }
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => answers.set(at, Err(error)),
            }
        }

        let Some((listed, _)) = self.send_list::<M, _>(self.update_method(), None, &mut open, &mut answers).await?
        else {
            return Ok(answers.all());
        };

        let mut rows = match listed {
            ListReply::Rows(rows) if rows.len() == open.len() => {
                let mut done = Vec::new();
                for ((at, _), row) in open.iter().zip(rows) {
                    match row {
                        Ok(row) => done.push((*at, self.in_answer::<M>(row))),
                        Err(error) => answers.set(*at, Err(error.into_target_error())),
                    }
                }
                done
            }
            ListReply::Rows(rows) => {
                let rows = rows.into_iter().filter_map(Result::ok).map(|row| self.in_answer::<M>(row)).collect();
                by_key(&open, rows, &name).0
            }
            ListReply::Whole(told) => match self.in_answer::<M>(told.body) {
                Value::Array(rows) => {
                    let (done, left_out) = by_key(&open, rows, &name);
                    for at in left_out {
                        let text = "the server no longer has the record: its answer leaves it out";
                        answers.set(at, Err(TargetError::new(text)));
                    }
                    done
                }
                // It has succeeded, and the answer contains no more.
                body if told.is_vouched || body.is_null() => open.iter().map(|(at, _)| (*at, Value::Null)).collect(),
                _ => return Ok(answers.all()),
            },
        };

        self.read_back::<M>(&mut rows, &open).await;

        let mut reads = true;
        for (at, row) in rows {
            if let Some((_, written)) = open.iter().find(|(place, _)| *place == at) {
                answers.set(at, self.stored(row, written, &mut reads).await);
            }
        }

        Ok(answers.all())
    }

    /// Deletes records with one request.
    pub(crate) async fn delete_list<M: RestModel>(
        &self,
        old: &[&M],
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        let name = self.cache().key_of(&M::REST.collection()).to_owned();
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
        let request = self.client.request(Method::DELETE, M::REST.path).json(list.into());
        let mut failed: Vec<Option<Error>> = Vec::new();
        let mut is_unsaid = false;
        match self.write_list::<M>(&request).await {
            Ok(ListReply::Whole(_)) => {}
            Ok(ListReply::Rows(rows)) if rows.len() == keys.len() => {
                failed = rows.into_iter().map(|row| row.err().filter(|error| !error.is_gone())).collect();
            }
            // It is unknown which of them were deleted, unless the server is queried.
            Ok(ListReply::Rows(_)) => is_unsaid = true,
            Err(error) if keys.len() == 1 && error.is_gone() => {
                if let Some(old) = keys.first().and_then(|(at, _)| old.get(*at)) {
                    Box::pin(self.surely_gone(*old, &error)).await?;
                }
            }
            Err(error) => return Err(of_list(error, keys.len())),
        }

        let left = if self.dialect.confirm_deletes {
            let keys: Vec<Value> = keys.iter().map(|(_, key)| key.clone()).collect();
            self.of_keys(M::REST.path, &name, &keys).await.map(|held| held.into_keys().collect())
        } else {
            Ok(HashSet::new())
        };

        let mut failed = failed.into_iter();
        for (at, key) in keys {
            let answer = match (failed.next().flatten(), &left) {
                (Some(error), _) => Err(error.into_target_error()),
                (None, Ok(left)) if key_text(&key).is_some_and(|key| left.contains(&key)) => Err(TargetError::new(
                    "the server took the request to delete it, and still has it: may the login delete it?",
                )),
                (None, Ok(_)) if is_unsaid && !self.dialect.confirm_deletes => {
                    Err(TargetError::unknown("the answer has another number of rows than the request to delete them"))
                }
                (None, Ok(_)) => {
                    self.cache().remove(M::REST.path, &key);
                    Ok(())
                }
                (None, Err(error)) => {
                    Err(TargetError::unknown(format!("whether it was deleted could not be queried: {error}")))
                }
            };
            answers.set(at, answer);
        }

        Ok(answers.all())
    }

    /// Sends a list, and returns the answer and the request, if there was anything to send. If this returns an error, nothing
    /// of the list was written. `new` are all records, if they are to be created.
    async fn send_list<M: RestModel, R>(
        &self,
        method: Method,
        new: Option<&[&M]>,
        open: &mut Vec<(usize, OutgoingRecord)>,
        answers: &mut Answers<R>,
    ) -> Result<Option<(ListReply, Request)>, TargetError> {
        while !open.is_empty() {
            let list: Vec<Value> = open.iter().map(|(_, written)| written.body.clone().into()).collect();
            too_long(&self.dialect, &list)?;
            let secrets: Vec<String> = open.iter().flat_map(|(_, written)| written.values.secrets.clone()).collect();
            let request = self.client.request(method.clone(), M::REST.path).json(list.into()).redact(&secrets);
            let error = match self.write_list::<M>(&request).await {
                Ok(listed) => return Ok(Some((listed, request))),
                Err(error) => error,
            };

            let faults = (self.dialect.row_errors)(&error, open.len()).filter(|_| error.is_definite());
            let faults = faults.filter(|faults| faults.len() == open.len() && faults.iter().any(Option::is_some));
            let Some(faults) = faults else {
                let again = of_list(error.clone(), open.len());
                if again.kind() != TargetErrorKind::Unknown {
                    return Err(again);
                }

                // A server that fails at one row rolls the whole list back. Sent in halves, only that row fails.
                if let Some(new) = new
                    && self.dialect.supports_field_filters
                    && breaks(&error)
                    && self.has_none_of(new, open).await
                {
                    return Err(TargetError::from(error));
                }

                // An error for the whole list would have the records written twice.
                for (at, _) in &*open {
                    answers.set(*at, Err(error.clone().into_target_error()));
                }
                return Ok(None);
            };

            let mut faults = faults.into_iter();
            open.retain(|(at, _)| match faults.next().flatten() {
                Some(fault) => {
                    answers.set(*at, Err(self.of_row(&error, &method, &fault)));
                    false
                }
                None => true,
            });
        }

        Ok(None)
    }

    /// The error of one row that a refused list names.
    fn of_row(&self, error: &Error, method: &Method, fault: &str) -> TargetError {
        let text = error.with_detail(fault);
        let (Some(status), body) = (error.status(), Value::from(fault)) else { return TargetError::new(text) };
        match (self.dialect.verdict)(&ResponseView { method, status, body: &body, holds_record: false }) {
            Some(Verdict::Conflict(_)) => TargetError::conflict(text),
            _ => TargetError::new(text),
        }
    }
}

/// The rows of an answer by the key of their record, and the places of the records without a row.
fn by_key(open: &[(usize, OutgoingRecord)], rows: Vec<Value>, name: &str) -> (Vec<(usize, Value)>, Vec<usize>) {
    let mut rows: HashMap<String, Value> =
        rows.into_iter().filter_map(|row| Some((key_text(row.get(name)?)?, row))).collect();
    let (mut changed, mut left_out) = (Vec::new(), Vec::new());
    for (at, written) in open {
        match key_text(&written.key).and_then(|key| rows.remove(&key)) {
            Some(row) => changed.push((*at, row)),
            None => left_out.push(*at),
        }
    }

    (changed, left_out)
}

/// Whether a server itself failed at a request. A page in HTML comes from a proxy, or while its database is down.
fn breaks(error: &Error) -> bool {
    error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR) && error.response_body().is_some()
}

/// The error of a list that exceeds the server's limit. As an error of the records it has the list halved.
fn too_long(dialect: &Dialect, list: &[Value]) -> Result<(), TargetError> {
    let Some(longest) = dialect.max_bulk_bytes else { return Ok(()) };
    let bytes: usize = list.iter().map(|row| row.to_string().len() + 1).sum();
    if bytes < longest {
        return Ok(());
    }
    Err(TargetError::new(format!("a body of {bytes} bytes is more than the {longest} that the server accepts")))
}

/// The error of a list. A server that fails at one row fails at the whole list, however often it is sent: as an error of the
/// records it has the list halved until that row is alone.
fn of_list(error: Error, rows: usize) -> TargetError {
    let breaks = error.status() == Some(StatusCode::INTERNAL_SERVER_ERROR);
    if breaks && rows > 1 && error.is_idempotent() && !error.is_judged() {
        TargetError::from(error)
    } else {
        error.into_target_error()
    }
}

/// The error of a list as that of each of its records.
fn of_each(error: &TargetError) -> TargetError {
    let text = error.to_string();
    let each = match error.kind() {
        TargetErrorKind::Transient => TargetError::transient(text),
        TargetErrorKind::Fatal => TargetError::fatal(text),
        TargetErrorKind::Unknown => TargetError::unknown(text),
        TargetErrorKind::Record => TargetError::new(text),
    };
    if error.is_outcome_unknown() { each.outcome_unknown() } else { each }
}

/// The error of a record that was not sent, since an earlier part of its list failed.
fn not_sent(error: &TargetError) -> TargetError {
    let text = format!("it was not sent, since an earlier part of the list failed: {error}");
    match error.kind() {
        TargetErrorKind::Transient => TargetError::transient(text),
        TargetErrorKind::Fatal => TargetError::fatal(text),
        TargetErrorKind::Unknown | TargetErrorKind::Record => TargetError::new(text),
    }
}

/// Whether nothing can be sent at all, now or ever: a collection in which records are looked up could not be read.
fn concerns_all(error: &TargetError) -> bool {
    error.kind() != TargetErrorKind::Record
}
