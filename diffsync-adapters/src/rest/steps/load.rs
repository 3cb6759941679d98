//! The records of the rows that were read.

use diffsync_core::ModelExt;
use std::collections::BTreeMap;

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::{HasTable, Side};
use diffsync_core::model::Flags;
use serde_json::Value;

use crate::rest::cache::{LookupError, RowCache};
use crate::rest::context::RestContext;
use crate::rest::http::body::unpacked;
use crate::rest::model::RestModel;
use crate::rest::model::json_path::plain;
use crate::rest::model::record_path::segment;
use crate::rest::record::{RowError, is_owned, read};

/// Makes records of the rows of a model's collection.
pub(crate) fn fill<D: HasTable<M>, M: RestModel>(
    rest: &RestContext,
    data: &mut D,
    side: Side,
) -> Result<(), AdapterError> {
    let cache = rest.cache();
    let collection = M::REST.collection();
    let owner = rest.owner_of(M::REST).filter(|_| side == Side::Target);
    let table = data.table_mut();
    table.mark_loaded();

    // A mere link goes with what it lives under.
    let is_link = M::SCHEMA.attributes.is_empty() && M::SCHEMA.parent().is_some();
    if side == Side::Target && owner.is_none() && rest.owner.is_some() && !is_link {
        table.set_flags(Flags::SKIP_UNMATCHED_DST);
    }

    let bad = |cache: &RowCache, row: &Value, reason: &str| bad_row::<M>(rest, cache, row, reason);
    let mut nameless = 0_usize;
    let mut twins: BTreeMap<String, (M::Id, Vec<String>)> = BTreeMap::new();
    for row in cache.rows(&collection) {
        let row = &*unpacked(row);
        let record: M = match read(&cache, &collection, row, None) {
            Ok(record) => record,
            Err(RowError::Record(id, reason)) => {
                table.reject(id, reason);
                continue;
            }
            Err(RowError::Unidentified(_)) if rest.leaves_out_nameless || M::REST.skip_unnamed => {
                nameless += 1;
                continue;
            }
            Err(RowError::Row(reason)) => return Err(bad(&cache, row, &reason)),
            Err(RowError::Unidentified(reason)) => {
                let text = format!(
                    "{reason}; give it one, or leave such records out: `#[rest(skip_unnamed)]` above the struct"
                );
                return Err(bad(&cache, row, &text));
            }
            Err(RowError::Unread(other)) => return Err(bad(&cache, row, &format!("`{other}` was not read"))),
        };

        if side == Side::Target && (rest.dialect.is_protected)(M::REST.path, row) {
            table.flag(record.id(), Flags::SKIP_UNMATCHED_DST);
        }
        if let Some(owner) = &owner {
            match is_owned(&cache, owner, row) {
                Ok(true) => {}
                Ok(false) => table.flag(record.id(), Flags::SKIP_UNMATCHED_DST),
                Err(LookupError::Wrong(reason) | LookupError::Unread(reason)) => {
                    return Err(bad(&cache, row, &format!("its owner cannot be read: {reason}")));
                }
            }
        }

        if let Some(first) = table.get(&record.id()) {
            let first = first.remote_key().map(|key| plain(&key)).unwrap_or_default();
            let (_, keys) = twins.entry(record.id().to_string()).or_insert_with(|| (record.id(), vec![first]));
            keys.push(row.get(cache.key_of(&collection)).map(plain).unwrap_or_default());
            continue;
        }
        table.insert(record);
    }

    for (id, keys) in twins.into_values() {
        let shown = |key: &String| rest.client.shown_url(&format!("{}/{key}", M::REST.path));
        let places: Vec<String> = keys.iter().map(shown).collect();
        let (times, places) = (keys.len(), places.join(", "));
        table.reject(id, format!("it occurs {times} times: {places}; delete all but one of them"));
    }

    if nameless > 0 {
        tracing::warn!(collection, records = nameless, "records without a name are left out");
    }

    Ok(())
}

/// The error of a row that gives no record, with where to find it.
fn bad_row<M: RestModel>(rest: &RestContext, cache: &RowCache, row: &Value, reason: &str) -> AdapterError {
    let collection = M::REST.collection();
    let key = row.get(cache.key_of(&collection)).cloned().unwrap_or_default();
    let at = segment(&key).map(|segment| rest.client.shown_url(&format!("{}/{segment}", M::REST.path)));
    let at = at.map(|url| format!(" at {url}")).unwrap_or_default();
    let (name, key) = (M::NAME, plain(&key));
    AdapterError::new(format!("`{collection}`: the {name} with the key {key:?}{at} cannot be used: {reason}"))
}
