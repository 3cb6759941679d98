//! What the two make of the same sides, in one form, so that it can be compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diffsync_core::{Dataset, Status};
use serde_json::{Map, Value, json};

use super::memory::{Memory, Synced, document, run, summary};
use super::peer_diff::{Name, PeerDiff};
use super::records::{Records, Row};

/// What is compared.
#[derive(Clone)]
pub(super) struct Answer {
    diff: Value,
    summary: Value,
    /// What was written, in no order.
    operations: Value,
    /// The target's records after the sync.
    contents: Value,
    /// The diff after the sync.
    left: Value,
    /// How many records moved.
    pub(super) moves: usize,
}

impl Answer {
    pub(super) fn ours<D: Synced>(source: &D, target: &D) -> Result<Self, String> {
        let (source, target) = (Memory::new(source.copy()), Memory::new(target.copy()));
        let first = run(&source, &target);
        let done = first.counts.written() == first.plan().map_or(0, |plan| plan.diff().operations());
        if first.status != Status::Completed || !done {
            let failures: Vec<_> = first.failures().collect();
            return Err(format!("our run ended as {first:?}, {failures:?}"));
        }
        let operations = sorted(target.take_operations());
        let second = run(&source, &target);
        let written_again = target.take_operations();
        if second.status != Status::Completed || !written_again.is_empty() {
            return Err(format!("our second run ended as {second:?}, and wrote {written_again:?}"));
        }
        let [wanted, contents] = [&source, &target].map(|side| contents(&side.data()));
        if let Some(difference) = difference("source and target", &wanted, &contents) {
            return Err(format!("our run completed, and the sides differ: {difference}"));
        }
        Ok(Self {
            diff: document(&first),
            summary: summary(&first),
            operations,
            contents,
            left: document(&second),
            moves: 0,
        })
    }

    pub(super) fn peers<D: Records>(source: &D, target: &D, answer: &Value) -> Result<Self, String> {
        if answer.get("diff").is_none() {
            return Err(format!("the peer did not come to its end: {answer}"));
        }
        let rows = source.rows().into_iter().chain(target.rows());
        let rows: HashMap<Name, Row> = rows.map(|row| ((row.model().to_owned(), row.uid.clone()), row)).collect();
        let mut summary = answer["summary"].clone();
        let PeerDiff { diff, operations, moves } = PeerDiff::read(&answer["diff"], &mut summary, &rows)?;
        let syncs = answer["syncs"].as_array().ok_or("the peer says nothing of its syncs")?;
        let operations = match syncs.as_slice() {
            // It failed at some of them, or took a record away and put it back.
            _ if moves > 0 => operations,
            [] => Vec::new(),
            [only] if only["errors"] == json!([]) => only["operations"].as_array().cloned().unwrap_or_default(),
            _ => return Err(format!("the peer failed at something: {syncs:?}")),
        };
        let contents = indexed::<D>(&answer["contents"])?;
        Ok(Self { diff, summary, operations: sorted(operations), contents, left: answer["left"].clone(), moves })
    }

    /// Where the two first differ, if they do.
    pub(super) fn disagreement(&self, peers: &Self) -> Option<String> {
        difference("diff", &self.diff, &peers.diff)
            .or_else(|| difference("summary", &self.summary, &peers.summary))
            .or_else(|| difference("operations", &self.operations, &peers.operations))
            .or_else(|| difference("contents", &self.contents, &peers.contents))
            .or_else(|| difference("left", &self.left, &peers.left))
    }

    /// Whether there was nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.diff == json!({})
    }

    /// How many records are counted under one of the summary's names.
    pub(super) fn count(&self, of: &str) -> u64 {
        self.summary[of].as_u64().unwrap_or_default()
    }
}

/// The first place where two values differ.
fn difference(path: &str, ours: &Value, peers: &Value) -> Option<String> {
    let here = |what: String| Some(format!("{path}: {what}"));
    match (ours, peers) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<_> = left.keys().chain(right.keys()).collect();
            names.into_iter().find_map(|name| match (left.get(name), right.get(name)) {
                (Some(left), Some(right)) => difference(&format!("{path}[{name:?}]"), left, right),
                (Some(left), None) => here(format!("only ours has {name:?}: {left}")),
                (None, right) => here(format!("only the peer has {name:?}: {}", right.unwrap_or(&Value::Null))),
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .find_map(|(at, (left, right))| difference(&format!("{path}[{at}]"), left, right)),
        _ if ours == peers => None,
        _ => here(format!("ours is {ours}, the peer's {peers}")),
    }
}

fn sorted(mut values: Vec<Value>) -> Value {
    values.sort_by_cached_key(Value::to_string);
    Value::Array(values)
}

/// The records of a side by model and key.
pub(super) fn contents<D: Records>(data: &D) -> Value {
    let mut models = empty_models::<D>();
    for row in data.rows() {
        insert(&mut models, row.model(), &row.key().1, json!(row.fields()));
    }
    json!(models)
}

/// The same of the records that the peer lists.
fn indexed<D: Dataset>(listed: &Value) -> Result<Value, String> {
    let mut models = empty_models::<D>();
    if listed.as_object().map(Map::len) != Some(models.len()) {
        return Err("the peer does not list the models that it was given".to_owned());
    }
    for schema in D::SCHEMAS {
        for record in listed[schema.name].as_array().ok_or("the peer does not list a model")? {
            let ids: Vec<_> = schema.identifiers.iter().map(|field| &record[field.name]).collect();
            if insert(&mut models, schema.name, &json!(ids).to_string(), record.clone()).is_some() {
                return Err(format!("the peer has a {} twice: {ids:?}", schema.name));
            }
        }
    }
    Ok(json!(models))
}

fn empty_models<D: Dataset>() -> BTreeMap<String, Map<String, Value>> {
    D::SCHEMAS.iter().map(|schema| (schema.name.to_owned(), Map::new())).collect()
}

fn insert(models: &mut BTreeMap<String, Map<String, Value>>, model: &str, key: &str, record: Value) -> Option<Value> {
    models.entry(model.to_owned()).or_default().insert(key.to_owned(), record)
}

/// Whether the peer takes two records of these sides for one, because their joined identifiers are the same.
pub(super) fn confuses_the_peer<D: Records>(source: &D, target: &D) -> bool {
    let mut known = HashMap::new();
    let confused = |row: Row| {
        let key = row.key();
        known.insert((row.model(), row.uid), key.clone()).is_some_and(|other| other != key)
    };
    source.rows().into_iter().chain(target.rows()).any(confused)
}
