//! The process of a program with jobs.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::JOBS_ROOT;
use super::protocol::COMMAND;

/// How often a file that is still open for writing is tried again.
const BUSY_TRIES: usize = 10;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// A running program, which ends with this value.
pub(super) struct Process {
    child: Child,
    group: Group,
}

/// Its pipes.
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// The group of processes of a program: the program and what it has started.
#[derive(Clone, Default)]
pub(super) struct Group(Arc<Option<u32>>);

impl Process {
    /// Starts `PROGRAM protocol WHAT`, in a group of its own: Ctrl-C on the terminal is for the host, which tells the program.
    pub(super) async fn start(path: &Path, what: &str) -> io::Result<(Self, Pipes)> {
        let mut command = Command::new(path);
        command.args([COMMAND, what]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        // A program that has a jobs folder of its own must not ask itself.
        command.env_remove(JOBS_ROOT);
        #[cfg(unix)]
        command.process_group(0);

        let mut tries = 0;
        let mut child = loop {
            match command.spawn() {
                // A process that was started while the file was written may hold it open for a moment.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES => {
                    tries += 1;
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                spawned => break spawned?,
            }
        };
        let group = Group(Arc::new(child.id()));
        let closed = || io::Error::other("it has no pipe");
        let stdin = child.stdin.take().ok_or_else(closed)?;
        let stdout = child.stdout.take().ok_or_else(closed)?;
        let stderr = child.stderr.take().ok_or_else(closed)?;
        Ok((Self { child, group }, Pipes { stdin, stdout, stderr }))
    }

    /// Its group, to end it from elsewhere.
    pub(super) fn group(&self) -> Group {
        self.group.clone()
    }

    /// Waits until it has ended.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Waits until it has ended, for this long at most.
    pub(super) async fn wait_for(&mut self, limit: Duration) -> Option<ExitStatus> {
        tokio::time::timeout(limit, self.child.wait()).await.ok().and_then(Result::ok)
    }

    /// Ends it, with all that it has started.
    pub(super) async fn kill(&mut self) {
        self.group.kill();
        // It may have ended already.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.kill();
    }
}

impl Group {
    /// The number of the process that leads it.
    pub(super) fn leader(&self) -> Option<u32> {
        *self.0
    }

    /// Ends all of its processes at once.
    pub(super) fn kill(&self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            // They may have ended already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// The lines of an output, each of limited length.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    longest: usize,
    /// The number of the line that was read last, from 1.
    number: u64,
}

/// Why there is no next line.
#[derive(Debug)]
pub(super) enum LineError {
    /// It is longer than allowed. The next line is its rest.
    TooLong(Vec<u8>),
    /// The output ended in it.
    Unfinished(Vec<u8>),
    /// The output cannot be read.
    Io(io::Error),
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The lines of up to `longest` bytes.
    pub(super) fn new(output: R, longest: usize) -> Self {
        Self { reader: BufReader::with_capacity(64 << 10, output), longest, number: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, without its end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        let mut line = Vec::new();
        loop {
            let read = self.reader.fill_buf().await.map_err(LineError::Io)?;
            if read.is_empty() {
                if line.is_empty() {
                    return Ok(None);
                }
                self.number += 1;
                return Err(LineError::Unfinished(line));
            }

            let end = read.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(read.get(..end.unwrap_or(read.len())).unwrap_or_default());
            let used = end.map_or(read.len(), |end| end + 1);
            self.reader.consume(used);
            if line.len() > self.longest {
                self.number += 1;
                return Err(LineError::TooLong(line));
            }
            if end.is_some() {
                self.number += 1;
                return Ok(Some(line));
            }
        }
    }
}

/// How a process ended, in words.
pub(super) fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended ({status})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_read_up_to_their_limit() {
        let mut lines = Lines::new(&b"one\n\nthree\nmuch too long\n"[..], 5);
        for (number, line) in [(1, "one"), (2, ""), (3, "three")] {
            assert_eq!(lines.next().await.unwrap().unwrap(), line.as_bytes());
            assert_eq!(lines.number(), number);
        }
        assert!(matches!(lines.next().await, Err(LineError::TooLong(_))));
        assert_eq!(lines.number(), 4);

        let mut lines = Lines::new(&b"one\nhalf a"[..], 20);
        assert!(lines.next().await.unwrap().is_some());
        assert!(matches!(lines.next().await, Err(LineError::Unfinished(line)) if line == b"half a"));
        assert!(matches!(lines.next().await, Ok(None)));
    }
}
