//! What the peer makes of two sides, in the form in which it is compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diffsync_core::Dataset;
use serde_json::{Map, Value, json};

use super::answer::{Answer, by_ids, child_first, deletes, empty_models, ids, insert, sorted};
use super::asked::Asked;
use super::fates::Fates;
use super::peer_diff::PeerDiff;
use super::records::{Key, Name, Records, Row};

impl Answer {
    pub(super) fn peers<D: Records>(source: &D, target: &D, asked: &Asked, answer: &Value) -> Result<Self, String> {
        if answer.get("diff").is_none() {
            return Err(format!("the peer did not come to its end: {answer}"));
        }
        let target = target.rows();
        let rows: HashMap<Name, Row> = source.rows().into_iter().map(|row| (row.name(), row)).collect();
        let only_in_target = target.iter().filter(|row| !rows.contains_key(&row.name()));
        let rows: HashMap<Name, &Row> = rows.values().chain(only_in_target).map(|row| (row.name(), row)).collect();
        let diff = PeerDiff::read(&answer["diff"])?;
        let Sync { mut operations, failed } = Sync::first(answer, &diff, &rows)?;
        let by_ids = by_ids(rows.values().copied());
        let deleted: BTreeSet<Name> = deletes(&operations, &by_ids).into_iter().map(Row::name).collect();
        // A record that moved is nowhere left behind.
        let fates =
            if diff.moved.is_empty() { Fates::of(&target, &asked.target, &diff, &deleted) } else { Fates::default() };
        let is_blocked = |operation: &Value| {
            let row = by_ids.get(&ids(operation));
            operation["operation"] == "delete" && row.is_some_and(|row| fates.blocked.contains(&row.name()))
        };
        operations.retain(|operation| !is_blocked(operation));
        let failed = failed.iter().filter(|(operation, name)| operation != "delete" || !fates.blocked.contains(name));

        let compared = compared(&answer["elements"], &rows)?;
        let out: BTreeSet<&Name> = rows.keys().filter(|name| !compared.contains_key(*name)).collect();
        let is_same = |name: &&Name| diff.nodes.get(*name).is_none_or(|node| !node.is_change());
        let unchanged = compared.iter().filter(|(_, is_unchanged)| **is_unchanged).map(|(name, _)| name);
        let unchanged: BTreeSet<&Name> = unchanged.chain(&diff.moved).filter(is_same).collect();

        let mut contents = indexed::<D>(&answer["contents"])?;
        let mut left = PeerDiff::read(&answer["left"])?;
        for row in &target {
            let name = row.name();
            if fates.blocked.contains(&name) || fates.unseen.contains(&name) {
                contents[row.model()][&row.key().1] = json!(row.fields());
                if diff.nodes.contains_key(&name) {
                    left.add(&diff, &name);
                }
            }
        }

        let count = |of: &str| operations.iter().filter(|operation| operation["operation"] == of).count();
        let (created, updated, deleted, failed) = (count("create"), count("update"), count("delete"), failed.count());
        let cascaded = fates.cascaded.difference(&fates.blocked).count();
        let planned = diff.nodes.values().filter(|node| node.is_change()).count();
        let blocked = planned.checked_sub(created + updated + deleted + cascaded + failed);
        let blocked = blocked.ok_or("the peer did more than it says is to be done")?;
        let names = unchanged.iter().map(|name| json!([name.0, rows[*name].text])).collect();
        Ok(Self {
            diff: diff.document(&rows)?,
            summary: summary(&answer["summary"], &diff, &out, &rows, fates.cascaded.len())?,
            outcomes: json!([created, updated, deleted, cascaded, failed, blocked, unchanged.len(), out.len()]),
            unchanged: sorted(names),
            child_first: child_first(&operations, &target, asked),
            operations: sorted(operations),
            contents,
            left: left.document(&rows)?,
            moves: diff.moved.len(),
        })
    }
}

/// What a sync of the peer did.
struct Sync {
    operations: Vec<Value>,
    /// The operations that failed, each with its record.
    failed: Vec<(String, Name)>,
}

impl Sync {
    fn first(answer: &Value, diff: &PeerDiff, rows: &HashMap<Name, &Row>) -> Result<Self, String> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match answer["syncs"].as_array().map(Vec::as_slice) {
            // It failed at some of them, or took a record away and put it back.
            Some(_) if !diff.moved.is_empty() => Ok(Self { operations: diff.operations(rows), failed: Vec::new() }),
            Some([]) => Ok(Self { operations: Vec::new(), failed: Vec::new() }),
            // Whatever it failed at, it was asked to.
            Some([only]) if list(&only["errors"]).len() == list(&only["failed"]).len() => {
                let failed = list(&only["failed"]);
                let failed = failed.iter().map(|name| (text(&name[0]), (text(&name[1]), text(&name[2]))));
                Ok(Self { operations: list(&only["operations"]), failed: failed.collect() })
            }
            syncs => Err(format!("the peer failed at something: {syncs:?}")),
        }
    }
}

/// The peer's summary, counted as we do: it counts what is left out only down to where it stops to look, and what goes
/// with its parent as deleted.
fn summary(
    peers: &Value,
    diff: &PeerDiff,
    out: &BTreeSet<&Name>,
    rows: &HashMap<Name, &Row>,
    cascaded: usize,
) -> Result<Value, String> {
    let mut summary = peers.clone();
    diff.correct(&mut summary)?;
    let names: HashMap<Key, &Name> = rows.iter().map(|(name, row)| (row.key(), name)).collect();
    let is_under_another = |name: &Name| {
        let parent = rows[name].parent().and_then(|parent| names.get(&parent).copied());
        parent.is_some_and(|parent| out.contains(parent))
    };
    let seen = out.iter().filter(|name| !is_under_another(name)).count();
    if summary["skip"] != json!(seen) {
        return Err(format!("the peer skipped {}, where {seen} would be all that it looks at", summary["skip"]));
    }
    summary["skip"] = json!(out.len());
    summary["cascade"] = json!(cascaded);
    let deletes = summary["delete"].as_u64().ok_or("the peer's summary has no such count")?;
    summary["delete"] = json!(deletes - cascaded as u64);
    Ok(summary)
}

/// The records that the peer compared, each with whether it says that they are the same on both sides.
fn compared(elements: &Value, rows: &HashMap<Name, &Row>) -> Result<BTreeMap<Name, bool>, String> {
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
