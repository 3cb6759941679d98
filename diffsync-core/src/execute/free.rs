//! Freeing unique values: if records wait for each other's values, one of them is emptied first.

use std::collections::{HashMap, HashSet};

use super::conflict::{Freed, Postponed};
use super::execution::Execution;
use super::set_value::Value;
use super::write::WriteModel;
use crate::adapter::WrittenBy;
use crate::data::dataset::Dataset;
use crate::data::problem::{Problem, ProblemKind};
use crate::data::side::Side;
use crate::model::operation::Operation;
use crate::model::schema::FieldSchema;
use crate::plan::diff::TableDiff;
use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::{Outcome, Task};
use crate::plan::{PlanView, RecordRef};

/// Whether an attribute can be emptied and its values compared here, judged by its type.
fn can_be_freed(field: &FieldSchema) -> bool {
    // A secret has no value that could be compared here, a deferred reference is set later, and a `create_only`
    // attribute is never updated.
    field.type_name.contains("Option") && !field.type_name.contains("Secret") && !field.deferred && !field.create_only
}

/// The record that has the value a postponed record wants.
#[derive(Clone, Copy)]
struct Holder {
    task: Task,
    attribute: usize,
}

impl<D: Dataset> Execution<'_, D> {
    /// Frees values that records wait for: the value of one record of each circle, and of records that are to be deleted.
    /// Returns whether any was freed.
    pub(super) async fn free_values<T>(&mut self, target: &T, writers: &[Box<dyn WriteModel<D, T>>]) -> bool
    where
        D: WrittenBy<T>,
    {
        // Held records and their children stay as they are, so their values are not emptied.
        self.hold_what_collided();

        let mut any = false;
        for freed in self.values_to_free() {
            if self.ledger.stopped() {
                break;
            }
            let Freed { holder, attribute, .. } = freed;
            let emptied = writers[holder.model].set_value(target, self, holder, attribute, Value::None).await;
            if emptied.is_ok() {
                self.ledger.conflicts.freed.push(freed);
                any = true;
            }
        }
        any
    }

    /// The values to empty, found by following each postponed record to the one that has its value.
    fn values_to_free(&mut self) -> Vec<Freed> {
        let postponed = self.ledger.conflicts.postponed();
        let holders = self.holders(&postponed);
        let places: HashMap<Task, usize> = postponed.iter().enumerate().map(|(at, (task, _))| (*task, at)).collect();

        let mut walked_in: Vec<Option<usize>> = vec![None; postponed.len()];
        let mut freed: Vec<Freed> = Vec::new();
        for start in 0..postponed.len() {
            let mut at = start;
            loop {
                match walked_in[at] {
                    // The walk has come back to a record that it went through: a circle.
                    Some(walk) if walk == start => {
                        if let Some(Holder { task, attribute }) = holders[at] {
                            freed.push(Freed { holder: task, attribute, wanted_by: postponed[at].0 });
                        }
                        break;
                    }
                    Some(_) => break,
                    None => walked_in[at] = Some(start),
                }

                // Without one clear holder nothing is emptied, since a guess could empty the wrong record.
                let Some(Holder { task, attribute }) = holders[at] else { break };
                let Some(next) = places.get(&task) else {
                    // The holder is to be deleted.
                    freed.push(Freed { holder: task, attribute, wanted_by: postponed[at].0 });
                    break;
                };
                at = *next;
            }
        }

        // A value that was emptied before, or could not be, is not tried again.
        let tried = &mut self.ledger.conflicts.tried;
        freed.retain(|freed| tried.insert((freed.holder, freed.attribute)));
        freed
    }

    /// For each postponed record, the one that has its value and is to give it up, if there is exactly one.
    fn holders(&mut self, postponed: &[(Task, Postponed)]) -> Vec<Option<Holder>> {
        let plan = self.plan;
        let tables = plan.diff().tables();
        let mut wanted: Vec<Vec<(usize, String)>> = Vec::with_capacity(postponed.len());
        let mut values: HashMap<(usize, usize, String), Vec<Holder>> = HashMap::new();
        for (task, its) in postponed {
            let of = self.wanted(*task, its);
            for (attribute, value) in &of {
                values.entry((task.model, *attribute, value.clone())).or_default();
            }
            wanted.push(of);
        }

        // A holder gives its value up if it is a postponed update that changes the attribute, or is to be deleted.
        let attributes: HashSet<(usize, usize)> =
            values.keys().map(|(model, attribute, _)| (*model, *attribute)).collect();
        let mut enter = |task: Task, attribute: usize| {
            let Some(record) = task.in_target(&tables[task.model]) else { return };
            let Ok(value) = plan.attribute(record, attribute) else { return };
            if let Some(holders) = values.get_mut(&(task.model, attribute, value.to_string())) {
                holders.push(Holder { task, attribute });
            }
        };
        for (model, attribute) in attributes {
            let table = &tables[model];
            for (task, _) in postponed.iter().filter(|(task, _)| task.model == model) {
                if task.operation == Operation::Update && table.is_changed(task.place, attribute) {
                    enter(*task, attribute);
                }
            }

            // Emptying a value is an update.
            if !table.can(Operation::Update) {
                continue;
            }
            for task in self.open(Task::all(model, Operation::Delete, table)) {
                enter(task, attribute);
            }
        }

        let holder_of = |(task, its): &(Task, Postponed), wanted: &Vec<(usize, String)>| {
            let named = its.conflict.as_ref().map_or(&[][..], |conflict| &conflict.holders);
            let mut found = wanted.iter().flat_map(|(attribute, value)| {
                values.get(&(task.model, *attribute, value.clone())).into_iter().flatten()
            });
            let is_it = |holder: &&Holder| {
                let is_named = || named.iter().any(|(model, id)| self.is_named(holder.task, model, id));
                holder.task != *task && (named.is_empty() || is_named())
            };

            // Exactly one: with two candidates, the wrong one could be emptied.
            let first = found.by_ref().find(is_it)?;
            found.find(is_it).is_none().then_some(*first)
        };
        let holders: Vec<Option<Holder>> =
            postponed.iter().zip(&wanted).map(|(its, wanted)| holder_of(its, wanted)).collect();

        // A record that another one which stays depends on will not be deleted, so it keeps its value.
        let is_delete = |holder: &Holder| holder.task.operation == Operation::Delete;
        let any_delete = holders.iter().flatten().any(is_delete);
        let kept = if any_delete { self.ledger.kept_for_good() } else { HashSet::new() };
        let goes =
            |holder: &Holder| !is_delete(holder) || !kept.contains(&holder.task.record(&tables[holder.task.model]).at);
        holders.into_iter().map(|holder| holder.filter(goes)).collect()
    }

    fn is_named(&self, task: Task, model: &str, id: &str) -> bool {
        let table = &self.plan.diff().tables()[task.model];
        table.schema().name == model && task.in_target(table).is_some_and(|record| self.plan.record(record) == id)
    }

    /// The values that a postponed record may have been refused for: the value of the attribute that the target named, or of
    /// the only candidate.
    fn wanted(&self, task: Task, its: &Postponed) -> Vec<(usize, String)> {
        let Some(conflict) = &its.conflict else { return Vec::new() };
        let table = &self.plan.diff().tables()[task.model];
        let (record, in_target) = (task.record(table), task.in_target(table));
        let fields = table.schema().attributes.iter().enumerate();
        let written = fields.filter(|(at, _)| task.operation == Operation::Create || table.is_changed(task.place, *at));
        let values = written.filter(|(_, field)| can_be_freed(field)).filter_map(|(at, field)| {
            let value = match in_target {
                Some(old) => self.plan.planned(record, old, at),
                None => self.plan.attribute(record, at),
            };
            let value = value.ok().filter(|value| !value.is_null())?;
            Some((at, field.name, value.to_string()))
        });
        let mut values: Vec<_> = values.collect();

        match &conflict.field {
            Some(named) => values.retain(|(_, name, _)| name == named),
            None if task.operation == Operation::Update && values.len() > 1 => values.clear(),
            None => {}
        }
        values.into_iter().map(|(at, _, value)| (at, value)).collect()
    }

    /// Restores the values that were freed in vain, and records the outcomes of the records that are still postponed.
    pub(super) async fn settle_postponed<T>(&mut self, target: &T, writers: &[Box<dyn WriteModel<D, T>>])
    where
        D: WrittenBy<T>,
    {
        let mut lacking: HashMap<Task, String> = HashMap::new();
        let mut given = Vec::new();
        for freed in std::mem::take(&mut self.ledger.conflicts.freed) {
            let Freed { holder, attribute, wanted_by } = freed;

            // A record to be deleted gave its value in vain if the other one was not written after all; a record to be
            // updated, if it still waits for its own.
            let in_vain = match holder.operation {
                Operation::Delete => !self.ledger.outcomes.get(wanted_by).is_written(),
                _ => self.ledger.conflicts.is_postponed(holder),
            };
            if !in_vain {
                given.push(freed);
                continue;
            }

            if let Err(error) = writers[holder.model].set_value(target, self, holder, attribute, Value::Former).await {
                lacking.insert(holder, self.lacks(freed, &error));
            }
            if holder.operation == Operation::Delete {
                self.keep_for(holder, wanted_by, lacking.remove(&holder));
            }
        }
        self.ledger.conflicts.freed = given;

        let postponed = self.ledger.conflicts.postponed();
        let holders = self.holders(&postponed);
        for ((task, its), holder) in postponed.into_iter().zip(holders) {
            let error = format!("{}{}", its.error, self.why(task, &its, holder));
            let outcome = match lacking.remove(&task) {
                None => Outcome::failed(error),
                Some(lacks) => Outcome::Failed { error: format!("{error}; {lacks}").into(), may_be_written: true },
            };
            self.ledger.settle(task, outcome);
        }
    }

    /// The error text for a record whose value was freed and could not be restored.
    fn lacks(&self, freed: Freed, error: &str) -> String {
        let Freed { holder, attribute, wanted_by } = freed;
        let tables = self.plan.diff().tables();
        let name = tables[holder.model].schema().attributes[attribute].name;
        let value =
            holder.in_target(&tables[holder.model]).and_then(|record| self.plan.attribute(record, attribute).ok());
        let value = value.unwrap_or_default();

        format!(
            "its `{name}` was emptied to free the value for {}, and could not be restored to {value}: {error}",
            self.name(wanted_by.record(&tables[wanted_by.model])),
        )
    }

    /// Keeps a record from being deleted, because the one that wants its value could not be written.
    fn keep_for(&mut self, holder: Task, wanted_by: Task, lacks: Option<String>) {
        let tables = self.plan.diff().tables();
        let with = wanted_by.record(&tables[wanted_by.model]);
        self.ledger.keep(holder.record(&tables[holder.model]), HoldReason::Conflict { with });
        if let Some(lacks) = lacks {
            let error = format!("it was not deleted, and {lacks}").into();
            self.ledger.settle(holder, Outcome::Failed { error, may_be_written: true });
        }
    }

    /// Why a record that collided could not be written in the end, and what to do.
    fn why(&self, task: Task, its: &Postponed, holder: Option<Holder>) -> String {
        let Some(conflict) = &its.conflict else { return String::new() };
        let tables = self.plan.diff().tables();
        let schema = tables[task.model].schema();
        let Some(Holder { task: holder, attribute }) = holder else {
            let names: Vec<_> = conflict.holders.iter().map(|(model, id)| format!("{model} {id:?}")).collect();

            return match &*names {
                [] => String::new(),
                [name] => format!("; {name} has it"),
                names => format!("; {} have values of it", names.join(" and ")),
            };
        };
        let name = holder.in_target(&tables[holder.model]).map(|record| self.name(record)).unwrap_or_default();
        let attribute = schema.attributes[attribute].name;

        if holder.operation == Operation::Delete {
            return format!(
                "; the `{attribute}` is that of {name}, which is to be deleted: put `deletes_first` on the model, or free \
                 the value by hand"
            );
        }
        format!("; the `{attribute}` is that of {name}, which could not be given another: change one of them by hand")
    }

    fn name(&self, record: RecordRef) -> String {
        format!("{} {:?}", self.plan.diff().tables()[record.model()].schema().name, self.plan.record(record))
    }

    /// Reports the records that gave a value up and still exist. Those that the run did not get to fail instead.
    pub(super) fn report_freed(&mut self) {
        for freed in std::mem::take(&mut self.ledger.conflicts.freed) {
            let Freed { holder, attribute, wanted_by } = freed;
            let tables = self.plan.diff().tables();
            let table: &TableDiff = &tables[holder.model];
            let outcome = self.ledger.outcomes.get(holder);
            if *outcome == Outcome::NotAttempted {
                self.ledger.conflicts.freed.push(freed);
                continue;
            }
            if holder.operation != Operation::Delete || *outcome == Outcome::Deleted {
                continue;
            }

            let by = self.name(wanted_by.record(&tables[wanted_by.model]));
            let kind = ProblemKind::ValueFreed { attribute: table.schema().attributes[attribute].name, by };
            let record = self.plan.record(holder.record(table));
            self.ledger.report(Some(Problem { side: Side::Target, model: table.schema().name, record, kind }));
        }
    }
}
