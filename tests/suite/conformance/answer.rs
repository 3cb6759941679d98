//! What the two make of the same sides, in one form, so that it can be compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use diffsync_core::{Dataset, Event, Observer, OutcomeCounts, RecordRef, RunOptions, RunReport, Status};
use serde_json::{Map, Value, json};

use super::asked::{Asked, Mark, union};
use super::fates::Fates;
use super::memory::{Memory, Synced, document, run_with, summary, unlimited};
use super::peer_diff::PeerDiff;
use super::records::{Key, Name, Records, Row};

/// What is compared.
#[derive(Clone)]
pub(super) struct Answer {
    diff: Value,
    summary: Value,
    /// The records that are the same on both sides.
    unchanged: Value,
    /// What was written, in no order.
    operations: Value,
    /// The deletes that came before that of the parent, where the peer is asked for that order.
    pub(super) child_first: Value,
    /// How many records ended as what.
    outcomes: Value,
    /// The target's records after the sync.
    contents: Value,
    /// The diff after the sync.
    left: Value,
    /// How many records moved.
    pub(super) moves: usize,
}

impl Answer {
    pub(super) fn ours<D: Synced>(source: &D, target: &D, asked: &Asked) -> Result<Self, String> {
        let rows = target.rows();
        let records = union(source, target).len();
        let (source, target) = (Memory::new(source.copy()), Memory::new(target.copy()));
        let (source, target) = match asked.only_for_the_peer {
            true => (source, target),
            false => (source.marked(&asked.source), target.marked(&asked.target)),
        };
        let target =
            asked.failing.iter().fold(target, |target, (operation, model, uid)| target.failing(*operation, model, uid));
        let ask = |mut options: RunOptions| {
            options.flags = asked.run.map(Mark::ours).unwrap_or_default();
            options.log_unchanged_records = true;
            unlimited::<D>(options)
        };
        let unchanged = Arc::new(Unchanged::default());
        let first = run_with(&source, &target, vec![unchanged.clone()], ask);
        let OutcomeCounts { created, updated, deleted, cascaded, failed, blocked, left_out, .. } = first.counts;
        let outcomes = [created, updated, deleted, cascaded, failed, blocked, first.counts.unchanged, left_out];
        let as_expected = if failed + blocked > 0 { Status::Partial } else { Status::Completed };
        if first.status != as_expected || outcomes.iter().sum::<usize>() != records {
            let failures: Vec<_> = first.failures().collect();
            return Err(format!("our run ended as {first:?}, {failures:?}"));
        }
        let operations = target.take_operations();
        let second = run_with(&source, &target, Vec::new(), ask);
        let written_again = target.take_operations();
        if second.status != as_expected || !written_again.is_empty() {
            return Err(format!("our second run ended as {second:?}, and wrote {written_again:?}"));
        }
        let [wanted, contents] = [&source, &target].map(|side| contents(&side.data()));
        let plain = outcomes[3..=5] == [0; 3] && left_out == 0;
        if let Some(difference) = difference("source and target", &wanted, &contents).filter(|_| plain) {
            return Err(format!("our run completed, and the sides differ: {difference}"));
        }
        let mut summary = summary(&first);
        summary["cascade"] = json!(first.summary().map(|summary| summary.total.cascade));
        Ok(Self {
            diff: document(&first),
            summary,
            unchanged: unchanged.names(&first),
            child_first: child_first(&operations, &rows, asked),
            operations: sorted(operations),
            outcomes: json!(outcomes),
            contents,
            left: document(&second),
            moves: 0,
        })
    }

