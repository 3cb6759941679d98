//! What the two make of the same sides, in one form, so that it can be compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use diffsync_core::Dataset;
use diffsync_core::plan::{OutcomeCounts, RecordRef};
use diffsync_core::report::{Event, Observer, RunReport, Status};
use diffsync_core::run::RunOptions;
use serde_json::{Map, Value, json};

use super::asked::{Asked, Mark, union};
use super::memory::{CompleteContext, Memory, document, run_with, summary, unlimited};
use super::records::{Key, Records, Row};

/// What is compared.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) diff: Value,
    pub(super) summary: Value,
    /// The records that are the same on both sides.
    pub(super) unchanged: Value,
    /// What was written, in no order.
    pub(super) operations: Value,
    /// The deletes that came before that of the parent, where the peer is asked for that order.
    pub(super) child_first: Value,
    /// How many records ended as what.
    pub(super) outcomes: Value,
    /// The target's records after the sync.
    pub(super) contents: Value,
    /// The diff after the sync.
    pub(super) left: Value,
    /// How many records moved.
    pub(super) moves: usize,
}

impl Answer {
    pub(super) fn ours<D: CompleteContext>(source: &D, target: &D, asked: &Asked) -> Result<Self, String> {
        let rows = target.rows();
        let records = union(source, target).len();
        let (source, target) = (Memory::new(source.copy()), Memory::new(target.copy()));
        let (source, target) = if asked.only_for_the_peer {
            (source, target)
        } else {
            (source.marked(&asked.source), target.marked(&asked.target))
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

/// Records by what an operation calls them.
pub(super) fn by_ids<'a>(rows: impl IntoIterator<Item = &'a Row>) -> HashMap<String, &'a Row> {
    rows.into_iter().map(|row| (json!([row.model(), row.ids()]).to_string(), row)).collect()
}

/// The deletes among some operations, in their order.
pub(super) fn deletes<'a>(operations: &[Value], by_ids: &HashMap<String, &'a Row>) -> Vec<&'a Row> {
    let deletes = operations.iter().filter(|operation| operation["operation"] == "delete");
    deletes.filter_map(|operation| by_ids.get(&ids(operation)).copied()).collect()
}

pub(super) fn ids(operation: &Value) -> String {
    json!([operation["model"], operation["ids"]]).to_string()
}

/// Each delete that came before that of the parent, with the parent, where that is to be so.
pub(super) fn child_first(operations: &[Value], target: &[Row], asked: &Asked) -> Value {
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
        // First, since most are: to name a place takes longer than to compare it.
        _ if ours == peers => None,
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

pub(super) fn empty_models<D: Dataset>() -> BTreeMap<String, Map<String, Value>> {
    D::SCHEMAS.iter().map(|schema| (schema.name.to_owned(), Map::new())).collect()
}

pub(super) fn insert(
    models: &mut BTreeMap<String, Map<String, Value>>,
    model: &str,
    key: &str,
    record: Value,
) -> Option<Value> {
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
