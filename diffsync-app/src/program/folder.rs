//! The jobs folder: which programs it holds, and what they say of their jobs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;

use super::excerpt;
use super::job::ProgramJob;
use super::process::{Process, ended};
use super::protocol::{Description, PROTOCOL};
use crate::runtime::runtime;
use crate::terminal::{self, one_line};

/// How long a program may take to describe its jobs.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// After which time a person is told what is waited for. A program in Python may need a second to start.
const PATIENCE: Duration = Duration::from_secs(2);

/// More bytes than any description has.
const LARGEST: u64 = 4 << 20;

/// The jobs of the programs of a folder.
#[derive(Default)]
pub(crate) struct Programs {
    pub(crate) jobs: Vec<ProgramJob>,
    /// What is wrong with a program, or with the folder.
    pub(crate) problems: Vec<String>,
}

impl Programs {
    /// Asks all programs of a folder for their jobs, at the same time.
    pub(crate) fn ask(root: &Path) -> Self {
        let paths = match programs(root) {
            Ok(paths) => paths,
            Err(error) => {
                return Self::unknown(format!("the jobs folder `{}` cannot be read: {error}", root.display()));
            }
        };
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => return Self::unknown(error),
        };
        let mut answers = runtime.block_on(async {
            let mut asked = JoinSet::new();
            for path in paths.clone() {
                asked.spawn(async move {
                    let answer = describe(&path).await;
                    (path, answer)
                });
            }
            let mut answers = Vec::new();
            let first = async {
                while let Some(answer) = asked.join_next().await {
                    // One that panicked has said so.
                    answers.extend(answer.ok());
                }
            };
            if tokio::time::timeout(PATIENCE, first).await.is_err() {
                let has_answered = |path: &PathBuf| answers.iter().any(|(answered, _)| answered == path);
                let late = paths.iter().filter(|path| !has_answered(path));
                terminal::note(&waiting(late));
                answers.extend(asked.join_all().await);
            }
            answers
        });
        runtime.shutdown_background();

        // Those that answer first come first, which differs from time to time.
        answers.sort_by(|(path, _), (other, _)| path.cmp(other));
        let mut programs = Self::default();
        for (path, answer) in answers {
            match answer {
                Ok(jobs) => programs.jobs.extend(jobs),
                Err(problem) => programs.problems.push(format!("the job program `{}` {problem}", path.display())),
            }
        }
        programs
    }

    fn unknown(problem: String) -> Self {
        Self { problems: vec![problem], ..Self::default() }
    }
}

/// What is said while programs are waited for.
fn waiting<'a>(late: impl Iterator<Item = &'a PathBuf>) -> String {
    let late: Vec<_> = late.map(|path| format!("`{}`", path.display())).collect();
    let jobs = if late.len() == 1 { "its jobs" } else { "their jobs" };
    format!("waiting up to {} s for {} to describe {jobs}", LONGEST_WAIT.as_secs(), late.join(", "))
}

/// The files of a folder that are programs, or should be: all but hidden ones and the notes of `jobs add`.
pub(super) fn programs(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_note = path.extension().is_some_and(|extension| extension == "toml");
        if path.is_file() && !name.starts_with('.') && !is_note {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Asks a program for its jobs. The error continues a sentence that begins with the program.
pub(super) async fn describe(path: &Path) -> Result<Vec<ProgramJob>, String> {
    if !is_executable(path) {
        return Err("is not executable; make it so (`chmod +x`), or remove it".to_owned());
    }
    let started = Process::start(path, "describe").await;
    let (mut process, pipes) = started.map_err(|error| format!("cannot be started: {error}"))?;
    drop(pipes.stdin);

    let answered = async {
        let (out, err) = tokio::join!(read(pipes.stdout), read(pipes.stderr));
        let status = process.wait().await.map_err(|error| format!("cannot be waited for: {error}"))?;
        Ok::<_, String>((out, err, status))
    };
    let answered = tokio::time::timeout(LONGEST_WAIT, answered).await;
    let too_long = || format!("did not describe its jobs within {} s", LONGEST_WAIT.as_secs());
    let answer = answered.map_err(|_| too_long()).and_then(|answered| answered);
    // What it has started ends as well.
    process.kill().await;

    let (out, err, status) = answer?;
    if !status.success() {
        return Err(format!("{} when it was asked for its jobs{}", ended(status), excerpt(&err)));
    }
    if u64::try_from(out.len()).is_ok_and(|length| length > LARGEST) {
        return Err(format!("printed more than {LARGEST} bytes when it was asked for its jobs"));
    }
    understood(path, &out)
}

/// The jobs of a description.
fn understood(path: &Path, answer: &[u8]) -> Result<Vec<ProgramJob>, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        protocol: u32,
    }

    let none_of_ours = |error: serde_json::Error| {
        let begins = match answer {
            [] => "it printed nothing".to_owned(),
            answer => format!("it printed {:?}", super::start(answer)),
        };
        format!("is no job program: {begins} when it was asked for its jobs ({})", one_line(&error.to_string()))
    };
    // First the version, since another one may have changed all else.
    let Version { protocol } = serde_json::from_slice(answer).map_err(none_of_ours)?;
    if protocol != PROTOCOL {
        let update = if protocol > PROTOCOL { "update this program" } else { "build it again" };
        return Err(format!(
            "speaks version {protocol} of the protocol, and this program version {PROTOCOL}; {update}"
        ));
    }

    let wrong = |error: String| format!("describes its jobs wrongly: {}", one_line(&error));
    let description: Description = serde_json::from_slice(answer).map_err(|error| wrong(error.to_string()))?;
    let version = description.program.version;
    let jobs = description.jobs.into_iter().map(|job| ProgramJob::new(path.to_owned(), &version, job));
    let jobs = jobs.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    match jobs.iter().enumerate().find(|(at, job)| jobs.iter().take(*at).any(|other| other.info.id == job.info.id)) {
        Some((_, job)) => Err(wrong(format!("it has two jobs `{}`", job.info.id))),
        None if jobs.is_empty() => Err("has no jobs".to_owned()),
        None => Ok(jobs),
    }
}

