//! Calls to a target for records of one model: one by one, or many with one call.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, WritePhase};
use super::dependents::Clearing;
use super::ledger::Interrupted;
use super::options::ExecuteOptions;
use super::retry::CallError;
use crate::adapter::{Target, WriteContext};
use crate::data::dataset::{Dataset, HasTable};
use crate::error::{TargetError, TargetErrorKind};
use crate::model::operation::Operation;
use crate::model::{Outgoing, SyncModel};
use crate::plan::Plan;
use crate::plan::outcome::Task;
use crate::plan::target_state::TargetState;
use crate::report::retry::report_retry;

/// The context of calls to a target for records of one model.
pub(super) struct Asking<'a, 'c, D: 'static, T> {
    pub(super) target: &'a T,
    pub(super) plan: &'a Plan<D>,
    pub(super) cx: &'a WriteContext<'c, D>,
    pub(super) current: &'a TargetState<'c, D>,
    pub(super) phase: WritePhase,
    pub(super) options: &'a ExecuteOptions,
    pub(super) interrupted: &'a Interrupted,
    pub(super) clearing: &'a Clearing,
}

impl<D, T> Asking<'_, '_, D, T>
where
    D: Dataset,
{
    pub(super) fn source<M: SyncModel>(&self, row: u32) -> &M
    where
        D: HasTable<M>,
    {
        &self.plan.source().table().rows()[row as usize]
    }

    pub(super) fn loaded<M: SyncModel>(&self, row: u32) -> &M
    where
        D: HasTable<M>,
    {
        &self.plan.target().table().rows()[row as usize]
    }

    /// Whether a task changes this attribute in this phase.
    pub(super) fn is_about<M: SyncModel>(&self, task: Task, attribute: usize) -> bool {
        let table = &self.plan.diff().tables()[task.model];
        let deferred = M::SCHEMA.attributes.get(attribute).is_some_and(|attribute| attribute.deferred);
        let in_phase = deferred == (self.phase != WritePhase::Whole);

        if self.phase == WritePhase::Clear {
            let links = self.clearing.get(&(task.model, task.place));
            let name = M::SCHEMA.attributes.get(attribute).map(|attribute| attribute.name);
            let named_by =
                |link: &&crate::model::schema::LinkSchema| name.is_some_and(|name| link.fields.contains(&name));
            return in_phase && links.is_some_and(|links| links.iter().any(named_by));
        }

        in_phase && (task.operation != Operation::Update || table.is_changed(task.place, attribute))
    }

    /// Whether a task changes any attribute in this phase.
    fn changes_anything<M: SyncModel>(&self, task: Task) -> bool {
        (0..M::SCHEMA.attributes.len()).any(|attribute| self.is_about::<M>(task, attribute))
    }

    /// Whether the call is an update. For deferred references it always is, since their record exists by then.
    fn is_update(&self, task: Task) -> bool {
        task.operation == Operation::Update || self.phase != WritePhase::Whole
    }

    /// Whether a call is needed now.
    fn asks<M: SyncModel>(&self, task: Task) -> bool
    where
        D: HasTable<M>,
    {
        if !self.is_update(task) {
            return true;
        }

        let record = task.record(&self.plan.diff().tables()[task.model]);

        // A record that could not be created has no references to set.
        let is_there = || self.current.get::<M>(self.source::<M>(record.row()).key()).is_some();
        self.changes_anything::<M>(task) && (self.phase != WritePhase::Deferred || is_there())
    }

    /// The record to update and its patch; `None` if only deferred references change.
    fn change<M: SyncModel>(&self, task: Task) -> Option<(&M, M::Patch)>
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let about = |attribute| self.is_about::<M>(task, attribute);
        if self.phase == WritePhase::Clear {
            let old = self.loaded::<M>(task.in_target(table)?.row());
            let cleared = old.for_target(true);

            // Against itself: `about` alone chooses what the patch holds.
            return Some((old, cleared.patch(&cleared, &about)));
        }

        let new = self.source::<M>(task.record(table).row());
        let old = match self.phase {
            // As it was loaded, unless one of its values was emptied since, to free it for another record.
            WritePhase::Whole => {
                let loaded = self.loaded::<M>(task.in_target(table)?.row());
                self.current.written::<M>(loaded.key()).unwrap_or(loaded)
            }
            // As it was stored when it was created or first updated.
            WritePhase::Deferred | WritePhase::Clear => self.current.get::<M>(new.key())?,
        };

        // An undo plan sets exactly its values. Against `old`, a `contains` attribute would keep what else the target
        // holds.
        self.changes_anything::<M>(task).then(|| (old, new.patch(if self.plan.is_exact() { new } else { old }, &about)))
    }

    /// The record that a task creates.
    fn new_record<M: SyncModel>(&self, task: Task) -> Outgoing<'_, M>
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        self.source::<M>(table.creates[task.place]).for_target(true)
    }

    fn old_record<M: SyncModel>(&self, task: Task) -> &M
    where
        D: HasTable<M>,
    {
        self.loaded(self.plan.diff().tables()[task.model].deletes[task.place])
    }

    /// Asks the target to do one task.
    pub(super) async fn one<M: SyncModel>(&self, task: Task) -> Answer<M>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let tasks = [task];
        let asked = self.interrupted.unless_answered(&tasks);
        let answer = self.answer(task).await;
        asked.answered();
        answer
    }

    async fn answer<M: SyncModel>(&self, task: Task) -> Answer<M>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let (target, cx) = (self.target, self.cx);
        if self.is_update(task) {
            let Some((old, patch)) = self.change::<M>(task) else { return Answer::NothingYet };
            let answer = self.options.attempt(|| target.update(old, &patch, cx)).await;
            return answer.map_or_else(Answer::from, |record| stored(old, record));
        }

        if task.operation == Operation::Create {
            let new = self.new_record::<M>(task);
            let new: &M = &new;
            let answer = self.options.attempt(|| target.create(new, cx)).await;
            return answer.map_or_else(Answer::from, |record| stored(new, record));
        }

        let old = self.old_record::<M>(task);
        let answer = self.options.attempt(|| target.delete(old, cx)).await;
        answer.map_or_else(Answer::from, |()| Answer::Deleted)
    }

    /// Does several tasks of one operation, and retries those that fail with a transient error.
    pub(super) async fn batch<M: SyncModel>(&self, tasks: &[Task]) -> Vec<(Task, Answer<M>)>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let (mut asked, nothing_yet): (Vec<Task>, Vec<Task>) = tasks.iter().partition(|task| self.asks::<M>(**task));
        let mut answers: Vec<_> = nothing_yet.into_iter().map(|task| (task, Answer::NothingYet)).collect();
        let mut pauses = None;
        let mut lost = Vec::new();
        let mut attempt = 0;

        loop {
            attempt += 1;
            let mut busy = Vec::new();
            let mut ended = false;
            for (task, answer) in self.in_halves(&asked).await {
                let answer = match answer {
                    Answer::Failed(error) => Answer::Failed(error.after_lost(lost.contains(&task))),
                    answer => answer,
                };
                match answer {
                    Answer::Failed(error) if error.kind() == TargetErrorKind::Transient => busy.push((task, error)),
                    answer => {
                        ended |= answer.ends_the_run();
                        answers.push((task, answer));
                    }
                }
            }

            let mut next_pause = || pauses.get_or_insert_with(|| self.options.retry.pauses()).next();

            // After a fatal error the busy records are not retried either.
            let pause = if busy.is_empty() || ended { None } else { next_pause() };
            let (mut again, mut longest) = (Vec::new(), Duration::ZERO);
            for (task, error) in busy {
                match pause.and_then(|pause| self.options.pause_of(&error, pause)) {
                    Some(pause) => {
                        longest = longest.max(pause);
                        again.push((task, error));
                    }
                    None => answers.push((task, Answer::Failed(error))),
                }
            }
            let Some((_, first)) = again.first() else { return answers };

            // All of them are retried with one call, unless the run ends before that.
            if !self.options.ends_within(longest) {
                report_retry(attempt, longest, first);
            }
            if !self.options.waits(longest).await {
                answers.extend(again.into_iter().map(|(task, error)| (task, Answer::Failed(error))));
                return answers;
            }
            lost = again.iter().filter(|(_, error)| error.is_outcome_unknown()).map(|(task, _)| *task).collect();
            asked = again.into_iter().map(|(task, _)| task).collect();
        }
    }

    /// Does several tasks of one operation. If the target refuses the whole batch, the halves are retried until the records
    /// that it refuses are found.
    async fn in_halves<M: SyncModel>(&self, tasks: &[Task]) -> Vec<(Task, Answer<M>)>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let mut answers = Vec::with_capacity(tasks.len());
        let mut open = vec![tasks];
        let mut ended = false;
        while let Some(tasks) = open.pop() {
            let Some(first) = tasks.first() else { continue };
            if ended {
                answers.extend(tasks.iter().map(|task| (*task, Answer::NotAsked)));
                continue;
            }

            let answered = match first.operation {
                _ if self.is_update(*first) => self.update_many(tasks).await,
                Operation::Create => self.create_many(tasks).await,
                Operation::Update | Operation::Delete => self.delete_many(tasks).await,
            };
            let unknown =
                |reason: Arc<str>| tasks.iter().map(move |task| (*task, Answer::Unknown(Arc::clone(&reason))));

            match answered {
                Ok(answered) => {
                    ended = answered.iter().any(|(_, answer)| answer.ends_the_run());
                    answers.extend(answered);
                }
                // Only an error about a record can be the fault of one of them. The others would meet each half as
                // well.
                Err(CallError::Failed(error)) if error.kind() == TargetErrorKind::Record && tasks.len() > 1 => {
                    let (first, second) = tasks.split_at(tasks.len() / 2);

                    // A stack, so the first half is next.
                    open.extend([second, first]);
                }
                Err(CallError::Failed(error)) => {
                    ended = error.kind() == TargetErrorKind::Fatal;
                    let text = error.to_string();
                    let lost = error.is_outcome_unknown();
                    let of_each = || {
                        let each = TargetError::new(&*text);
                        if lost { each.outcome_unknown() } else { each }
                    };
                    answers.extend(tasks.iter().skip(1).map(|task| (*task, Answer::Failed(of_each()))));
                    // Retries are used up by now. Only the first record keeps the original error, so that the end of the run or
                    // a conflict is reported once.
                    answers.push((*first, Answer::Failed(error.given_up())));
                }
                // The target panicked part-way: any of its records may have been written.
                Err(CallError::Panicked(text)) => answers.extend(unknown(text.into())),
                Err(CallError::Unknown(reason)) => answers.extend(unknown(reason)),
            }
        }
        answers
    }

    async fn create_many<M: SyncModel>(&self, tasks: &[Task]) -> Result<Vec<(Task, Answer<M>)>, CallError>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let records: Vec<Outgoing<'_, M>> = tasks.iter().map(|task| self.new_record(*task)).collect();
        let new: Vec<&M> = records.iter().map(|record| &**record).collect();
        let answers = self.options.attempt(|| self.target.create_many(&new, self.cx)).await?;
        Ok(paired(tasks, answers, |at, record| stored(new[at], record)))
    }

    async fn update_many<M: SyncModel>(&self, tasks: &[Task]) -> Result<Vec<(Task, Answer<M>)>, CallError>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let (mut asked, mut changes) = (Vec::with_capacity(tasks.len()), Vec::with_capacity(tasks.len()));
        for task in tasks {
            // Every task here has a change; those without one were left out before.
            if let Some(change) = self.change::<M>(*task) {
                asked.push(*task);
                changes.push(change);
            }
        }

        let answers = self.options.attempt(|| self.target.update_many(&changes, self.cx)).await?;
        Ok(paired(&asked, answers, |at, record| stored(changes[at].0, record)))
    }

    async fn delete_many<M: SyncModel>(&self, tasks: &[Task]) -> Result<Vec<(Task, Answer<M>)>, CallError>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let old: Vec<&M> = tasks.iter().map(|task| self.old_record(*task)).collect();
        let answers = self.options.attempt(|| self.target.delete_many(&old, self.cx)).await?;
        Ok(paired(tasks, answers, |_, ()| Answer::Deleted))
    }
}

/// Pairs tasks with answers. If their numbers differ, it is unknown which answer belongs to which task, so all outcomes are
/// unknown.
fn paired<M, R>(
    tasks: &[Task],
    answers: Vec<Result<R, TargetError>>,
    done: impl Fn(usize, R) -> Answer<M>,
) -> Vec<(Task, Answer<M>)> {
    if answers.len() != tasks.len() {
        let reason: Arc<str> =
            format!("the target gave {} answers for {} records of a batch", answers.len(), tasks.len()).into();
        return tasks.iter().map(|task| (*task, Answer::Unknown(Arc::clone(&reason)))).collect();
    }

    let each = tasks.iter().zip(answers).enumerate();
    each.map(|(at, (task, answer))| (*task, answer.map_or_else(Answer::of, |result| done(at, result)))).collect()
}

/// The record that the target returned, which may have another identifier than it was given.
fn stored<M: SyncModel>(asked: &M, record: M) -> Answer<M> {
    if record.is(asked.key()) { Answer::Stored(record) } else { Answer::Renamed(record) }
}
