//! Guards: a run that would exceed its limits is refused, or held back, before anything is written.

use crate::data::dataset::Dataset;
use crate::data::refusal::Breach;
use crate::data::side::Side;
use crate::model::limit::{Limit, LimitOverride, Limits};
use crate::model::operation::Operation;
use crate::plan::Plan;
use crate::plan::diff::{TableDiff, Withheld};

/// The limit on deletes of a model that sets none.
const DEFAULT_DELETES: Limit = Limit::Percent(30.0);

/// The limits of a run.
pub(crate) struct Guards<'a> {
    pub(crate) job: Limits,
    pub(crate) limit_overrides: &'a [LimitOverride],
}

impl Guards<'_> {
    /// Every limit that a plan would exceed, with the position of its model.
    pub(crate) fn breaches<D: Dataset>(&self, plan: &Plan<D>) -> Vec<(usize, Breach)> {
        let tables = plan.diff().tables().iter().enumerate();
        let each = tables.flat_map(|(model, table)| Operation::ALL.into_iter().map(move |op| (model, table, op)));
        each.filter_map(|(model, table, operation)| {
            // An undo plan does not load the source.
            let is_empty = !plan.is_exact() && plan.rows(Side::Source, model) == 0;
            let records = plan.rows(Side::Target, model) as usize;
            Some((model, self.breach(table, operation, is_empty, records)?))
        })
        .collect()
    }

    fn breach(&self, table: &TableDiff, operation: Operation, is_empty: bool, target: usize) -> Option<Breach> {
        let count = asked(table, operation);
        if count == 0 || (operation == Operation::Create && target == 0) {
            return None;
        }

        let model = table.schema().name;
        let breach = |limit| Some(Breach { model, operation, count, records: target, limit });
        let exceeds = |limit: Limit| limit.allowed(target).is_some_and(|allowed| count > allowed);

        // The last override counts, even where the source is empty.
        let mut overrides = self.limit_overrides.iter().rev();
        if let Some(given) = overrides.find(|given| given.model == model && given.operation == operation) {
            return breach(Some(given.limit)).filter(|_| exceeds(given.limit));
        }

        // An empty source is more likely broken than right.
        if operation == Operation::Delete && is_empty {
            return breach(None);
        }

        let of = |limits: Limits| match operation {
            Operation::Create => limits.creates,
            Operation::Update => limits.updates,
            Operation::Delete => limits.deletes,
        };
        let default = Some(DEFAULT_DELETES).filter(|_| operation == Operation::Delete);
        let limit = of(table.schema().limits).or(of(self.job)).or(default)?;
        breach(Some(limit)).filter(|_| exceeds(limit))
    }
}

/// The number of operations for the target, including cascaded deletes.
fn asked(table: &TableDiff, operation: Operation) -> usize {
    if table.withholds_nothing() {
        return table.len(operation);
    }
    let asked = |place: &usize| matches!(table.withheld(operation, *place), None | Some(Withheld::Cascaded));
    (0..table.len(operation)).filter(asked).count()
}