    pub(super) fn peers<D: Records>(source: &D, target: &D, asked: &Asked, answer: &Value) -> Result<Self, String> {
        if answer.get("diff").is_none() {
            return Err(format!("the peer did not come to its end: {answer}"));
        }
        let listed = source.rows().into_iter().chain(target.rows());
        let rows: HashMap<Name, Row> = listed.map(|row| (row.name(), row)).collect();
        let diff = PeerDiff::read(&answer["diff"])?;
        let mut summary = answer["summary"].clone();
        diff.correct(&mut summary)?;
        let sync = match answer["syncs"].as_array().map(Vec::as_slice) {
            // It failed at some of them, or took a record away and put it back.
            Some(_) if !diff.moved.is_empty() => json!({ "operations": diff.operations(&rows), "failed": [] }),
            Some([]) => json!({ "operations": [], "failed": [] }),
            Some([only]) if only["errors"].as_array().map(Vec::len) == only["failed"].as_array().map(Vec::len) => {
                only.clone()
            }
            syncs => return Err(format!("the peer failed at something: {syncs:?}")),
        };
        let mut operations = sync["operations"].as_array().cloned().unwrap_or_default();
        let by_ids = by_ids(rows.values());
        let deleted: BTreeSet<Name> = deletes(&operations, &by_ids).into_iter().map(Row::name).collect();
        // A record that moved is nowhere left behind.
        let fates = match diff.moved.as_slice() {
            [] => Fates::of(&target.rows(), &asked.target, &diff, &deleted),
            _ => Fates::default(),
        };
        let is_blocked = |operation: &Value| {
            operation["operation"] == "delete"
                && by_ids.get(&ids(operation)).is_some_and(|row| fates.blocked.contains(&row.name()))
        };
        operations.retain(|operation| !is_blocked(operation));

        // The peer counts what is left out only down to where it stops to look.
        let compared = compared(&answer["elements"], &rows)?;
        let out: BTreeSet<&Name> = rows.keys().filter(|name| !compared.contains_key(*name)).collect();
        let keys: HashMap<Key, &Name> = rows.iter().map(|(name, row)| (row.key(), name)).collect();
        let parent = |name: &Name| keys.get(&rows[name].parent()?).copied();
        let seen = out.iter().filter(|name| parent(name).is_none_or(|parent| !out.contains(parent))).count();
        if summary["skip"] != json!(seen) {
            return Err(format!("the peer skipped {}, where {seen} would be all that it looks at", summary["skip"]));
        }
        summary["skip"] = json!(out.len());
        summary["cascade"] = json!(fates.cascaded.len());
        let deletes = summary["delete"].as_u64().ok_or("the peer's summary has no such count")?;
        summary["delete"] = json!(deletes - fates.cascaded.len() as u64);

        let same = |name: &&Name| diff.nodes.get(*name).is_none_or(|node| !node.is_change());
        let unchanged: BTreeSet<&Name> = compared.keys().filter(same).filter(|name| compared[*name]).collect();
        let unchanged = unchanged.into_iter().chain(diff.moved.iter().filter(same));
        let unchanged: BTreeSet<&Name> = unchanged.collect();

        let mut contents = indexed::<D>(&answer["contents"])?;
        let mut left = PeerDiff::read(&answer["left"])?;
        for row in target.rows() {
            let name = row.name();
            let is_blocked = fates.blocked.contains(&name);
            if (is_blocked || fates.unseen.contains(&name)) && diff.nodes.contains_key(&name) {
                left.add(&diff, &name);
            }
            if is_blocked || fates.unseen.contains(&name) {
                contents[row.model()][&row.key().1] = json!(row.fields());
            }
        }
        let failed = sync["failed"].as_array().into_iter().flatten();
        let failed = failed.filter(|failed| {
            let name = (text(&failed[1]), text(&failed[2]));
            failed[0] != "delete" || !fates.blocked.contains(&name)
        });
        let count = |of: &str| operations.iter().filter(|operation| operation["operation"] == of).count();
        let (created, updated, deleted, failed) = (count("create"), count("update"), count("delete"), failed.count());
        let cascaded = fates.cascaded.difference(&fates.blocked).count();
        let planned = diff.nodes.values().filter(|node| node.is_change()).count();
        let blocked = planned.checked_sub(created + updated + deleted + cascaded + failed);
        let blocked = blocked.ok_or("the peer did more than it says is to be done")?;
        let outcomes = json!([created, updated, deleted, cascaded, failed, blocked, unchanged.len(), out.len()]);
        let names = unchanged.into_iter().map(|name| json!([name.0, rows[name].text])).collect();
        Ok(Self {
            diff: diff.document(&rows)?,
            summary,
            unchanged: sorted(names),
            child_first: child_first(&operations, &target.rows(), asked),
            operations: sorted(operations),
            outcomes,
            contents,
            left: left.document(&rows)?,
            moves: diff.moved.len(),
        })
    }

