//! Where a person finds a record.

use diffsync_core::schema::FieldSchema;
use diffsync_core::value::Url;

use crate::rest::{PartKind, RestSchema};

/// The page that lists the record, which is found by its identifier: the page of the record itself has its key in its
/// address, and that is not at hand.
pub(super) fn of(url: &Url, schema: &RestSchema, identifiers: &[FieldSchema], id: &str) -> Option<Url> {
    let mut page = url.join(&format!("{}/", schema.path)).ok()?;
    let names = filters(schema, identifiers);
    let values: Vec<&str> = if names.len() == 1 { vec![id] } else { id.split("__").collect() };

    // An identifier with quoted parts is not taken apart; the whole list then has to do.
    if values.len() == names.len() && !id.contains('"') {
        for (name, value) in names.iter().zip(values) {
            let value = crate::rest::split_names(value).pop().unwrap_or_default();
            page.query_pairs_mut().append_pair(name, &value);
        }
    }

    Some(page)
}

/// The parts of a record's body that identify it, by which its list can be filtered.
fn filters(schema: &RestSchema, identifiers: &[FieldSchema]) -> Vec<&'static str> {
    match schema.path {
        "ipam/ip-addresses" => return vec!["namespace", "address"],
        "ipam/prefixes" => return vec!["namespace", "prefix"],
        _ => {}
    }

    let plain = |name: &'static str| {
        let field = schema.fields.iter().find(|field| field.names == [name])?;
        match field.part.kind {
            PartKind::Tree { .. } => field.part.path.last().copied(),
            PartKind::Value | PartKind::Lookup { .. } => field.part.path.first().copied(),
        }
    };

    identifiers.iter().filter_map(|field| plain(field.name)).collect()
}