/// Reads an output up to a byte more than is allowed, and ignores the rest.
async fn read(mut output: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What could be read is used; the exit code tells whether it is all.
    let _ = (&mut output).take(LARGEST + 1).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    bytes
}

#[cfg(unix)]
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("exe"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn described(answer: &Value) -> Result<Vec<ProgramJob>, String> {
        understood(Path::new("/jobs/x"), answer.to_string().as_bytes())
    }

    fn job(more: &Value) -> Value {
        let mut job = json!({"id": "a-to-b", "source_label": "A", "target_label": "B", "models": ["site"]});
        for (key, value) in more.as_object().unwrap() {
            job[key] = value.clone();
        }
        json!({"protocol": 1, "program": {"name": "x"}, "jobs": [job]})
    }

    #[test]
    fn a_short_description_has_sensible_defaults() {
        let jobs = described(&job(&json!({"variables": [{"name": "site"}], "more": 1}))).unwrap();
        let [job] = &*jobs else { unreachable!() };
        assert_eq!((job.info.id, job.info.name, job.info.source_label), ("a-to-b", "a-to-b", "A"));
        assert!(job.info.dryrun_default && !job.info.hidden && job.max_deletes.is_none());
        assert!(!job.takes("only") && !job.takes("allow-deletes") && job.takes("time-limit"));
    }

    #[test]
    fn a_text_cannot_write_to_the_terminal() {
        let jobs = described(&job(&json!({"source_label": "\u{1b}[2K", "description": "one\u{7}\ntwo"}))).unwrap();
        assert_eq!(jobs[0].info.source_label, "\\u{1b}[2K");
        assert_eq!(jobs[0].info.description, "one\\u{7}\ntwo");
    }

    #[test]
    fn a_wrong_description_is_refused_with_the_reason() {
        let variable = |name: &str| json!({"variables": [{"name": name}]});
        for (more, reason) in [
            (json!({"id": "a b"}), "a job cannot be called \"a b\""),
            (json!({"id": "--apply"}), "a job cannot be called"),
            (json!({"models": []}), "the job `a-to-b` has no models"),
            (variable("Site"), "cannot be called \"Site\""),
            (variable("dry_run"), "every job has a flag of that name"),
            (json!({"variables": [{"name": "a"}, {"name": "a"}]}), "two variables `a`"),
            (json!({"variables": [{"name": "a", "secret": true, "default": "x"}]}), "is a secret and has a default"),
            (json!({"variables": [{"name": "a", "kind": "colour"}]}), "unknown variant `colour`"),
            (json!({"max_deletes": "most"}), "expected a number of records"),
            (json!({"time_limit_seconds": -1}), "the time limit of the job"),
        ] {
            let error = described(&job(&more)).err().unwrap();
            assert!(error.starts_with("describes its jobs wrongly: ") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_no_description_is_told_from_one_of_another_version() {
        let understood = |answer: &str| understood(Path::new("x"), answer.as_bytes()).err().unwrap();
        assert!(understood("").starts_with("is no job program: it printed nothing when it was asked for its jobs"));
        assert!(understood("usage: x [-h]\u{1b}[1m").contains("it printed \"usage: x [-h]\\u{1b}[1m\" when"));
        assert!(understood(r#"{"name": "x"}"#).contains("is no job program"));
        assert_eq!(
            understood(r#"{"protocol": 2, "jobs": 7}"#),
            "speaks version 2 of the protocol, and this program version 1; update this program"
        );
        assert_eq!(understood(r#"{"protocol": 1, "program": {"name": "x"}, "jobs": []}"#), "has no jobs");
    }
}