    /// Where the two first differ, if they do.
    pub(super) fn disagreement(&self, peers: &Self) -> Option<String> {
        difference("diff", &self.diff, &peers.diff)
            .or_else(|| difference("summary", &self.summary, &peers.summary))
            .or_else(|| difference("unchanged", &self.unchanged, &peers.unchanged))
            .or_else(|| difference("operations", &self.operations, &peers.operations))
            .or_else(|| difference("children first", &self.child_first, &peers.child_first))
            .or_else(|| difference("outcomes", &self.outcomes, &peers.outcomes))
            .or_else(|| difference("contents", &self.contents, &peers.contents))
            .or_else(|| difference("left", &self.left, &peers.left))
    }

    /// Whether there was nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.diff == json!({})
    }

    /// How many records failed.
    pub(super) fn failed(&self) -> u64 {
        self.outcomes[4].as_u64().unwrap_or_default()
    }

    /// How many records were not attempted because of another.
    pub(super) fn blocked(&self) -> u64 {
        self.outcomes[5].as_u64().unwrap_or_default()
    }

    /// How many records are counted under one of the summary's names.
    pub(super) fn count(&self, of: &str) -> u64 {
        self.summary[of].as_u64().unwrap_or_default()
    }
}

/// Notes the records of which a run says that they are the same on both sides.
#[derive(Default)]
pub(super) struct Unchanged(Mutex<Vec<RecordRef>>);

impl Observer for Unchanged {
    fn observe(&self, event: &Event<'_>) {
        if let Event::RecordUnchanged(record) = event {
            self.0.lock().expect("no test goes on after one failed").push(*record);
        }
    }
}

impl Unchanged {
    /// Their models and identifiers.
    pub(super) fn names(&self, report: &RunReport) -> Value {
        let plan = report.plan().expect("the run came as far as its diff");
        let records = self.0.lock().expect("no test goes on after one failed");
        let name =
            |record: &RecordRef| json!([plan.diff().tables()[record.model()].schema().name, plan.record(*record)]);
        sorted(records.iter().map(name).collect())
    }
}

/// The records that the peer compared, each with whether it says that they are the same on both sides.
fn compared(elements: &Value, rows: &HashMap<Name, Row>) -> Result<BTreeMap<Name, bool>, String> {
    let elements = elements.as_array().ok_or("the peer does not say what it compared")?;
    let elements = elements.iter().map(|element| {
        let name = (text(&element[0]), text(&element[1]));
        let known = rows.contains_key(&name);
        known.then(|| (name, element[2].is_null())).ok_or_else(|| format!("the peer has {element}, which is nowhere"))
    });
    elements.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Records by what an operation calls them.
fn by_ids<'a>(rows: impl IntoIterator<Item = &'a Row>) -> HashMap<String, &'a Row> {
    rows.into_iter().map(|row| (json!([row.model(), row.ids()]).to_string(), row)).collect()
}

/// The deletes among some operations, in their order.
fn deletes<'a>(operations: &[Value], by_ids: &HashMap<String, &'a Row>) -> Vec<&'a Row> {
    let deletes = operations.iter().filter(|operation| operation["operation"] == "delete");
    deletes.filter_map(|operation| by_ids.get(&ids(operation)).copied()).collect()
}

fn ids(operation: &Value) -> String {
    json!([operation["model"], operation["ids"]]).to_string()
}

/// Each delete that came before that of the parent, with the parent, where that is to be so.
fn child_first(operations: &[Value], target: &[Row], asked: &Asked) -> Value {
    let rows: HashMap<Key, &Row> = target.iter().map(|row| (row.key(), row)).collect();
    let mut gone = BTreeSet::new();
    let mut pairs = Vec::new();
    for row in deletes(operations, &by_ids(target)) {
        gone.insert(row.key());
        let parent = row.parent().and_then(|parent| rows.get(&parent));
        let natural = parent.filter(|parent| asked.target.has(parent, Mark::NaturalDeletionOrder));
        if let Some(parent) = natural.filter(|parent| !gone.contains(&parent.key())) {
            pairs.push(json!([parent.text, row.text]));
        }
    }
    sorted(pairs)
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

pub(super) fn sorted(mut values: Vec<Value>) -> Value {
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
