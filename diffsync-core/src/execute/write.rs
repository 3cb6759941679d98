//! Writing a group of records of one model, several at a time or many with one call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::attempt::{Broken, Patience};
use super::dependents::Clearing;
use super::ledger::{CutShort, Ledger};
use super::{Execution, Stopped};
use crate::adapter::{Target, TargetVisitor, WriteContext, WrittenBy};
use crate::current::Current;
use crate::dataset::{Dataset, HasTable, Model};
use crate::error::{TargetError, TargetErrorKind};
use crate::model::{HandedOver, SyncModel};
use crate::ops::{Operation, Ops};
use crate::outcome::{Outcome, Task};
use crate::plan::Plan;
use crate::problem::{Problem, ProblemKind};
use crate::step::Side;

/// Writes records of one model, whichever it is.
pub(super) trait WriteModel<D, T>: Send + Sync {
    /// Writes a group of records none of which depends on another, and enters the results.
    fn write<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        group: Vec<Task>,
        part: Part,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// What the target is able to do with the model.
    fn abilities(&self, target: &T) -> Ops;
}

/// Which part of a record's task is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, but for deferred references.
    Whole,
    /// The deferred references of a record that is there now.
    Deferred,
    /// The deferred references of a record that is to be deleted are taken back.
    Clear,
}

/// The writers of a data set's models, in the order of its fields.
pub(super) fn writers<D: WrittenBy<T>, T>() -> Vec<Box<dyn WriteModel<D, T>>> {
    struct Writers<D, T>(Vec<Box<dyn WriteModel<D, T>>>);
    impl<D: Dataset, T> TargetVisitor<D, T> for Writers<D, T> {
        fn visit<M: SyncModel>(&mut self)
        where
            D: HasTable<M>,
            T: Target<M, Data = D>,
        {
            self.0.push(Box::new(Model::<M>::NEW));
        }
    }
    let mut writers = Writers(Vec::new());
    D::visit_targets(&mut writers);
    writers.0
}

/// What a target is able to do with each model, in the order of the data set's fields.
pub(crate) fn abilities<D: WrittenBy<T>, T>(target: &T) -> Vec<Ops> {
    writers::<D, T>().iter().map(|writer| writer.abilities(target)).collect()
}

impl<D, T, M> WriteModel<D, T> for Model<M>
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    fn write<'a>(
        &'a self,
        target: &'a T,
        execution: &'a mut Execution<'_, D>,
        group: Vec<Task>,
        part: Part,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(write_group(target, execution, group, part))
    }

    fn abilities(&self, target: &T) -> Ops {
        target.terms().can
    }
}

/// What a target did with a task.
enum Answer<M> {
    Stored(M),
    Deleted,
    Failed(TargetError),
    Unknown(Arc<str>),
    /// It wrote it under another identifier than it was given.
    Misnamed(String),
    /// The execution was stopped before it was asked.
    NotAsked,
    /// There is nothing to ask for but deferred references.
    NothingYet,
}

impl<M> Answer<M> {
    fn ends_the_run(&self) -> bool {
        matches!(self, Self::Failed(error) if error.kind() == TargetErrorKind::Fatal)
    }
}

impl<M> Answer<M> {
    /// What a target answered for one record of several.
    fn of(error: TargetError) -> Self {
        if error.kind() == TargetErrorKind::Unknown {
            return Self::Unknown(error.to_string().into());
        }
        Self::Failed(error)
    }
}

