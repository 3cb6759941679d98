//! A run of a job in another program, as its event stream tells it.
//!
//! The stream is not trusted: an event that cannot come at its place ends the run, and so does a record that was written before the
//! host allowed it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diffsync_core::model::Operation;
use diffsync_core::plan::{Breach, Counts, DiffSummary, ModelSummary, OutcomeCounts, OutcomeKind};
use diffsync_core::report::{Event, FailedRecord, Observer, Status, Step, StepReport};
use diffsync_history::{LogLevel, LogLine, NewChange, NewEntry, PlannedCounts, Recorder, SyncEnd};
use jiff::Timestamp;
use serde_json::Value;

use crate::events::{StreamBreach, StreamEvent};
use crate::program::events::Events;
use crate::program::job::ProgramJob;
use crate::program::report::{Problem, ProgramReport, Row};
use crate::program::secrets::Secrets;
use crate::terminal;

/// The deepest nesting of a record, as in the core.
const DEEPEST: u32 = 50;

/// How many bytes of events are held for the report.
const MOST_HELD: usize = 1 << 30;

/// What the program waits for.
#[derive(Debug, PartialEq)]
pub(super) enum Ask {
    /// Nothing.
    Nothing,
    /// To load the target.
    Load(Option<String>),
    /// To write, or only the diff is known, if this is a dry run.
    Diff(Option<String>),
}

/// How far the run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was said yet.
    Silent,
    Begun,
    /// The diff is known.
    Planned,
    /// It was allowed to write.
    Writing,
    Finished,
}

/// A run, as far as it has been told.
pub(super) struct Session<'a> {
    job: &'a ProgramJob,
    secrets: Secrets,
    recorder: Option<Arc<Recorder>>,
    /// What shows how far it has come.
    progress: Option<Arc<dyn Observer>>,
    /// Where its events are printed, if they are.
    events: Option<Events>,
    stage: Stage,
    /// Whether the target may have been changed.
    may_have_written: bool,
    /// Whether it reported a record as done before it was allowed to write.
    wrote_too_early: bool,
    /// Whether each row of the diff has its outcome.
    done: Vec<bool>,
    /// The steps that have begun and not ended.
    open: Vec<Step>,
    begun: Instant,
    /// How many bytes of events are held for the report.
    held: usize,
    /// The outcomes that were told so far.
    told: OutcomeCounts,
    /// What the program said at the end.
    end: Option<End>,
    report: ProgramReport,
}

/// What a program says of its run at the end.
struct End {
    status: Status,
    error: Option<String>,
    counts: OutcomeCounts,
}

/// How a run ended that its program did not end by itself, or not as it should.
pub(super) enum Verdict {
    /// As the program said.
    AsTold,
    /// The host did not let it write.
    Refused(String),
    /// It failed, whatever the program said.
    Failed(String),
}

impl<'a> Session<'a> {
    pub(super) fn new(
        job: &'a ProgramJob,
        secrets: Secrets,
        report: ProgramReport,
        recorder: Option<Arc<Recorder>>,
        progress: Option<Arc<dyn Observer>>,
        events: Option<Events>,
    ) -> Self {
        Self {
            job,
            secrets,
            recorder,
            progress,
            events,
            stage: Stage::Silent,
            may_have_written: false,
            wrote_too_early: false,
            done: Vec::new(),
            open: Vec::new(),
            begun: Instant::now(),
            held: 0,
            told: OutcomeCounts::default(),
            end: None,
            report,
        }
    }

    /// Whether the program has told the end of its run.
    pub(super) fn is_finished(&self) -> bool {
        self.stage == Stage::Finished
    }

    /// Whether the program may write.
    pub(super) fn may_write(&self) -> bool {
        self.stage == Stage::Writing
    }

    /// The program is allowed to write.
    pub(super) fn allow(&mut self) {
        self.stage = Stage::Writing;
        self.may_have_written = true;
    }

    /// Whether the program reported a record as done before it was allowed to write.
    pub(super) fn wrote_too_early(&self) -> bool {
        self.wrote_too_early
    }

    /// Whether the program has told that it did all there was to do.
    pub(super) fn did_everything(&self) -> bool {
        let OutcomeCounts { not_attempted, unknown, .. } = self.counts();
        let ended_well = |end: &End| matches!(end.status, Status::Completed | Status::Partial);
        self.end.as_ref().is_some_and(ended_well) && (self.report.dry_run || not_attempted + unknown == 0)
    }

