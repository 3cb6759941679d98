//! Warnings about a run's filter: patterns without a match, and records that cannot be created because the filter leaves out
//! another record that they need.

use std::collections::HashSet;

use crate::data::dataset::Dataset;
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::plan::{Plan, PlanView, RecordRef};
use crate::plan_file::filter::Filter;
use crate::report::filtered::Filtered;

/// What the filter names and still leaves out. This takes a pass over the models that the filter names, if there is one.
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

    // Two patterns can match one record, and their texts tell which warnings are the same.
    let mut seen = HashSet::new();
    found.retain(|filtered| seen.insert(filtered.to_string()));
    found
}

/// The record of the source that this one needs, if the filter leaves that out and so keeps this one from being created.
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
    // The missing record may itself need another that is missing; the topmost is the one to include. `seen` ends a circle.
    let mut seen = HashSet::from([record]);
    let topmost = std::iter::successors(needed_by(record), |named| needed_by(*named).filter(|next| seen.insert(*next)));
    let missing = topmost.last();

    // If the filter includes the record, it is missing for another reason, which is reported elsewhere.
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
