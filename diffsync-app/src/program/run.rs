//! The command `run JOB` for a job of another program: the program does the work, and this one keeps its history, its lease and its
//! limits, and ends it if it must.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::ArgMatches;
use diffsync_core::job::{VariableKind, VariableSpec, VariableValues};
use diffsync_core::model::Operation;
use diffsync_core::plan::Refusal;
use diffsync_core::report::{ConfigItem, RunError, Status};
use diffsync_core::run::{CancellationToken, LockError, RunOptions};
use diffsync_core::value::{Url, redact_url, suggest};
use diffsync_history::{LogLevel, LogLine};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::events::Events;
use super::job::ProgramJob;
use super::process::{Group, LineError, Lines, Pipes, Process, ended};
use super::protocol::{Command, Options, PROTOCOL, Request};
use super::report::ProgramReport;
use super::secrets::Secrets;
use super::session::{Ask, Session, Verdict};
use super::{LINES, excerpt, start};
use crate::advice;
use crate::events::StreamEvent;
use crate::exit::{Exit, NotRun};
use crate::flags::{self, Output, is_set, output_of};
use crate::history::{Recording, RetentionSetting, Started};
use crate::profile::Selected;
use crate::progress::progress;
use crate::report::Look;
use crate::runtime::runtime;
use crate::signal::cancel_when_asked;
use crate::terminal;

/// The longest line of an event stream.
const LONGEST_EVENT: usize = 16 << 20;

/// The longest part of a line on standard error that is kept in one piece.
const LONGEST_LINE: usize = 16 << 10;

/// How long a program may take to end once it was told to.
const GRACE: Duration = Duration::from_secs(10);

/// How long the last lines of a program that has ended are waited for.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How many events and lines are read ahead.
const READ_AHEAD: usize = 1_024;

/// How many KiB of events are read ahead.
const READ_AHEAD_KIB: usize = 32 << 10;

/// Runs a job of another program.
pub(crate) fn run(
    job: &ProgramJob,
    selected: &Selected<'_>,
    kept: RetentionSetting,
    matches: &ArgMatches,
) -> Result<Exit, NotRun> {
    let values = selected.values(matches)?;
    missing(job, selected, &values)?;
    let options = flags::options(selected.options(), matches);
    let (request, host_options) = request(job, &values, &options, |key| selected.sets(key, matches))?;

    let mut report = ProgramReport::new(job.info, options.dry_run);
    report.profile = selected.profile_name().map(str::to_owned);
    report.config = configuration(job, &values);
    report.limit_overrides.clone_from(&options.limit_overrides);

    let run = Started { selected, values: &values, plan: None, program: &job.version, kept };
    let (report, streamed) = carry_out(job, &run, report, &request, host_options, matches)?;

    let mut closing = Vec::new();
    let would_write = report.summary.as_ref().is_some_and(|summary| summary.total.operations() > 0);
    if report.dry_run && report.error.is_none() && would_write {
        closing.push(selected.how_to_write());
    }
    Ok(print(&report, streamed, &closing, matches))
}

/// Refuses a run without the value of a variable that is required, and says how to set it. What is wrong with a value, the program
/// itself tells.
fn missing(job: &ProgramJob, selected: &Selected<'_>, values: &VariableValues) -> Result<(), String> {
    let is_missing = |spec: &&VariableSpec| {
        let in_env = || spec.env.is_some_and(|env| std::env::var_os(env).is_some());
        spec.required && spec.default.is_none() && values.get(spec.name).is_empty() && !in_env()
    };
    let error = |spec: &VariableSpec| {
        format!("variable `{}`: no value is given\n  set it with {}", spec.name, selected.how_to_set(spec))
    };
    let errors: Vec<_> = job.variables.iter().filter(is_missing).map(error).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\nerror: ")) }
}