    /// The limits on deletes that the host keeps and that the diff exceeds.
    pub(super) fn breaches(&self) -> Vec<Breach> {
        let (Some(limit), Some(summary)) = (self.job.max_deletes, &self.report.summary) else { return Vec::new() };
        let breach = |model: &ModelSummary| {
            let Counts { create, update, delete, cascade, no_change, held, .. } = model.counts;
            let count = delete + cascade;
            let records = count + update + no_change + held;
            let mut overrides = self.report.limit_overrides.iter().rev();
            let lifted = overrides.find(|given| given.model == model.model && given.operation == Operation::Delete);
            let limit = match lifted {
                Some(given) => Some(given.limit),
                // An empty source is more likely broken than right.
                None if create + update + no_change == 0 => None,
                None => Some(limit),
            };
            let exceeds = match limit {
                Some(limit) => limit.allowed(records).is_some_and(|allowed| count > allowed),
                None => count > 0,
            };
            exceeds.then_some(Breach { model: model.model, operation: Operation::Delete, count, records, limit })
        };
        summary.models.iter().filter_map(breach).collect()
    }

    /// The planned operations, as they are recorded.
    pub(super) fn planned(&self) -> PlannedCounts {
        self.report.summary.as_ref().map(planned).unwrap_or_default()
    }

    /// Counts an event of this length, if it is one that is held for the report.
    ///
    /// # Errors
    ///
    /// If there are more than this program has room for.
    pub(super) fn hold(&mut self, event: &StreamEvent, bytes: usize) -> Result<(), String> {
        let is_held = match event {
            StreamEvent::Change { .. } | StreamEvent::Problem { .. } => true,
            StreamEvent::RecordDone { reason, .. } => reason.is_some(),
            _ => false,
        };
        self.held = self.held.saturating_add(if is_held { bytes } else { 0 });
        if self.held > MOST_HELD {
            return Err(format!(
                "it told more than {} GiB of changes, problems and failures; leave some of them out with a filter",
                MOST_HELD >> 30
            ));
        }
        Ok(())
    }

    /// Takes the next event, and says what the program waits for.
    ///
    /// # Errors
    ///
    /// Why the event cannot be true at its place.
    pub(super) fn take(&mut self, event: StreamEvent) -> Result<Ask, String> {
        // A line of the log may come at any time, and so may an event of a newer program.
        if !matches!(event, StreamEvent::Unknown | StreamEvent::Log { .. }) {
            match (self.stage, matches!(event, StreamEvent::RunStarted { .. })) {
                (Stage::Silent, false) => return Err("its first event is not `run_started`".to_owned()),
                (Stage::Begun | Stage::Planned | Stage::Writing, true) => {
                    return Err("`run_started` comes twice".to_owned());
                }
                (Stage::Finished, _) => {
                    if matches!(event, StreamEvent::RecordDone { .. }) && !self.may_have_written {
                        (self.wrote_too_early, self.may_have_written) = (true, true);
                    }
                    return Err("an event follows `run_finished`".to_owned());
                }
                _ => {}
            }
        }

        let event = self.without_secrets(event);
        let mut shown = self.events.is_some().then(|| event.clone());
        let ask = self.accept(event)?;
        if let Some(StreamEvent::DiffReady { breaches, .. }) = &mut shown {
            // Its reader is to see the limits of both.
            breaches.extend(self.breaches().iter().map(Into::into));
        }
        if let (Some(events), Some(event)) = (&mut self.events, &shown) {
            events.pass_on(event);
        }
        Ok(ask)
    }

