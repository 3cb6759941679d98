//! The program's own side: it describes its jobs to a host, and runs one for it.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use diffsync_core::JobRegistry;
use diffsync_core::job::{JobEntry, PreparedJob, VariableValues};
use diffsync_core::report::{Event, Observer, Status, TracingObserver};
use diffsync_core::run::{CancellationToken, LockError, LockFuture, RunOptions, TargetLock};
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::block_in_place;

use super::protocol::{
    About, COMMAND, Command, DescribedJob, DescribedVariable, Description, Kind, Options, PROTOCOL, Request,
};
use crate::events::{EventStream, STREAM, StreamEvent, StreamLayer};
use crate::exit::Exit;
use crate::runtime::runtime;
use crate::terminal;

/// More bytes than any request has.
const LONGEST_REQUEST: u64 = 64 << 20;

/// How long a run may take to end once its host is gone.
const GRACE: Duration = Duration::from_secs(10);

/// Answers `PROGRAM protocol describe` and `PROGRAM protocol run`.
pub(crate) fn serve(registry: &JobRegistry, arguments: &[OsString], version: &str) -> Exit {
    let asked = arguments.iter().skip_while(|argument| *argument != COMMAND).nth(1);
    match asked.map(|asked| asked.to_string_lossy()).as_deref() {
        Some("describe") => {
            let printed = terminal::write_line(&mut terminal::output(), &description(registry, version));
            terminal::printed(printed)
        }
        Some("run") => serve_run(registry).unwrap_or_else(|error| terminal::fail(&error)),
        _ => terminal::fail("`protocol` is for the host of a job program, and takes `describe` or `run`"),
    }
}

/// What the program tells of its jobs.
fn description(registry: &JobRegistry, version: &str) -> Description {
    let name = std::env::current_exe().ok();
    let name = name.as_deref().and_then(|path| path.file_stem()).unwrap_or_default().to_string_lossy().into_owned();
    let program = About { name, version: version.to_owned() };
    Description { protocol: PROTOCOL, program, jobs: registry.iter().map(described).collect() }
}

fn described(job: &JobEntry) -> DescribedJob {
    let info = job.info();
    DescribedJob {
        id: info.id.to_owned(),
        name: info.name.to_owned(),
        description: info.description.to_owned(),
        source_label: info.source_label.to_owned(),
        target_label: info.target_label.to_owned(),
        kind: info.kind,
        dryrun_default: info.dryrun_default,
        hidden: info.hidden,
        time_limit_seconds: info.time_limit.map(|limit| limit.as_secs_f64()),
        limits: info.limits,
        on_guard: info.on_guard,
        // The core keeps all limits.
        max_deletes: None,
        models: job.models().iter().map(|schema| schema.name.to_owned()).collect(),
        data_mappings: job.data_mappings(),
        variables: job
            .variables()
            .iter()
            .map(|spec| DescribedVariable {
                name: spec.name.to_owned(),
                help: spec.help.to_owned(),
                kind: Kind::of(spec.kind),
                required: spec.required,
                secret: spec.secret,
                default: spec.default.map(str::to_owned),
                env: spec.env.map(str::to_owned),
                group: spec.group.map(str::to_owned),
            })
            .collect(),
        options: Options::NAMES.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Runs the job that the host asks for.
fn serve_run(registry: &JobRegistry) -> Result<Exit, String> {
    let mut input = BufReader::new(io::stdin());
    let request = read_request(&mut input)?;
    let job = registry.get(&request.job).map_err(|error| error.to_string())?;

    // What is wrong with the request is told as the end of its run, so that the host can show it.
    let (prepared, mut options) = match prepare(job, &request) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(refuse(&request, error)),
    };
    terminal::log_events();

    let stream = EventStream::start(terminal::output(), None, None);
    let stream = Arc::new(stream.map_err(|error| format!("the events cannot be written: {error}"))?);
    StreamLayer::write_to(&stream);
    let host = Host::follow(input, options.cancellation.clone(), stream.lost().clone());
    options.lock =
        Some(stream.target_lock(Some(Arc::new(HostLock { stream: Arc::clone(&stream), host: host.clone() }))));

    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::new(TracingObserver::default())];
    observers.push(Arc::clone(&stream) as Arc<dyn Observer>);
    // After the stream, which tells the host of the diff before the run waits for its answer.
    if !request.dry_run {
        observers.push(Arc::new(HostGate(host)));
    }

    let runtime = runtime()?;
    runtime.block_on(prepared.run(options, observers));
    let written = terminal::printed(stream.finish());
    // A cancelled loader may still block a thread; its result is not needed.
    runtime.shutdown_background();
    Ok(written)
}