/// The request to the program, and the options that are the host's.
fn request(
    job: &ProgramJob,
    values: &VariableValues,
    options: &RunOptions,
    is_given: impl Fn(&str) -> bool,
) -> Result<(Request, RunOptions), String> {
    for limit in &options.limit_overrides {
        if !job.models().contains(&&*limit.model) {
            let near = suggest(&limit.model, job.models().iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(format!("a limit names the model `{}`, which the job does not have{near}", limit.model));
        }
    }
    let mut sent = Options::of(options, &RunOptions::new(job.info), is_given);
    if job.max_deletes.is_some() && job.unknown_option(&["limit_overrides".to_owned()]).is_some() {
        // The host keeps that limit.
        sent.limit_overrides.retain(|limit| limit.operation != Operation::Delete);
    }
    if let Some(option) = job.unknown_option(&sent.names()) {
        return Err(format!(
            "the job program `{}` does not know the option `{option}`; remove it from the profile",
            job.path.display()
        ));
    }

    let mut variables = Map::new();
    for spec in job.variables {
        let value = match (values.get(spec.name), spec.kind) {
            ([], _) => continue,
            (texts, VariableKind::List(_)) => Value::from(texts),
            ([text], _) => Value::from(text.as_str()),
            (_, _) => return Err(format!("variable `{}`: it takes one value, and several are given", spec.name)),
        };
        variables.insert(spec.name.to_owned(), value);
    }
    let (dry_run, job) = (options.dry_run, job.info.id.to_owned());
    Ok((Request { protocol: PROTOCOL, job, variables, dry_run, options: sent }, options.clone()))
}

/// The values of the variables, without secrets.
fn configuration(job: &ProgramJob, values: &VariableValues) -> Vec<ConfigItem> {
    let shown = |spec: &VariableSpec, text: &str| {
        let is_url = matches!(spec.kind, VariableKind::Url | VariableKind::List(VariableKind::Url));
        match text.parse::<Url>() {
            Ok(url) if is_url => redact_url(&url),
            _ => text.to_owned(),
        }
    };
    let item = |spec: &VariableSpec| {
        let given = values.get(spec.name);
        let value = match (given, spec.default, spec.kind) {
            _ if spec.secret => Value::Null,
            ([], None, _) => Value::Null,
            ([], Some(default), _) => shown(spec, default).into(),
            (texts, _, VariableKind::List(_)) => texts.iter().map(|text| shown(spec, text)).collect(),
            ([text, ..], _, _) => shown(spec, text).into(),
        };
        ConfigItem { name: spec.name.to_owned(), help: spec.help.to_owned(), value }
    };
    job.variables.iter().map(item).collect()
}

/// Runs the program to its end, or until this one receives a signal.
fn carry_out(
    job: &ProgramJob,
    run: &Started<'_>,
    mut report: ProgramReport,
    request: &Request,
    mut options: RunOptions,
    matches: &ArgMatches,
) -> Result<(ProgramReport, Option<Exit>), NotRun> {
    let runtime = runtime()?;
    let recording = runtime.block_on(Recording::begin(run, &mut options, matches))?;
    report.sync = recording.sync();
    let events = (output_of(matches) == Output::JsonLines).then(|| Events::begin(&report)).transpose();
    let events = events.map_err(|error| format!("the events cannot be printed: {error}"))?;
    let session = Session::new(
        job,
        Secrets::of(job, run.values),
        report,
        recording.recorder().cloned(),
        progress(matches),
        events,
    );

    let asked = CancellationToken::new();
    let report = runtime.block_on(async {
        if let Some(refusal) = options.refusal.take() {
            let report = session.finish(Verdict::Refused(refusal.to_string()));
            return record_end(recording, report).await;
        }
        match Process::start(&job.path, "run").await {
            Ok((process, pipes)) => {
                let group = process.group();
                // A program that is told to end may ignore it; the second signal is for that.
                let signals = tokio::spawn(cancel_when_asked(asked.clone(), move || group.kill()));
                let report = Host::new(session, process, pipes, request, &options, asked).run().await;
                let report = record_end(recording, report).await;
                signals.abort();
                report
            }
            Err(error) => {
                let error = format!("the job program `{}` cannot be started: {error}", job.path.display());
                record_end(recording, session.finish(Verdict::Failed(error))).await
            }
        }
    });
    runtime.shutdown_background();
    Ok(report)
}

/// Waits until everything is recorded, and prints the end of the events. A run that requires its history has failed if that is not
/// complete, and its events must say so as well. If they were printed, the result is how that went.
async fn record_end(
    recording: Recording,
    (mut report, events): (ProgramReport, Option<Events>),
) -> (ProgramReport, Option<Exit>) {
    if let Some(reason) = recording.end(report.error.is_some()).await {
        (report.status, report.error) = (Status::Failed, Some(reason));
    }
    let streamed = events.map(|events| events.finish(&report));
    (report, streamed)
}

/// The host of one running program.
struct Host<'a> {
    session: Session<'a>,
    process: Process,
    group: Group,
    options: &'a RunOptions,
    /// The user asked for the end of the run.
    asked: CancellationToken,
    /// The targets that no other run writes to meanwhile.
    locked: HashSet<String>,
    commands: UnboundedSender<String>,
    events: Receiver<Read>,
    lines: Receiver<LogLine>,
    /// The last lines of standard error.
    last_lines: Arc<Mutex<VecDeque<String>>>,
    deadline: Option<Instant>,
    /// When the program is killed, once it was told to end.
    kill_at: Option<Instant>,
    is_cancelled: bool,
    /// Why the host did not let it write.
    refusal: Option<String>,
    is_out_of_time: bool,
}