    fn accept(&mut self, event: StreamEvent) -> Result<Ask, String> {
        match event {
            StreamEvent::RunStarted { job, dry_run, .. } => self.run_started(&job, dry_run)?,
            StreamEvent::StepStarted { step } => self.step_started(step)?,
            StreamEvent::Progress { step, done, total } => self.emit(&Event::Progress { step, done, total }),
            StreamEvent::Retry { step, attempt, pause_seconds, error } => {
                let attempt = usize::try_from(attempt).unwrap_or(usize::MAX);
                let pause = seconds(pause_seconds)?;
                self.report.retries += 1;
                self.emit(&Event::Retry { step, attempt, pause, error: &error });
            }
            StreamEvent::StepFinished { step, seconds: taken, memory } => {
                self.step_finished(StepReport { step, duration: seconds(taken)?, memory })?;
            }
            StreamEvent::LockTarget { resource } => {
                if self.stage != Stage::Begun || self.report.dry_run {
                    return Err("`lock_target` comes after the diff, or in a dry run".to_owned());
                }
                return Ok(Ask::Load(resource));
            }
            StreamEvent::Problem { side, model, record, text, rejects } => {
                let model = self.model(&model)?;
                self.report.problems.push(Problem { side, model, record, text, rejects });
            }
            StreamEvent::Change { seq, parent, depth, model, record, identifiers, action, changes, held } => {
                let change = NewChange {
                    parent,
                    depth,
                    identifiers: Some(identifiers).filter(|value| !value.is_null() && value.as_str() != Some(&record)),
                    model,
                    record,
                    action,
                    withheld: held,
                    changes,
                };
                self.change(seq, change)?;
            }
            StreamEvent::DiffReady { counts, breaches, resource } => {
                self.diff_ready(counts, breaches)?;
                return Ok(Ask::Diff(resource));
            }
            StreamEvent::RecordDone { at, seq, model, record, operation, outcome, reason, url, object: _ } => {
                let model = self.record_done(seq, &model, &record, operation, outcome)?;
                let url = url.and_then(|url| url.parse().ok());
                count(&mut self.told, outcome);
                if let Some(recorder) = &self.recorder {
                    recorder.entry(NewEntry {
                        at,
                        change: seq,
                        action: Some(operation),
                        status: outcome.to_string(),
                        model: model.to_owned(),
                        record: record.clone(),
                        url: url.clone(),
                        message: reason.clone(),
                    });
                }
                if let Some(reason) = reason {
                    self.report.failures.push(FailedRecord { model, record, operation, outcome, reason, url });
                }
            }
            StreamEvent::RecordUnchanged { at, model, record } => self.record_unchanged(at, &model, record)?,
            StreamEvent::Log { at, level, target, step, message, fields } => {
                self.keep(LogLine { at, level, target, step, message, fields });
            }
            StreamEvent::RunFinished { status, error, counts, retries } => {
                let has_no_diff = self.stage == Stage::Begun;
                if has_no_diff && matches!(status, Status::Completed | Status::Partial) {
                    return Err("its run ended well, and without a diff".to_owned());
                }
                self.report.retries = self.report.retries.max(retries);
                self.end = Some(End { status, error, counts });
                self.stage = Stage::Finished;
            }
            _ => {}
        }
        Ok(Ask::Nothing)
    }

    fn step_started(&mut self, step: Step) -> Result<(), String> {
        if self.open.contains(&step) || self.report.steps.iter().any(|report| report.step == step) {
            return Err(format!("the step `{step}` begins twice"));
        }
        self.open.push(step);
        self.emit(&Event::StepStarted(step));
        Ok(())
    }

    fn step_finished(&mut self, report: StepReport) -> Result<(), String> {
        if !self.open.contains(&report.step) {
            return Err(format!("the step `{}` ends, and has not begun", report.step));
        }
        self.open.retain(|open| *open != report.step);
        self.emit(&Event::StepFinished(&report));
        self.report.steps.push(report);
        Ok(())
    }

    fn record_unchanged(&self, at: Timestamp, model: &str, record: String) -> Result<(), String> {
        if !matches!(self.stage, Stage::Planned | Stage::Writing) {
            return Err("a `record_unchanged` comes before `diff_ready`".to_owned());
        }
        let model = self.model(model)?.to_owned();
        if let Some(recorder) = &self.recorder {
            let (status, change, action, url, message) = ("unchanged".to_owned(), None, None, None, None);
            recorder.entry(NewEntry { at, change, action, status, model, record, url, message });
        }
        Ok(())
    }