fn read_request(input: &mut impl io::BufRead) -> Result<Request, String> {
    let mut line = String::new();
    let read = input.by_ref().take(LONGEST_REQUEST).read_line(&mut line);
    read.map_err(|error| format!("the request cannot be read: {error}"))?;

    // The error of the parser may repeat a part of the line, which holds secrets.
    match serde_json::from_str(&line) {
        Ok(Command::Run(request)) if request.protocol == PROTOCOL => Ok(*request),
        Ok(Command::Run(request)) => Err(format!(
            "the host speaks version {} of the protocol, and this program version {PROTOCOL}",
            request.protocol
        )),
        Ok(_) => Err("the first line of the host must ask for a run".to_owned()),
        Err(error) => {
            Err(format!("the first line of the host is no request: line {}, column {}", error.line(), error.column()))
        }
    }
}

/// The job with its variables set, and the options of the run.
fn prepare(job: &JobEntry, request: &Request) -> Result<(Box<dyn PreparedJob>, RunOptions), String> {
    let mut values = VariableValues::new();
    for (name, value) in &request.variables {
        if !job.variables().iter().any(|spec| spec.name == name) {
            return Err(format!("the job `{}` has no variable `{name}`", request.job));
        }
        values = match value {
            Value::String(text) => values.with(name, text),
            Value::Array(texts) if texts.iter().all(Value::is_string) => {
                texts.iter().filter_map(Value::as_str).fold(values, |values, text| values.with(name, text))
            }
            _ => return Err(format!("the variable `{name}` must be a text, or a list of texts")),
        };
    }
    let prepared = job.prepare(&values).map_err(|errors| errors.to_string())?;

    let mut options = RunOptions::new(job.info());
    request.options.clone().set(&mut options)?;
    options.dry_run = request.dry_run;
    // The host keeps the time, since it can also end a program that does not.
    options.time_limit = None;
    Ok((prepared, options))
}

/// Tells a run that could not begin.
fn refuse(request: &Request, error: String) -> Exit {
    let (job, dry_run, at) = (request.job.clone(), request.dry_run, Timestamp::now());
    let begun = StreamEvent::RunStarted { stream: STREAM, job, dry_run, at, profile: None, sync: None };
    let ended = StreamEvent::RunFinished {
        status: Status::Failed,
        error: Some(error),
        counts: diffsync_core::plan::OutcomeCounts::default(),
        retries: 0,
    };
    let mut out = terminal::output();
    let written = terminal::write_line(&mut out, &begun).and_then(|()| terminal::write_line(&mut out, &ended));
    terminal::printed(written)
}

/// What the host has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Nothing yet.
    None,
    Load,
    Write,
    /// The run is to end.
    Stop,
}

/// The host, which answers on standard input.
#[derive(Debug, Clone)]
struct Host {
    answer: watch::Receiver<Answer>,
    /// Why it stopped the run.
    reason: Arc<Mutex<Option<String>>>,
    cancellation: CancellationToken,
    /// Cancelled once the host is told nothing more, and so does not answer.
    lost: CancellationToken,
}