impl<M> From<Broken> for Answer<M> {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Failed(error) => Self::Failed(error),
            Broken::Panicked(text) => Self::Failed(TargetError::new(text)),
            Broken::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

async fn write_group<D, T, M>(target: &T, execution: &mut Execution<'_, D>, group: Vec<Task>, part: Part)
where
    D: Dataset + HasTable<M>,
    T: Target<M, Data = D>,
    M: SyncModel,
{
    let terms = target.terms();
    let patience = execution.options.patience();
    let wanted = execution.options.concurrency.map_or(terms.concurrency, usize::from);
    // What a system does not stand is not for a run to ask of it.
    let concurrency = wanted.min(terms.concurrency_limit.unwrap_or(usize::MAX)).max(1);
    let stop = AtomicBool::new(false);
    let Execution { plan, current, ledger, clearing, .. } = execution;
    let clearing: &Clearing = clearing;
    let plan: &Plan<D> = plan;
    let cut_short = ledger.cut_short();
    let mut some_left = false;
    {
        let current: &Current<'_, D> = current;
        let cx = WriteContext::new(current);
        let cut_short = &cut_short;
        let asking = Asking { target, plan, cx: &cx, current, part, patience: &patience, cut_short, clearing };
        let mut enter = |task: Task, answer: Answer<M>| {
            some_left |= matches!(answer, Answer::NotAsked);
            asking.enter(ledger, task, answer);
            if ledger.stopped() {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let is_over = || stop.load(Ordering::Relaxed) || patience.is_over();
        if terms.batch > 1 && part == Part::Whole {
            let batches = batches(group, terms.batch);
            let (asking, is_over) = (&asking, &is_over);
            let mut running = stream::iter(batches)
                .map(|batch| async move {
                    if is_over() {
                        return batch.into_iter().map(|task| (task, Answer::NotAsked)).collect();
                    }
                    let asked = asking.cut_short.unless_answered(&batch);
                    let answers = asking.batch(&batch).await;
                    asked.answered();
                    answers
                })
                .buffer_unordered(concurrency);
            while let Some(answers) = running.next().await {
                for (task, answer) in answers {
                    enter(task, answer);
                }
            }
        } else if concurrency == 1 {
            for task in group {
                let answer = if is_over() { Answer::NotAsked } else { asking.one(task).await };
                enter(task, answer);
            }
        } else {
            let (asking, is_over) = (&asking, &is_over);
            let mut running = stream::iter(group)
                .map(|task| async move {
                    let answer = if is_over() { Answer::NotAsked } else { asking.one(task).await };
                    (task, answer)
                })
                .buffer_unordered(concurrency);
            while let Some((task, answer)) = running.next().await {
                enter(task, answer);
            }
        }
    }
    // A run that had done everything when its time was over was not ended by that.
    if some_left && !ledger.stopped() && patience.is_over() {
        let cancelled = patience.cancellation.is_cancelled();
        ledger.stop(if cancelled { Stopped::Cancelled } else { Stopped::TimeLimit });
    }
    current.take_over();
}

/// Tasks in batches of one operation each, one batch at a time: a group may be of millions.
fn batches(group: Vec<Task>, size: usize) -> impl Iterator<Item = Vec<Task>> {
    let mut rest = group.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let mut batch = vec![first];
        while batch.len() < size
            && let Some(next) = rest.next_if(|next| next.operation == first.operation)
        {
            batch.push(next);
        }
        Some(batch)
    })
}

/// What is needed to ask a target about records of one model.
struct Asking<'a, 'c, D: 'static, T> {
    target: &'a T,
    plan: &'a Plan<D>,
    cx: &'a WriteContext<'c, D>,
    current: &'a Current<'c, D>,
    part: Part,
    patience: &'a Patience,
    cut_short: &'a CutShort,
    clearing: &'a Clearing,
}

impl<D, T> Asking<'_, '_, D, T>
where
    D: Dataset,
{
    /// Enters what the target did with a task.
    fn enter<M: SyncModel>(&self, ledger: &mut Ledger<'_, D>, task: Task, answer: Answer<M>)
    where
        D: HasTable<M>,
    {
        if let Answer::Stored(_) | Answer::Deleted | Answer::Unknown(_) | Answer::Misnamed(_) = answer {
            ledger.has_written();
        }
        let outcome = match answer {
            Answer::NotAsked => return,
            Answer::NothingYet => return ledger.leave_unfinished(task),
            Answer::Unknown(reason) => Outcome::Unknown { reason },
            Answer::Misnamed(error) => Outcome::Failed { error: error.into(), may_be_written: true },
            Answer::Failed(error) => {
                let mut text = error.to_string();
                if self.part != Part::Whole {
                    text = format!("its references could not be set: {text}");
                }
                if error.kind() == TargetErrorKind::Fatal {
                    ledger.stop(Stopped::Failure(text.clone()));
                }
                if error.is_perhaps_written() {
                    ledger.has_written();
                    Outcome::Unknown { reason: text.into() }
                } else {
                    Outcome::failed(text)
                }
            }
            Answer::Stored(record) if self.part == Part::Clear => {
                self.current.store(record);
                if let Some(cleared) = task.in_target(&self.plan.diff().tables()[task.model]) {
                    ledger.dependents().clear(cleared);
                }
                return;
            }
            Answer::Stored(record) => {
                let unfinished = self.part == Part::Whole && self.is_unfinished(task, &record);
                ledger.report(self.stored_otherwise(task, &record));
                self.current.store(record);
                if unfinished {
                    return ledger.leave_partly_done(task);
                }
                Outcome::done(task.operation)
            }
            Answer::Deleted => {
                self.current.delete(task.model, self.plan.diff().tables()[task.model].deletes[task.place]);
                Outcome::done(task.operation)
            }
        };
        ledger.settle(task, outcome);
    }

    fn source<M: SyncModel>(&self, row: u32) -> &M
    where
        D: HasTable<M>,
    {
        &self.plan.source().table().rows()[row as usize]
    }

    fn loaded<M: SyncModel>(&self, row: u32) -> &M
    where
        D: HasTable<M>,
    {
        &self.plan.target().table().rows()[row as usize]
    }

    /// Whether an attribute is among those that a task is about.
    fn is_about<M: SyncModel>(&self, task: Task, attribute: usize) -> bool {
        let table = &self.plan.diff().tables()[task.model];
        let deferred = M::SCHEMA.attributes.get(attribute).is_some_and(|attribute| attribute.deferred);
        let in_part = deferred == (self.part != Part::Whole);
        if self.part == Part::Clear {
            let links = self.clearing.get(&(task.model, task.place));
            let name = M::SCHEMA.attributes.get(attribute).map(|attribute| attribute.name);
            let named_by = |link: &&crate::schema::LinkSchema| name.is_some_and(|name| link.fields.contains(&name));
            return in_part && links.is_some_and(|links| links.iter().any(named_by));
        }
        in_part && (task.operation != Operation::Update || table.is_changed(task.place, attribute))
    }

    /// Whether a task is about any attribute.
    fn changes_anything<M: SyncModel>(&self, task: Task) -> bool {
        (0..M::SCHEMA.attributes.len()).any(|attribute| self.is_about::<M>(task, attribute))
    }

    /// Whether a record that was written lacks deferred references that the source has.
    fn is_unfinished<M: SyncModel>(&self, task: Task, stored: &M) -> bool
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let mut unfinished = false;
        let deferred = M::SCHEMA.attributes.iter().enumerate().filter(|(_, attribute)| attribute.deferred);
        if task.operation == Operation::Update && self.plan.is_exact() {
            return deferred.into_iter().any(|(position, _)| table.is_changed(task.place, position));
        }
        if task.operation != Operation::Delete && deferred.count() > 0 {
            self.source::<M>(task.record(table).row()).differences(stored, &mut |attribute| {
                let changes = task.operation == Operation::Create || table.is_changed(task.place, attribute);
                unfinished |= changes && M::SCHEMA.attributes[attribute].deferred;
            });
        }
        unfinished
    }

    /// A target that does not keep what it was given, and says so in what it returns: nothing failed, but the next run
    /// will find the same difference again.
    fn stored_otherwise<M: SyncModel>(&self, task: Task, stored: &M) -> Option<Problem>
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let new = self.source::<M>(task.record(table).row());
        let mut differs = Vec::new();
        new.differences(stored, &mut |position| differs.push(position));
        // The other part has its own turn.
        differs.retain(|position| M::SCHEMA.attributes[*position].deferred == (self.part == Part::Deferred));
        differs.retain(|position| !table.ignored.as_ref().is_some_and(|ignored| ignored[*position]));
        if differs.is_empty() {
            return None;
        }
        if let Some(old) = task.in_target(table).filter(|_| task.operation == Operation::Update) {
            // What is not compared differed before.
            let mut not_asked = Vec::new();
            new.differences(self.loaded(old.row()), &mut |position| {
                not_asked.extend(Some(position).filter(|position| !table.is_changed(task.place, *position)));
            });
            differs.retain(|position| !not_asked.contains(position));
        }
        let attributes: Vec<_> = differs.iter().map(|position| M::SCHEMA.attributes[*position].name).collect();
        (!attributes.is_empty()).then(|| Problem {
            side: Side::Target,
            model: M::NAME,
            record: stored.id().to_string(),
            kind: ProblemKind::StoredOtherwise { attributes },
        })
    }