    /// The event without the secrets in those of its texts that no schema describes.
    fn without_secrets(&self, event: StreamEvent) -> StreamEvent {
        let hide = |text: Option<String>| text.map(|text| self.secrets.hide(text));
        match event {
            StreamEvent::Retry { step, attempt, pause_seconds, error } => {
                StreamEvent::Retry { step, attempt, pause_seconds, error: self.secrets.hide(error) }
            }
            StreamEvent::Problem { side, model, record, text, rejects } => {
                StreamEvent::Problem { side, model, record, text: self.secrets.hide(text), rejects }
            }
            StreamEvent::RecordDone { at, seq, model, record, operation, outcome, reason, url, object } => {
                let (reason, url) = (hide(reason), hide(url));
                StreamEvent::RecordDone { at, seq, model, record, operation, outcome, reason, url, object }
            }
            StreamEvent::Log { at, level, target, step, message, fields } => {
                let fields = fields.map(|fields| self.secrets.hide_in(fields));
                StreamEvent::Log { at, level, target, step, message: self.secrets.hide(message), fields }
            }
            StreamEvent::RunFinished { status, error, counts, retries } => {
                StreamEvent::RunFinished { status, error: hide(error), counts, retries }
            }
            event => event,
        }
    }

    fn run_started(&mut self, job: &str, dry_run: bool) -> Result<(), String> {
        if job != self.job.info.id {
            return Err(format!("it began the job {job:?}, and was asked for `{}`", self.job.info.id));
        }
        if dry_run != self.report.dry_run {
            let kind = |dry_run| if dry_run { "a dry run" } else { "a run that writes" };
            return Err(format!("it began {}, and was asked for {}", kind(dry_run), kind(self.report.dry_run)));
        }
        self.stage = Stage::Begun;
        Ok(())
    }