impl<'a> Host<'a> {
    fn new(
        session: Session<'a>,
        process: Process,
        pipes: Pipes,
        request: &Request,
        options: &'a RunOptions,
        asked: CancellationToken,
    ) -> Self {
        let (commands, to_write) = mpsc::unbounded_channel();
        let (sender, events) = mpsc::channel(READ_AHEAD);
        let (line_sender, lines) = mpsc::channel(READ_AHEAD);
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        // A program that reads or writes nothing must not keep the host from watching it.
        tokio::spawn(write_commands(pipes.stdin, to_write));
        tokio::spawn(read_events(pipes.stdout, sender, session.secrets().clone()));
        tokio::spawn(read_lines(pipes.stderr, line_sender, Arc::clone(&last_lines), session.secrets().clone()));

        let group = process.group();
        let deadline = options.time_limit.and_then(|limit| Instant::now().checked_add(limit));
        let host = Self {
            session,
            process,
            group,
            options,
            asked,
            locked: HashSet::new(),
            commands,
            events,
            lines,
            last_lines,
            deadline,
            kill_at: None,
            is_cancelled: false,
            refusal: None,
            is_out_of_time: false,
        };
        // The request holds secrets, so it goes through the pipe.
        let request = serde_json::to_value(request).map(|mut request| {
            request["command"] = "run".into();
            request.to_string()
        });
        match request {
            Ok(request) => drop(host.commands.send(request)),
            Err(error) => tracing::error!(%error, "the request cannot be written"),
        }
        host
    }

    /// Sends a command. A program that has closed its input is reported by how it ends.
    fn send(&self, command: &Command) {
        if let Ok(line) = serde_json::to_string(command) {
            let _ = self.commands.send(line);
        }
    }

    /// Follows the program to its end.
    async fn run(mut self) -> (ProgramReport, Option<Events>) {
        let followed = self.follow().await;
        let verdict = match followed {
            Ok(()) => self.closed().await,
            Err(fault) => {
                self.end_at_once().await;
                self.fault(&fault)
            }
        };
        self.log_rest().await;
        self.session.finish(verdict)
    }

    /// Takes events until the program has told the end of its run. The error is why it was ended instead.
    async fn follow(&mut self) -> Result<(), String> {
        while !self.session.is_finished() {
            let event = tokio::select! {
                // Nothing that the program says may come before the end of its run: it could be what it is allowed to write for.
                biased;
                () = self.asked.cancelled(), if !self.is_cancelled => {
                    self.cancel();
                    continue;
                }
                // The lease is lost, or a history that is required cannot be written: it must not go on for long.
                () = self.options.cancellation.cancelled(), if self.kill_at.is_none() => {
                    self.cancel();
                    self.kill_at = Some(Instant::now() + GRACE);
                    continue;
                }
                () = until(self.deadline), if !self.is_out_of_time => {
                    self.is_out_of_time = true;
                    self.cancel();
                    self.kill_at = Some(Instant::now() + GRACE);
                    continue;
                }
                () = until(self.kill_at) => {
                    return Err(format!("it did not end within {} s after it was told to, and was killed", GRACE.as_secs()));
                }
                // What cannot be printed yet is not read; the program is told to end all the same.
                said = async {
                    self.session.room().await;
                    next(&mut self.events, &mut self.lines).await
                } => match said {
                    Said::Event(event) => event,
                    Said::Line(line) => {
                        self.session.log(line);
                        continue;
                    }
                },
            };
            let Some(Read { event, bytes, .. }) = event else { return Err(self.ended_early().await) };
            let event = event?;
            self.session.hold(&event, bytes)?;
            match self.session.take(event)? {
                Ask::Nothing => {}
                Ask::Load(resource) => {
                    if self.lock(resource.as_deref()).await {
                        self.send(&Command::Load);
                    }
                }
                Ask::Diff(resource) => self.diff_ready(resource).await,
            }
        }
        Ok(())
    }

