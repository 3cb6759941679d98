//! Values from the environment, a file, a command or a prompt.

use std::env::VarError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::Source;
use crate::prompt::Prompt;

/// How long a command may take.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often a command is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// More bytes than any value has; a file or an output that is larger is the wrong one.
const LARGEST: u64 = 1 << 20;

/// How many lines of a failed command's standard error are shown.
const LINES: usize = 20;

impl Source {
    /// The value. No error repeats it.
    pub(super) fn resolve(&self, secret: bool, prompt: Prompt, question: &str) -> Result<String, String> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Env(name) => from_env(name)?,
            Self::File(path) => from_file(path)?,
            Self::Command(command) => from_command(command, LONGEST_WAIT)?,
            Self::Prompt => prompt.ask(question)?,
        };
        // An empty secret is always a mistake: a variable exported without a value, or a file that was not filled.
        if secret && text.is_empty() { Err(format!("{self} is empty")) } else { Ok(text) }
    }
}

fn from_env(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| match error {
        VarError::NotPresent => format!("the environment variable {name} is not set"),
        VarError::NotUnicode(_) => format!("the environment variable {name} is not Unicode"),
    })
}

fn from_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        let folder = std::env::current_dir().ok().filter(|_| path.is_relative());
        let folder = folder.map(|folder| format!(" (in the working folder, {})", folder.display())).unwrap_or_default();
        format!("`{shown}`{folder} cannot be read: {error}")
    })?;
    text(bytes).map_err(|error| format!("`{shown}` {error}"))
}

/// The text without its line end.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(format!("holds more than {LARGEST} bytes, so it is not a value"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// The standard output of a command. It is not run by a shell, and has no standard input.
fn from_command(command: &[String], limit: Duration) -> Result<String, String> {
    let [program, arguments @ ..] = command else { return Err("the command is empty".to_owned()) };
    let deadline = Instant::now() + limit;
    let too_long = || format!("the command `{program}` did not end within {} s", limit.as_secs_f64());

    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::NotFound { "; is it installed, and on the PATH?" } else { "" };
        format!("the command `{program}` cannot be started: {error}{hint}")
    })?;

    // Both are read at the same time, since a command blocks on a full pipe.
    let (out, err) = (read(child.stdout.take()), read(child.stderr.take()));
    let status = wait(&mut child, deadline).map_err(|error| format!("the command `{program}`: {error}"))?;
    let status = status.ok_or_else(too_long)?;

    // A process that the command left running may keep its output open.
    let left = || deadline.saturating_duration_since(Instant::now());
    if !status.success() {
        let said = err.recv_timeout(left().min(Duration::from_secs(1))).unwrap_or_default();
        return Err(format!("the command `{program}` {}{}", ended(status), excerpt(&said)));
    }
    let out = out.recv_timeout(left()).map_err(|_| too_long())?;
    text(out).map_err(|error| format!("the output of the command `{program}` {error}"))
}

/// Reads an output on a thread of its own, to its end.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What could be read is used; the exit code tells whether it is all.
            let _ = pipe.by_ref().take(LARGEST + 1).read_to_end(&mut bytes);
            let _ = io::copy(&mut pipe, &mut io::sink());
            let _ = sender.send(bytes);
        });
    }
    receiver
}

/// Waits for a command, and ends it if it takes too long.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| format!("failed ({status})"), |code| format!("failed with exit code {code}"))
}

/// The last lines of a command's standard error, each indented.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n  ");
    if shown.is_empty() { "; it printed nothing to standard error".to_owned() } else { format!(":\n  {shown}") }
}

#[cfg(all(test, unix))]
mod tests {
    use clap::ArgMatches;

    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<String, String> {
        from_command(&["sh", "-c", script].map(str::to_owned), limit)
    }

    #[test]
    fn one_line_end_is_dropped_and_the_rest_is_kept_as_it_is() {
        for (bytes, kept) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a \"\\= ", " a \"\\= "), ("", "")] {
            assert_eq!(text(bytes.into()).unwrap(), kept);
        }
        assert_eq!(text(vec![0xff]).unwrap_err(), "is not UTF-8 text");
        assert!(text(vec![b'a'; (1 << 20) + 1]).unwrap_err().contains("1048576 bytes"));
    }

    #[test]
    fn a_command_gives_its_output_and_no_shell_reads_its_arguments() {
        assert_eq!(shell("cat; printf 'a b\\n'; echo note >&2", LONGEST_WAIT).unwrap(), "a b");
        let command = ["printf", "%s", "$HOME;\"x\"=\\"].map(str::to_owned);
        assert_eq!(from_command(&command, LONGEST_WAIT).unwrap(), "$HOME;\"x\"=\\");
    }

    #[test]
    fn a_failed_command_shows_its_errors_and_not_its_output() {
        let error =
            shell("echo hunter2; echo 'no such entry' >&2; echo 'ask ops' >&2; exit 3", LONGEST_WAIT).unwrap_err();
        assert_eq!(error, "the command `sh` failed with exit code 3:\n  no such entry\n  ask ops");
        let error = shell("exit 1", LONGEST_WAIT).unwrap_err();
        assert_eq!(error, "the command `sh` failed with exit code 1; it printed nothing to standard error");
        assert!(shell("kill -9 $$", LONGEST_WAIT).unwrap_err().contains("failed (signal: 9"));
        let error = from_command(&["no-such-program".to_owned()], LONGEST_WAIT).unwrap_err();
        assert!(error.starts_with("the command `no-such-program` cannot be started: "), "{error}");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let begun = Instant::now();
        let error = shell("exec sleep 30", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error, "the command `sh` did not end within 0.2 s");
        // The process that it leaves running keeps its output open.
        let error = shell("sleep 5 & echo x", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error, "the command `sh` did not end within 0.2 s");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_command_may_print_more_than_a_pipe_holds() {
        let printed = shell("head -c 300000 /dev/zero | tr '\\0' a; head -c 300000 /dev/zero >&2", LONGEST_WAIT);
        assert_eq!(printed.unwrap().len(), 300_000);
        assert!(shell("head -c 3000000 /dev/zero", LONGEST_WAIT).unwrap_err().contains("holds more than"));
    }

    #[test]
    fn an_empty_secret_is_refused() {
        let nothing = Source::Command(["true"].map(str::to_owned).into());
        let prompt = Prompt::new(&ArgMatches::default());
        let resolved = |secret| nothing.resolve(secret, prompt, "token");
        assert_eq!(resolved(true).unwrap_err(), "the output of the command `true` is empty");
        assert_eq!(resolved(false).unwrap(), "");
    }
}
