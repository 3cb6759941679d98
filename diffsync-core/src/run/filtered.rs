//! What a run's filter leaves out although it names it: a pattern without a match, and records that cannot be created
//! since the filter leaves out what they need.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::filter::{Filter, RecordFilter};
use crate::ops::Operation;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::step::Side;

/// Something that a run's filter leaves out although it names it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "filtered", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Filtered {
    /// No record of either side matches.
    NoMatch {
        /// The part of the filter.
        only: RecordFilter,
    },
    /// A record that it names is not created, since another that it needs is not created either.
    Needs {
        /// The record's model.
        model: &'static str,
        /// Its identifier.
        record: String,
        /// The model of the record that it needs.
        needed_model: &'static str,
        /// The identifier of that record.
        needed: String,
    },
}

impl fmt::Display for Filtered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatch { only } => write!(f, "no {} on either side matches {:?}", only.model(), only.to_string()),
            Self::Needs { model, record, needed_model, needed } => write!(
                f,
                "{model} {record:?} is not created, since it needs {needed_model} {needed:?}, which the filter leaves \
                 out; include that with {:?}",
                format!("{needed_model}={needed}"),
            ),
        }
    }
}

/// What the filter leaves out although it names it. Costs nothing without one, else a pass over the models that it names.
pub(super) fn filtered<D: Dataset>(plan: &Plan<D>, filter: &Filter) -> Vec<Filtered> {
    let mut found = Vec::new();
    for only in &filter.records {
        let Some(model) = D::SCHEMAS.iter().position(|schema| schema.name == only.model()) else { continue };
        let rows = |side| (0..plan.rows(side, model)).map(move |row| RecordRef::new(side, model, row));
        let matches = |record: &RecordRef| only.matches(&plan.record(*record));

        let mut any = rows(Side::Target).any(|record| matches(&record));
        for record in rows(Side::Source).filter(matches) {
            any = true;
            found.extend(needed(plan, filter, record));
        }
        if !any {
            found.push(Filtered::NoMatch { only: only.clone() });
        }
    }

    let mut seen = HashSet::new();
    found.retain(|filtered| seen.insert(filtered.to_string()));
    found
}

/// The record of the source that this one needs, if it is left out because the filter leaves that one out.
fn needed<D: Dataset>(plan: &Plan<D>, filter: &Filter, record: RecordRef) -> Option<Filtered> {
    let tables = plan.diff().tables();
    // The source's rows are compared, and their creates listed, in order.
    let is_created = |record: RecordRef| tables[record.model()].creates.binary_search(&record.row()).is_ok();
    let is_absent = |record: RecordRef| plan.counterpart(record).is_none() && !is_created(record);
    if !is_absent(record) {
        return None;
    }

    let needed_by = |record: RecordRef| {
        let mut missing = None;
        plan.links(record, |link, named| {
            if link.orders() && is_absent(named) {
                missing.get_or_insert(named);
            }
        });
        missing
    };
    // What it needs may need another that is left out; the topmost is the one to include. A circle ends nowhere.
    let mut seen = HashSet::from([record]);
    let topmost = std::iter::successors(needed_by(record), |named| needed_by(*named).filter(|next| seen.insert(*next)));
    let missing = topmost.last();

    // One that the filter would let through is missing for another reason, which is reported elsewhere.
    let is_filtered = |named: &RecordRef| {
        let model = tables[named.model()].schema().name;
        let of_records = Filter { records: filter.records.clone(), operations: Vec::new() };
        filter.admits_operation(Operation::Create) && !of_records.admits(model, &plan.record(*named), Operation::Create)
    };
    missing.filter(is_filtered).map(|named| Filtered::Needs {
        model: tables[record.model()].schema().name,
        record: plan.record(record),
        needed_model: tables[named.model()].schema().name,
        needed: plan.record(named),
    })
}