    fn cancel(&mut self) {
        if !self.is_cancelled {
            self.is_cancelled = true;
            self.send(&Command::Cancel);
        }
    }

    /// Whether the run is to end, though the program may not have been told so yet.
    fn is_to_end(&self) -> bool {
        self.is_cancelled
            || self.asked.is_cancelled()
            || self.options.cancellation.is_cancelled()
            || self.deadline.is_some_and(|at| at <= Instant::now())
    }

    /// Does this, unless the run is to end before it is done. Then there is nothing, and the program is told why by what follows it.
    async fn unless_ended<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let done = tokio::select! {
            // It begins in any case: what the history is told must reach it.
            biased;
            done = work => done,
            () = self.asked.cancelled() => return None,
            () = self.options.cancellation.cancelled() => return None,
            () = until(self.deadline) => return None,
        };
        (!self.is_to_end()).then_some(done)
    }

    /// Takes the lease of the target, and says whether the program may go on.
    async fn lock(&mut self, resource: Option<&str>) -> bool {
        let options = self.options;
        let Some(lock) = &options.lock else { return !self.is_to_end() };
        match self.unless_ended(lock.lock(resource)).await {
            None => return false,
            Some(Ok(())) => {}
            Some(Err(LockError::Held(by))) => {
                self.refuse(by);
                return false;
            }
            Some(Err(error)) => {
                self.refuse(error.to_string());
                return false;
            }
        }
        self.locked.extend(resource.map(str::to_owned));
        true
    }

    fn refuse(&mut self, reason: String) {
        self.send(&Command::Stop { reason: reason.clone() });
        self.refusal.get_or_insert(reason);
        // It has nothing more to do.
        self.kill_at.get_or_insert(Instant::now() + GRACE);
    }

    /// Records that the diff is complete, and lets the program write if nothing is against it.
    async fn diff_ready(&mut self, resource: Option<String>) {
        let recorded = match self.session.recorder() {
            Some(recorder) => self.unless_ended(recorder.planned(self.session.planned())).await,
            None => Some(()),
        };
        let breaches = self.session.breaches();
        if !breaches.is_empty() {
            self.session.exceed(breaches.clone());
            let refusal = Refusal::Guards(breaches).to_string();
            if self.session.is_dry_run() {
                self.refusal = Some(refusal);
            } else {
                self.refuse(refusal);
            }
            return;
        }
        if self.session.is_dry_run() {
            return;
        }
        // If this process is killed, the program may go on for a while, and the next run must wait for it.
        if let (Some(recorder), Some(child)) = (self.session.recorder(), self.group.leader()) {
            match self.unless_ended(recorder.keep_leases_for(child)).await {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, "the leases may end before the program, should this one be killed");
                }
                None => return,
            }
        }
        // A program that did not name its target before it loaded it, or named another, is told to wait for it now.
        let is_locked = resource.as_ref().is_none_or(|resource| self.locked.contains(resource));
        if recorded.is_none() || !(is_locked || self.lock(resource.as_deref()).await) || self.is_to_end() {
            return;
        }
        self.session.allow();
        self.send(&Command::Write);
    }

    /// Why the program ended without the end of its run.
    async fn ended_early(&mut self) -> String {
        let status = self.process.wait_for(GRACE).await;
        self.group.kill();
        self.log_rest().await;
        match status {
            Some(status) => format!("it {}{}", ended(status), self.excerpt()),
            None => "it closed its output, and went on running".to_owned(),
        }
    }

    /// The last lines of standard error, for an error.
    fn excerpt(&self) -> String {
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        excerpt(lines.join("\n").as_bytes())
    }

    /// Lets a program end that has told the end of its run.
    async fn closed(&mut self) -> Verdict {
        // The end of its input is the end of the conversation.
        let (closed, _) = mpsc::unbounded_channel();
        self.commands = closed;
        let mut fault = None;
        let status = tokio::select! {
            status = self.process.wait_for(GRACE) => status,
            // It may still write lines.
            () = drain(&mut self.events, &mut self.lines, &mut self.session, &mut fault) => {
                self.process.wait_for(GRACE).await
            }
        };
        let name = self.session.path().display().to_string();
        match status {
            Some(status) if status.success() => {}
            Some(status) => terminal::warn(&format!("the job program `{name}` {} after its run", ended(status))),
            None => terminal::warn(&format!("the job program `{name}` did not end after its run, and was killed")),
        }
        self.process.kill().await;
        let rest = drain(&mut self.events, &mut self.lines, &mut self.session, &mut fault);
        let _ = tokio::time::timeout(LAST_LINES, rest).await;
        if let Some(fault) = fault {
            return self.fault(&fault);
        }

        // What was done in the time that it had left is done.
        let is_out_of_time = self.is_out_of_time && !self.session.did_everything();
        match (self.refusal.take(), is_out_of_time) {
            (Some(refusal), _) => Verdict::Refused(refusal),
            (None, true) => {
                Verdict::Failed(RunError::TimeLimit(self.options.time_limit.unwrap_or_default()).to_string())
            }
            (None, false) => match self.options.abort_reason.get() {
                // The program reports an end that the user did not ask for.
                Some(reason) if self.is_cancelled => Verdict::Failed(reason.to_owned()),
                _ => Verdict::AsTold,
            },
        }
    }

    /// Ends a program that cannot be followed any further. One that may be writing gets the time to finish what is in flight.
    async fn end_at_once(&mut self) {
        if self.session.may_write() && self.kill_at.is_none_or(|at| at > Instant::now()) {
            self.cancel();
            let (closed, _) = mpsc::unbounded_channel();
            self.commands = closed;
            tokio::select! {
                _ = self.process.wait_for(GRACE) => {}
                () = ignore(&mut self.events) => {
                    self.process.wait_for(GRACE).await;
                }
            }
        }
        self.process.kill().await;
    }

    fn fault(&mut self, fault: &str) -> Verdict {
        let refusal = self.refusal.take();
        if !self.session.wrote_too_early()
            && let Some(refusal) = refusal
        {
            return Verdict::Refused(refusal);
        }
        let path = self.session.path().display();
        let error = format!("the job program `{path}` failed: {fault}");

        // Why it was told to end comes before how it did that.
        let cause = match refusal {
            Some(refusal) => Some(refusal),
            None if self.is_out_of_time => {
                Some(RunError::TimeLimit(self.options.time_limit.unwrap_or_default()).to_string())
            }
            None => self.options.abort_reason.get().map(str::to_owned),
        };
        Verdict::Failed(cause.map_or_else(|| error.clone(), |cause| format!("{cause}\n{error}")))
    }

    /// Keeps the rest of the lines of a program that has ended.
    async fn log_rest(&mut self) {
        let rest = async {
            while let Some(line) = self.lines.recv().await {
                self.session.log(line);
            }
        };
        // A process that has left the group may hold the pipe.
        let _ = tokio::time::timeout(LAST_LINES, rest).await;
    }
}

