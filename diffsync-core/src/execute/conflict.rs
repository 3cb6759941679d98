//! Conflicts over unique values: records that the target refused because another has one of their values, and the records
//! that must not be deleted because of that.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::data::dataset::At;
use crate::error::Conflict;
use crate::model::operation::Operation;
use crate::plan::RecordRef;
use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::Task;

/// A create or an update that the target refused, and that is retried after everything else is written: the record that has
/// the value may have given it up by then.
#[derive(Debug, Clone)]
pub(super) struct Postponed {
    /// The target's error.
    pub(super) error: Arc<str>,
    /// `None` for a record whose value was freed and that failed for another reason.
    pub(super) conflict: Option<Conflict>,
    /// The conflicts of earlier attempts.
    earlier: Vec<Conflict>,
}

impl Postponed {
    pub(super) fn new(error: Arc<str>, conflict: Option<Conflict>) -> Self {
        Self { error, conflict, earlier: Vec::new() }
    }
}

/// An attribute that was emptied so that another record can have its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Freed {
    /// The update or delete of the emptied record.
    pub(super) holder: Task,
    pub(super) attribute: usize,
    /// The create or update of the record that wants the value.
    pub(super) wanted_by: Task,
}

/// The conflicts of an execution so far.
pub(super) struct Conflicts {
    postponed: BTreeMap<Task, Postponed>,
    /// For each model, the source's rows that are postponed or need one that is, with the planned operation.
    waiting: Vec<HashMap<u32, Operation>>,
    /// The values that were emptied and not restored.
    pub(super) freed: Vec<Freed>,
    /// The values that were emptied at some time, or could not be.
    pub(super) tried: HashSet<(Task, usize)>,
    /// The records that collided with a known one, with its model and identifier.
    pub(super) named: Vec<(usize, String, RecordRef)>,
    /// For each model, a record that collided with an unknown one of that model.
    pub(super) unnamed: Vec<Option<RecordRef>>,
    /// The target's records that must not be deleted.
    pub(super) held: HashMap<At, HoldReason>,
}

impl Conflicts {
    pub(super) fn of(models: usize) -> Self {
        Self {
            postponed: BTreeMap::new(),
            waiting: vec![HashMap::new(); models],
            freed: Vec::new(),
            tried: HashSet::new(),
            named: Vec::new(),
            unnamed: vec![None; models],
            held: HashMap::new(),
        }
    }

    pub(super) fn postpone(&mut self, task: Task, mut postponed: Postponed) {
        if let Some(before) = self.postponed.remove(&task) {
            // Each attempt may name another record, and all of them may be in conflict.
            let is_new = |conflict: &Conflict| {
                postponed.conflict.as_ref() != Some(conflict) && !before.earlier.contains(conflict)
            };
            let last = before.conflict.clone().filter(is_new);
            postponed.earlier = before.earlier.into_iter().chain(last).collect();
        }
        self.postponed.insert(task, postponed);
    }

    /// Removes a task that is done or has failed for good, and returns the conflicts of all its attempts.
    pub(super) fn forget(&mut self, task: Task) -> Vec<Conflict> {
        let Some(Postponed { conflict, earlier, .. }) = self.postponed.remove(&task) else { return Vec::new() };
        earlier.into_iter().chain(conflict).collect()
    }

    pub(super) fn any_postponed(&self) -> bool {
        !self.postponed.is_empty()
    }

    pub(super) fn postponed(&self) -> Vec<(Task, Postponed)> {
        self.postponed.iter().map(|(task, postponed)| (*task, postponed.clone())).collect()
    }

    pub(super) fn is_postponed(&self, task: Task) -> bool {
        self.postponed.contains_key(&task)
    }

    /// Whether a value of this record was emptied and not set since.
    pub(super) fn has_freed(&self, task: Task) -> bool {
        self.freed.iter().any(|freed| freed.holder == task)
    }

    /// Begins another pass, in which the waiting records are attempted again.
    pub(super) fn begin_pass(&mut self) {
        self.waiting.iter_mut().for_each(HashMap::clear);
    }

    /// Lets a row of the source wait for a later pass.
    pub(super) fn wait(&mut self, record: RecordRef, operation: Operation) {
        self.waiting[record.model()].insert(record.row(), operation);
    }

    /// The planned operation of a row of the source, if it waits.
    pub(super) fn waits(&self, record: RecordRef) -> Option<Operation> {
        self.waiting[record.model()].get(&record.row()).copied()
    }

    pub(super) fn nothing_waits(&self) -> bool {
        self.waiting.iter().all(HashMap::is_empty)
    }

    /// Keeps a record of the target from being deleted.
    pub(super) fn hold(&mut self, record: RecordRef, reason: HoldReason) {
        self.held.entry(record.at).or_insert(reason);
    }

    /// The models whose deletes are all held, because a record collided with an unknown one of them.
    pub(super) fn unnamed_models(&self) -> impl Iterator<Item = usize> + use<> {
        let models = self.unnamed.iter().enumerate().filter(|(_, with)| with.is_some());
        models.map(|(model, _)| model).collect::<Vec<_>>().into_iter()
    }

    /// Notes a record that could not be written. The record that it collided with is not deleted; if that is unknown, no record
    /// of the model is.
    pub(super) fn collided(&mut self, record: RecordRef, holder: Option<(usize, String)>) {
        match holder {
            Some((model, id)) => self.named.push((model, id, record)),
            None => {
                self.unnamed[record.model()].get_or_insert(record);
            }
        }
    }
}