impl Host {
    /// Reads the host's commands on a thread of its own. The end of the input is the end of the host, and cancels the run.
    fn follow(mut input: BufReader<io::Stdin>, cancellation: CancellationToken, lost: CancellationToken) -> Self {
        let (sender, answer) = watch::channel(Answer::None);
        let host = Self { answer, reason: Arc::default(), cancellation, lost };
        let reading = host.clone();
        let read = move || {
            let tell = |answer| {
                sender.send_replace(answer);
            };
            let end = || {
                reading.cancellation.cancel();
                tell(Answer::Stop);
            };
            loop {
                let mut line = String::new();
                if matches!(input.read_line(&mut line), Ok(0) | Err(_)) {
                    break;
                }
                match serde_json::from_str(&line) {
                    Ok(Command::Load) => tell(Answer::Load),
                    Ok(Command::Write) => tell(Answer::Write),
                    Ok(Command::Stop { reason }) => {
                        *reading.reason() = Some(reason);
                        end();
                    }
                    Ok(Command::Cancel) => end(),
                    Ok(Command::Run(_)) | Err(_) => tracing::warn!("the host sent a command that is not known"),
                }
            }
            end();
            end_without_host();
        };
        // Without the thread, the host could not cancel the run.
        if let Err(error) = thread::Builder::new().name("host".into()).spawn(read) {
            tracing::error!(%error, "the commands of the host cannot be read");
            host.cancellation.cancel();
        }
        host
    }

    fn reason(&self) -> MutexGuard<'_, Option<String>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for this answer. The error is why there is another.
    async fn answers(&self, wanted: Answer) -> Result<(), LockError> {
        let mut answer = self.answer.clone();
        let answered = async {
            answer.wait_for(|answer| *answer == wanted || *answer == Answer::Stop).await.map(|answer| *answer)
        };
        let answered = tokio::select! {
            biased;
            // The host may not have seen what it is asked, and would not see what is written.
            () = self.lost.cancelled() => {
                self.cancellation.cancel();
                return Err(LockError::Held("the host cannot be told of the run".to_owned()));
            }
            answered = answered => answered,
        };
        match answered {
            Ok(answer) if answer == wanted => Ok(()),
            _ => {
                let reason = self.reason().clone();
                Err(LockError::Held(reason.unwrap_or_else(|| "the host ended the run".to_owned())))
            }
        }
    }
}

/// Ends the program some time after its host is gone: no one else would end a loader that does not notice that it is cancelled.
fn end_without_host() {
    thread::sleep(GRACE);
    std::process::exit(Exit::Cancelled.code().into());
}

/// Asks the host for the lock of the target.
struct HostLock {
    stream: Arc<EventStream>,
    host: Host,
}

impl TargetLock for HostLock {
    fn lock<'a>(&'a self, resource: Option<&'a str>) -> LockFuture<'a> {
        Box::pin(async move {
            self.stream.lock_target(resource);
            self.host.answers(Answer::Load).await
        })
    }
}

impl fmt::Debug for HostLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostLock").finish_non_exhaustive()
    }
}

/// Keeps a run from writing until the host allows it. A run that is refused by its own guards waits as well, and is answered.
struct HostGate(Host);

impl Observer for HostGate {
    fn observe(&self, event: &Event<'_>) {
        if let Event::DiffReady(_) = event {
            // An observer is not asynchronous, and the run must not go on before the answer.
            let wait = || Handle::current().block_on(self.0.answers(Answer::Write));
            if let Err(reason) = block_in_place(wait) {
                tracing::warn!(%reason, "the host does not let the run write");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::Panicking;

    #[test]
    fn a_run_does_not_wait_for_a_host_that_cannot_be_told() {
        let stream = Arc::new(EventStream::start(Panicking, None, None).unwrap());
        // The host goes on, and answers nothing.
        let (_sender, answer) = watch::channel(Answer::None);
        let (cancellation, lost) = (CancellationToken::new(), stream.lost().clone());
        let host = Host { answer, reason: Arc::default(), cancellation: cancellation.clone(), lost };
        let lock = HostLock { stream: Arc::clone(&stream), host: host.clone() };

        let answers =
            async { (lock.lock(Some("file:///x")).await.unwrap_err(), host.answers(Answer::Write).await.unwrap_err()) };
        let answers = runtime().unwrap().block_on(async { tokio::time::timeout(GRACE, answers).await.unwrap() });
        assert_eq!(answers.0.to_string(), "the host cannot be told of the run");
        assert_eq!(answers.1.to_string(), answers.0.to_string());
        assert!(cancellation.is_cancelled());
    }
}