    /// The name of a model that the job has described.
    fn model(&self, name: &str) -> Result<&'static str, String> {
        let known = self.job.models.iter().copied().find(|model| *model == name);
        known.ok_or_else(|| format!("the job has not described a model {name:?}"))
    }

    fn change(&mut self, seq: u64, change: NewChange) -> Result<(), String> {
        if self.stage != Stage::Begun {
            return Err("a `change` comes after `diff_ready`".to_owned());
        }
        let position = self.report.rows.len();
        if usize::try_from(seq) != Ok(position) {
            return Err(format!("the `change` {seq} comes where {position} is expected"));
        }
        let parent = match change.parent {
            None => None,
            Some(parent) => match usize::try_from(parent).ok().and_then(|at| Some((at, self.report.rows.get(at)?))) {
                Some((at, row)) => Some((at, row.depth)),
                None => return Err(format!("the `change` {seq} is under {parent}, which has not come before it")),
            },
        };
        let expected = parent.map_or(0, |(_, depth)| depth + 1);
        if change.depth != expected || expected > DEEPEST {
            return Err(format!("the `change` {seq} has the depth {}", change.depth));
        }
        if !matches!(
            (change.withheld.as_deref(), change.action),
            (None, _) | (Some("held" | "unsupported"), Some(_)) | (Some("cascaded"), Some(Operation::Delete))
        ) {
            let withheld = change.withheld.unwrap_or_default();
            return Err(format!("the `change` {seq} cannot be withheld as {withheld:?}"));
        }
        if !change.changes.as_ref().is_none_or(Value::is_object) {
            return Err(format!("the `changes` of the `change` {seq} are no object"));
        }

        let model = self.model(&change.model)?;
        let parent = parent.map(|(at, _)| at);
        self.report.rows.push(Row {
            parent,
            depth: change.depth,
            model,
            record: change.record.clone(),
            action: change.action,
            withheld: change.withheld.clone(),
            changes: change.changes.clone(),
        });
        self.done.push(false);
        if let Some(recorder) = &self.recorder {
            recorder.planned_change(change);
        }
        Ok(())
    }

    fn diff_ready(&mut self, counts: PlannedCounts, breaches: Vec<StreamBreach>) -> Result<(), String> {
        if self.stage != Stage::Begun {
            return Err("`diff_ready` comes twice".to_owned());
        }
        let mut models: Vec<ModelSummary> = Vec::new();
        let mut total = Counts::default();
        for planned in counts.models {
            let model = self.model(&planned.model)?;
            if models.iter().any(|summary| summary.model == model) {
                return Err(format!("`diff_ready` counts {model} twice"));
            }
            self.check_counts(model, planned.counts)?;
            total = sum(&total, &planned.counts).ok_or_else(|| format!("`diff_ready` counts too much of {model}"))?;
            models.push(ModelSummary { model, counts: planned.counts });
        }
        if let Some(row) = self.report.rows.iter().find(|row| !models.iter().any(|model| model.model == row.model)) {
            return Err(format!("`diff_ready` does not count {}", row.model));
        }
        if total != counts.total {
            return Err("the `total` of `diff_ready` is not the sum of its models".to_owned());
        }
        self.report.summary = Some(DiffSummary { total, models });
        let known = |breach: StreamBreach| {
            let StreamBreach { model, operation, count, records, limit } = breach;
            let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
            Ok(Breach { model: self.model(&model)?, operation, count: number(count), records: number(records), limit })
        };
        self.report.breaches = breaches.into_iter().map(known).collect::<Result<_, String>>()?;
        self.stage = Stage::Planned;
        Ok(())
    }

    /// Guards and reports count on these numbers, so they must be those of the changes.
    fn check_counts(&self, model: &str, counts: Counts) -> Result<(), String> {
        let mut told = Counts::default();
        for row in self.report.rows.iter().filter(|row| row.model == model) {
            match (row.withheld.as_deref(), row.action) {
                // It is shown only because of what lives under it.
                (_, None) => {}
                (Some("unsupported"), _) => told.unsupported += 1,
                (Some("cascaded"), _) => told.cascade += 1,
                (Some(_), _) => told.held += 1,
                (None, Some(Operation::Create)) => told.create += 1,
                (None, Some(Operation::Update)) => told.update += 1,
                (None, Some(Operation::Delete)) => told.delete += 1,
            }
        }
        for (what, told, counted) in [
            ("creates", told.create, counts.create),
            ("updates", told.update, counts.update),
            ("deletes", told.delete, counts.delete),
            ("cascaded deletes", told.cascade, counts.cascade),
            ("held records", told.held, counts.held),
            ("unsupported operations", told.unsupported, counts.unsupported),
        ] {
            if told != counted {
                return Err(format!("`diff_ready` counts {counted} {what} of {model}, and {told} came as `change`"));
            }
        }
        Ok(())
    }

    /// Notes that a record has this outcome, if that can be now, and returns its model.
    fn record_done(
        &mut self,
        seq: Option<u64>,
        model: &str,
        record: &str,
        operation: Operation,
        outcome: OutcomeKind,
    ) -> Result<&'static str, String> {
        let done = format!("it reports the {operation} of {model} {record:?} as");
        if self.stage != Stage::Writing {
            (self.wrote_too_early, self.may_have_written) = (true, true);
            let when = if self.report.dry_run { "in a dry run" } else { "before it was allowed to write" };
            return Err(format!("{done} done {when}"));
        }

        let Some(seq) = seq else { return Err(format!("{done} {outcome}, and not of which `change`")) };
        let row = usize::try_from(seq).ok().and_then(|at| Some((at, self.report.rows.get(at)?)));
        let is_same = |row: &Row| row.model == model && row.record == record && row.action == Some(operation);
        let Some((at, row)) = row.filter(|(_, row)| is_same(row)) else {
            return Err(format!("{done} that of the `change` {seq}, which is another"));
        };

        let can_be = match outcome {
            OutcomeKind::Created => operation == Operation::Create,
            OutcomeKind::Updated => operation == Operation::Update,
            OutcomeKind::Deleted | OutcomeKind::Cascaded => operation == Operation::Delete,
            _ => true,
        };
        let is_written = matches!(
            outcome,
            OutcomeKind::Created
                | OutcomeKind::Updated
                | OutcomeKind::Deleted
                | OutcomeKind::Cascaded
                | OutcomeKind::Unknown
        );
        let is_withheld = matches!(row.withheld.as_deref(), Some("held" | "unsupported"));
        if !can_be || is_written && is_withheld {
            let withheld = row.withheld.as_ref().map(|withheld| format!(", and it is {withheld}")).unwrap_or_default();
            return Err(format!("{done} {outcome}{withheld}"));
        }
        match self.done.get_mut(at) {
            Some(is_done) if !*is_done => *is_done = true,
            _ => return Err(format!("{done} {outcome}, and the `change` {seq} has its outcome already")),
        }
        self.model(model)
    }

    fn emit(&self, event: &Event<'_>) {
        if let Some(progress) = &self.progress {
            progress.observe(event);
        }
        if let Some(recorder) = &self.recorder {
            recorder.observe(event);
        }
    }

    /// Waits until an event can be printed without delay, if events are printed.
    pub(super) async fn room(&self) {
        if let Some(events) = &self.events {
            events.room().await;
        }
    }

    /// Takes a line of the program's standard error.
    pub(super) fn log(&mut self, line: LogLine) {
        let line = LogLine { message: self.secrets.hide(line.message), ..line };
        if let Some(events) = &mut self.events {
            events.pass_on(&line.clone().into());
        }
        self.keep(line);
    }

    /// Keeps a line that the program logged, and shows it where the log is shown.
    fn keep(&self, line: LogLine) {
        terminal::show_line(&line);
        // As for a linked job: more is for a developer at the terminal.
        if line.level <= LogLevel::Info
            && let Some(recorder) = &self.recorder
        {
            recorder.line(line);
        }
    }

    /// What must not be shown.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The program's file.
    pub(super) fn path(&self) -> &'a Path {
        &self.job.path
    }

    /// What records the run.
    pub(super) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recorder.as_ref()
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.report.dry_run
    }

    /// Notes the limits that the host keeps and that the diff exceeds.
    pub(super) fn exceed(&mut self, breaches: Vec<Breach>) {
        self.report.breaches.extend(breaches);
    }

    /// Records the end of the run, and returns its report, and where its events are printed. Their end is still to be printed.
    pub(super) fn finish(mut self, verdict: Verdict) -> (ProgramReport, Option<Events>) {
        // A bar that is still shown would stay on the terminal.
        for step in std::mem::take(&mut self.open) {
            if let Some(progress) = &self.progress {
                progress.observe(&Event::StepFinished(&StepReport { step, duration: Duration::ZERO, memory: None }));
            }
        }

        let counts = self.counts();
        if self.end.as_ref().is_some_and(|end| end.counts != OutcomeCounts::default() && end.counts != counts) {
            tracing::warn!("the numbers at the end of the run are not those of its `record_done` events, which count");
        }
        let is_unclear = self.may_have_written && (self.end.is_none() || counts.unknown > 0);
        let secrets = &self.secrets;
        let report = &mut self.report;
        report.duration = self.begun.elapsed();
        report.counts = counts;
        (report.status, report.error) = match (verdict, self.end) {
            (Verdict::AsTold, Some(end)) => {
                let left_undone = if report.dry_run { 0 } else { counts.not_attempted };
                let OutcomeCounts { failed, blocked, held, rejected, unknown, .. } = counts;
                let is_partial = failed + blocked + held + rejected + unknown + left_undone > 0;
                let status = if is_partial && end.status == Status::Completed { Status::Partial } else { end.status };
                (status, end.error)
            }
            (Verdict::Refused(error), _) => (Status::Refused, Some(error)),
            (Verdict::Failed(error), _) if is_unclear => {
                (Status::Failed, Some(format!("{error}\nwhat it had begun to write may or may not have been written")))
            }
            (Verdict::Failed(error), _) => (Status::Failed, Some(error)),
            (Verdict::AsTold, None) => {
                (Status::Failed, Some("the job program did not report how its run ended".into()))
            }
        };
        report.error = report.error.take().map(|error| secrets.hide(error));

        if let Some(recorder) = &self.recorder {
            recorder.end(SyncEnd {
                status: report.status,
                error: report.error.clone(),
                breaches: serde_json::to_value(&report.breaches).ok().filter(|_| !report.breaches.is_empty()),
                counts: report.summary.as_ref().map(|_| report.counts),
                retries: report.retries,
            });
        }
        (self.report, self.events)
    }

    /// The numbers of records by outcome: as the program says at its end, unless that is not what it told before.
    fn counts(&self) -> OutcomeCounts {
        match (&self.end, &self.report.summary) {
            (Some(end), Some(summary)) if !self.wrote_too_early && self.fits(&end.counts, &summary.total) => end.counts,
            _ => self.counted(),
        }
    }

    /// Whether these numbers can be those of the run. A target that completes the run may tell at its end that less was written than
    /// it said before, but not more, and not that what failed was not attempted.
    fn fits(&self, counts: &OutcomeCounts, planned: &Counts) -> bool {
        let told = &self.told;
        records(counts) == Some(planned.records())
            && counts.unchanged == planned.no_change
            && counts.rejected == planned.rejected
            && counts.left_out == planned.left_out
            && counts.created <= told.created
            && counts.updated <= told.updated
            && counts.deleted <= told.deleted
            && counts.cascaded <= told.cascaded
            && counts.failed >= told.failed
            && counts.blocked >= told.blocked
            && counts.unknown >= told.unknown
    }

    /// The outcomes that were told, and those of the rest: if the run has failed while it was allowed to write, an operation without
    /// an outcome may have been written.
    fn counted(&self) -> OutcomeCounts {
        let mut counts = self.told;
        let Some(summary) = &self.report.summary else { return counts };
        let total = summary.total;
        (counts.unchanged, counts.rejected, counts.left_out) = (total.no_change, total.rejected, total.left_out);

        let has_failed = self.wrote_too_early || self.end.as_ref().is_none_or(|end| end.status == Status::Failed);
        let rest = self.report.rows.iter().zip(&self.done).filter(|(row, is_done)| row.action.is_some() && !**is_done);
        for (row, _) in rest {
            let outcome = match row.withheld.as_deref() {
                Some("held") => OutcomeKind::Held,
                Some("unsupported") => OutcomeKind::Unsupported,
                _ if self.may_have_written && has_failed => OutcomeKind::Unknown,
                _ => OutcomeKind::NotAttempted,
            };
            count(&mut counts, outcome);
        }
        counts
    }
}