/// What was read as the next event.
struct Read {
    event: Result<StreamEvent, String>,
    /// The length of its line.
    bytes: usize,
    /// Given back once the event was taken.
    _room: Option<OwnedSemaphorePermit>,
}

/// What a program says.
enum Said {
    /// Its next event, or its events have ended.
    Event(Option<Read>),
    /// A line of its standard error.
    Line(LogLine),
}

/// What the program says next.
async fn next(events: &mut Receiver<Read>, lines: &mut Receiver<LogLine>) -> Said {
    tokio::select! {
        event = events.recv() => Said::Event(event),
        Some(line) = lines.recv() => Said::Line(line),
    }
}

/// Waits until then, or for ever.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Ignores what else a program tells, so that it does not wait for its reader.
async fn ignore(events: &mut Receiver<Read>) {
    while events.recv().await.is_some() {}
}

/// Keeps the lines of a program that has told the end of its run. Anything else that it tells is a fault.
async fn drain(
    events: &mut Receiver<Read>,
    lines: &mut Receiver<LogLine>,
    session: &mut Session<'_>,
    fault: &mut Option<String>,
) {
    loop {
        tokio::select! {
            Some(Read { event, .. }) = events.recv() => {
                if let Err(error) = event.and_then(|event| session.take(event)) {
                    fault.get_or_insert(error);
                }
            }
            Some(line) = lines.recv() => session.log(line),
            else => return,
        }
    }
}