    /// The change that a task asks for, and the record it is asked for of; nothing if only deferred references change.
    fn change<M: SyncModel>(&self, task: Task) -> Option<(&M, M::Patch)>
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        let about = |attribute| self.is_about::<M>(task, attribute);
        if self.part == Part::Clear {
            let old = self.loaded::<M>(task.in_target(table)?.row());
            let cleared = old.handed_over(true);
            return Some((old, cleared.patch(&cleared, &about)));
        }
        let new = self.source::<M>(task.record(table).row());
        let old = match self.part {
            Part::Whole => self.loaded::<M>(task.in_target(table)?.row()),
            // As it was stored when it was created or first updated.
            Part::Deferred | Part::Clear => self.current.get::<M>(new.key())?,
        };
        self.changes_anything::<M>(task).then(|| (old, new.patch(if self.plan.is_exact() { new } else { old }, &about)))
    }

    /// The record that a task creates.
    fn new_record<M: SyncModel>(&self, task: Task) -> HandedOver<'_, M>
    where
        D: HasTable<M>,
    {
        let table = &self.plan.diff().tables()[task.model];
        self.source::<M>(table.creates[task.place]).handed_over(true)
    }

    fn old_record<M: SyncModel>(&self, task: Task) -> &M
    where
        D: HasTable<M>,
    {
        self.loaded(self.plan.diff().tables()[task.model].deletes[task.place])
    }

    /// Asks the target to do one task.
    async fn one<M: SyncModel>(&self, task: Task) -> Answer<M>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let tasks = [task];
        let asked = self.cut_short.unless_answered(&tasks);
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
        if task.operation == Operation::Update || self.part != Part::Whole {
            let Some((old, patch)) = self.change::<M>(task) else { return Answer::NothingYet };
            let answer = self.patience.attempt(|| target.update(old, &patch, cx)).await;
            return answer.map_or_else(Answer::from, |record| stored(old, record));
        }
        if task.operation == Operation::Create {
            let new = self.new_record::<M>(task);
            let new: &M = &new;
            let answer = self.patience.attempt(|| target.create(new, cx)).await;
            return answer.map_or_else(Answer::from, |record| stored(new, record));
        }
        let old = self.old_record::<M>(task);
        let answer = self.patience.attempt(|| target.delete(old, cx)).await;
        answer.map_or_else(Answer::from, |()| Answer::Deleted)
    }

    /// Asks the target to do several tasks of one operation, and again for those that it was too busy for.
    async fn batch<M: SyncModel>(&self, tasks: &[Task]) -> Vec<(Task, Answer<M>)>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let asks = |task: &&Task| task.operation != Operation::Update || self.changes_anything::<M>(**task);
        let (mut asked, only_deferred): (Vec<Task>, Vec<Task>) = tasks.iter().partition(asks);
        let mut answers: Vec<_> = only_deferred.into_iter().map(|task| (task, Answer::NothingYet)).collect();
        let mut pauses = None;
        let mut lost = Vec::new();
        loop {
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
            let mut next_pause = || pauses.get_or_insert_with(|| self.patience.retry.pauses()).next();
            let pause = if busy.is_empty() || ended { None } else { next_pause() };
            let (mut again, mut longest) = (Vec::new(), Duration::ZERO);
            for (task, error) in busy {
                match pause.and_then(|pause| self.patience.pause_of(&error, pause)) {
                    Some(pause) => {
                        longest = longest.max(pause);
                        again.push((task, error));
                    }
                    None => answers.push((task, Answer::Failed(error))),
                }
            }
            if again.is_empty() {
                return answers;
            }
            if !self.patience.waits(longest).await {
                answers.extend(again.into_iter().map(|(task, error)| (task, Answer::Failed(error))));
                return answers;
            }
            lost = again.iter().filter(|(_, error)| error.is_perhaps_written()).map(|(task, _)| *task).collect();
            asked = again.into_iter().map(|(task, _)| task).collect();
        }
    }

    /// Asks the target to do several tasks of one operation. If it refuses them as a whole, they are asked for in halves,
    /// until those that it refuses are found.
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
                Operation::Create => self.create_many(tasks).await,
                Operation::Update => self.update_many(tasks).await,
                Operation::Delete => self.delete_many(tasks).await,
            };
            let unknown =
                |reason: Arc<str>| tasks.iter().map(move |task| (*task, Answer::Unknown(Arc::clone(&reason))));
            match answered {
                Ok(answered) => {
                    ended = answered.iter().any(|(_, answer)| answer.ends_the_run());
                    answers.extend(answered);
                }
                Err(Broken::Failed(error)) if error.kind() == TargetErrorKind::Record && tasks.len() > 1 => {
                    let (first, second) = tasks.split_at(tasks.len() / 2);
                    open.extend([second, first]);
                }
                Err(Broken::Failed(error)) => {
                    ended = error.kind() == TargetErrorKind::Fatal;
                    let text = error.to_string();
                    let lost = error.is_perhaps_written();
                    // It was tried again as often as it may be, and what ends the run ends it once.
                    let of_each = || {
                        let each = TargetError::new(&*text);
                        if lost { each.perhaps_written() } else { each }
                    };
                    answers.extend(tasks.iter().skip(1).map(|task| (*task, Answer::Failed(of_each()))));
                    answers.push((*first, Answer::Failed(if ended { error } else { of_each() })));
                }
                // How far it came nobody knows.
                Err(Broken::Panicked(text)) if tasks.len() > 1 => answers.extend(unknown(text.into())),
                Err(Broken::Panicked(text)) => answers.push((*first, Answer::Failed(TargetError::new(text)))),
                Err(Broken::Unknown(reason)) => answers.extend(unknown(reason)),
            }
        }
        answers
    }

    async fn create_many<M: SyncModel>(&self, tasks: &[Task]) -> Result<Vec<(Task, Answer<M>)>, Broken>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let records: Vec<HandedOver<'_, M>> = tasks.iter().map(|task| self.new_record(*task)).collect();
        let new: Vec<&M> = records.iter().map(|record| &**record).collect();
        let answers = self.patience.attempt(|| self.target.create_many(&new, self.cx)).await?;
        Ok(paired(tasks, answers, |at, record| stored(new[at], record)))
    }

    async fn update_many<M: SyncModel>(&self, tasks: &[Task]) -> Result<Vec<(Task, Answer<M>)>, Broken>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        // All of them change something.
        let changes: Vec<_> = tasks.iter().filter_map(|task| self.change::<M>(*task)).collect();
        let answers = self.patience.attempt(|| self.target.update_many(&changes, self.cx)).await?;
        Ok(paired(tasks, answers, |at, record| stored(changes[at].0, record)))
    }

    async fn delete_many<M: SyncModel>(&self, tasks: &[Task]) -> Result<Vec<(Task, Answer<M>)>, Broken>
    where
        D: HasTable<M>,
        T: Target<M, Data = D>,
    {
        let old: Vec<&M> = tasks.iter().map(|task| self.old_record(*task)).collect();
        let answers = self.patience.attempt(|| self.target.delete_many(&old, self.cx)).await?;
        Ok(paired(tasks, answers, |_, ()| Answer::Deleted))
    }
}

/// Each task with its answer. A target that gives fewer or more answers than it was asked for says nothing about any.
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

/// A target that stores a record under another identifier than the one it was given would be asked again in every run.
fn stored<M: SyncModel>(asked: &M, record: M) -> Answer<M> {
    if record.is(asked.key()) {
        return Answer::Stored(record);
    }
    Answer::Misnamed(format!(
        "the target returned it as {:?} instead of {:?}; `create` and `update` must return the record they were given",
        record.id().to_string(),
        asked.id().to_string(),
    ))
}