/// The numbers of both, unless there are more records than can be counted.
fn sum(one: &Counts, other: &Counts) -> Option<Counts> {
    let mut sum = Counts::default();
    let mut records = 0_usize;
    for (sum, one, other) in [
        (&mut sum.create, one.create, other.create),
        (&mut sum.update, one.update, other.update),
        (&mut sum.delete, one.delete, other.delete),
        (&mut sum.cascade, one.cascade, other.cascade),
        (&mut sum.no_change, one.no_change, other.no_change),
        (&mut sum.held, one.held, other.held),
        (&mut sum.unsupported, one.unsupported, other.unsupported),
        (&mut sum.rejected, one.rejected, other.rejected),
        (&mut sum.left_out, one.left_out, other.left_out),
    ] {
        *sum = one.checked_add(other)?;
        records = records.checked_add(*sum)?;
    }
    Some(sum)
}

/// The number of records, unless there are more than can be counted.
fn records(counts: &OutcomeCounts) -> Option<usize> {
    let OutcomeCounts { unchanged, created, updated, deleted, cascaded, failed, blocked, held, .. } = *counts;
    let OutcomeCounts { unsupported, rejected, left_out, unknown, not_attempted, .. } = *counts;
    let written = [unchanged, created, updated, deleted, cascaded];
    let others = [failed, blocked, held, unsupported, rejected, left_out, unknown, not_attempted];
    written.into_iter().chain(others).try_fold(0, usize::checked_add)
}

fn planned(summary: &DiffSummary) -> PlannedCounts {
    let model =
        |model: &ModelSummary| diffsync_history::PlannedModel { model: model.model.to_owned(), counts: model.counts };
    PlannedCounts { total: summary.total, models: summary.models.iter().map(model).collect() }
}

fn count(counts: &mut OutcomeCounts, outcome: OutcomeKind) {
    let counted = match outcome {
        OutcomeKind::Created => &mut counts.created,
        OutcomeKind::Updated => &mut counts.updated,
        OutcomeKind::Deleted => &mut counts.deleted,
        OutcomeKind::Cascaded => &mut counts.cascaded,
        OutcomeKind::Failed => &mut counts.failed,
        OutcomeKind::Blocked => &mut counts.blocked,
        OutcomeKind::Held => &mut counts.held,
        OutcomeKind::Unsupported => &mut counts.unsupported,
        OutcomeKind::NotAttempted => &mut counts.not_attempted,
        _ => &mut counts.unknown,
    };
    *counted += 1;
}

fn seconds(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{seconds} is not a number of seconds: {error}"))
}

#[cfg(test)]
mod tests;