/// Writes commands until the host has no more.
async fn write_commands(mut stdin: ChildStdin, mut commands: UnboundedReceiver<String>) {
    while let Some(mut command) = commands.recv().await {
        command.push('\n');
        // A program that has ended is reported by how it ended.
        if stdin.write_all(command.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// Reads events until the output ends, or holds something else. What follows that is read as well, and ignored: a program that finds
/// its output closed is ended by it, and could not finish what is in flight.
async fn read_events(stdout: ChildStdout, events: mpsc::Sender<Read>, secrets: Secrets) {
    // A secret is hidden before the line is cut or escaped, since it could not be found after that.
    let begins = |line: Vec<u8>| start(secrets.hide(String::from_utf8_lossy(&line).into_owned()).as_bytes());
    let mut lines = Lines::new(stdout, LONGEST_EVENT);
    let room = Arc::new(Semaphore::new(READ_AHEAD_KIB));
    loop {
        let line = lines.next().await;
        let number = lines.number();
        let bytes = line.as_ref().map_or(0, |line| line.as_ref().map_or(0, Vec::len));
        let kib = u32::try_from((bytes >> 10) + 1).unwrap_or(u32::MAX);
        let room = Arc::clone(&room).acquire_many_owned(kib).await.ok();
        let event = match line {
            // If it ended in the middle of a line, how it ended says more.
            Ok(None) | Err(LineError::Unfinished(_)) => return,
            Ok(Some(line)) => {
                event(&line).map_err(|error| format!("line {number} of its output: {error}: {:?}", begins(line)))
            }
            Err(LineError::TooLong(line)) => Err(format!(
                "line {number} of its output is longer than {} MiB: {:?}",
                LONGEST_EVENT >> 20,
                begins(line)
            )),
            Err(LineError::Io(error)) => Err(format!("its output cannot be read: {error}")),
        };
        let is_last = event.is_err();
        if events.send(Read { event, bytes, _room: room }).await.is_err() || is_last {
            break;
        }
    }
    drop(events);
    while matches!(lines.next().await, Ok(Some(_)) | Err(LineError::TooLong(_))) {}
}

fn event(line: &[u8]) -> Result<StreamEvent, String> {
    let text = std::str::from_utf8(line).map_err(|_| "this is not an event: it is not UTF-8".to_owned())?;
    StreamEvent::read(text).map_err(|error| error.to_string())
}

/// Reads standard error as lines of the program's log, and keeps the last ones.
async fn read_lines(
    stderr: ChildStderr,
    sender: mpsc::Sender<LogLine>,
    last: Arc<Mutex<VecDeque<String>>>,
    secrets: Secrets,
) {
    let mut lines = Lines::new(stderr, LONGEST_LINE);
    loop {
        let line = match lines.next().await {
            Ok(Some(line)) | Err(LineError::TooLong(line) | LineError::Unfinished(line)) => line,
            Ok(None) | Err(LineError::Io(_)) => return,
        };
        let message = secrets.hide(String::from_utf8_lossy(&line).trim_end().to_owned());
        if message.is_empty() {
            continue;
        }
        {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() == LINES {
                last.pop_front();
            }
            last.push_back(message.clone());
        }
        let (at, target) = (Timestamp::now(), "stderr".to_owned());
        let line = LogLine { at, level: LogLevel::Info, target, step: None, message, fields: None };
        if sender.send(line).await.is_err() {
            return;
        }
    }
}

/// Prints the report of a run, and returns the exit code.
fn print(report: &ProgramReport, streamed: Option<Exit>, closing: &[String], matches: &ArgMatches) -> Exit {
    let is_quiet = is_set(matches, "quiet");
    let printed = match (streamed, output_of(matches)) {
        (Some(streamed), _) => streamed,
        (None, Output::Text) if is_quiet => {
            report.warn();
            Exit::Done
        }
        (None, Output::Text) => {
            let look = Look { full: is_set(matches, "full"), coloured: terminal::is_coloured(matches) };
            terminal::print_with(|out| report.write(out, look, closing))
        }
        (None, _) => terminal::print_json(report),
    };
    // The report as text ends with them.
    if output_of(matches) != Output::Text && !is_quiet {
        for line in closing {
            terminal::note(line);
        }
    }

    if let Some(mut error) = report.error.clone() {
        if report.is_refused_by_guards() {
            let refusal = RunError::Refused(Refusal::Guards(report.breaches.clone()));
            error.extend(advice::on_run(&refusal).map(|advice| format!("\n{advice}")));
        }
        // Printed last, where it is seen, and to standard error, since the report may be piped.
        terminal::fail(&terminal::indented(&error));
    }

    match printed {
        Exit::Done => Exit::of(report.status, report.has_changes() && is_set(matches, "detailed-exitcode")),
        failed => failed,
    }
}
