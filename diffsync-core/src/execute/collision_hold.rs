//! Holding the deletes of records that a refused record collided with.

use std::collections::{HashMap, HashSet};

use super::execution::Execution;
use crate::data::dataset::Dataset;
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::plan::diff::Withheld;
use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::{Outcome, Task};
use crate::plan::{PlanView, RecordRef};

impl<D: Dataset> Execution<'_, D> {
    /// Holds the deletes of records that a refused record collided with: they may be the same thing under another identifier.
    pub(super) fn hold_what_collided(&mut self) {
        self.find_named();
        let conflicts = &self.ledger.conflicts;
        if conflicts.held.is_empty() && conflicts.unnamed.iter().all(Option::is_none) {
            return;
        }

        let tables = self.plan.diff().tables();
        let outcome = |task: Task| self.ledger.outcomes.get(task);
        let is_to_come = |task: Task| {
            let withheld = tables[task.model].withheld(task.operation, task.place);
            matches!(withheld, None | Some(Withheld::Cascaded)) && *outcome(task) == Outcome::NotAttempted
        };
        let (mut held, mut rows) = (Vec::new(), HashSet::new());
        for (model, table) in tables.iter().enumerate() {
            for task in Task::all(model, Operation::Delete, table) {
                let at = task.record(table).at;
                let collided = || conflicts.unnamed[model].map(|with| HoldReason::Conflict { with });
                let Some(reason) = conflicts.held.get(&at).cloned().or_else(collided) else { continue };

                // Deletes of models with `deletes_first` are done by now.
                if outcome(task).is_written() {
                    continue;
                }

                // Also of a record that is held already: the records under it have to be held too.
                rows.insert(at);
                held.extend(Some((task, reason)).filter(|_| is_to_come(task)));
            }
        }

        // The children of a held record are held with it.
        let under = self.plan.deletes_under(&rows).into_iter().filter(|(task, _)| is_to_come(*task));
        held.extend(under.map(|(task, held)| (task, HoldReason::Under { held })));

        for (task, reason) in held {
            self.ledger.hold(task, reason);
        }
    }

    /// Finds the records that the target named as having a value.
    fn find_named(&mut self) {
        let named = std::mem::take(&mut self.ledger.conflicts.named);
        let models: HashSet<usize> = named.iter().map(|(model, ..)| *model).collect();
        for model in models {
            let table = &self.plan.diff().tables()[model];
            let deletes = Task::all(model, Operation::Delete, table).map(|task| task.record(table));
            let deletes: HashMap<String, RecordRef> = deletes.map(|its| (self.plan.record(its), its)).collect();
            let mut others: Option<HashSet<String>> = None;
            for (_, id, with) in named.iter().filter(|(its, ..)| *its == model) {
                if let Some(holder) = deletes.get(id) {
                    self.ledger.keep(*holder, HoldReason::Conflict { with: *with });
                    continue;
                }

                // A record that stays needs no protection. An identifier that neither side has could belong to any record.
                let others = others.get_or_insert_with(|| {
                    let rows = |side| (0..self.plan.rows(side, model)).map(move |row| RecordRef::new(side, model, row));
                    let both = rows(Side::Source).chain(rows(Side::Target));
                    both.map(|record| self.plan.record(record)).collect()
                });
                if !others.contains(id) {
                    self.ledger.conflicts.unnamed[model].get_or_insert(*with);
                }
            }
        }
    }
}
