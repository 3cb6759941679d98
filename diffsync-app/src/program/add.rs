//! The command `jobs add`: a job program from a Git repository.

use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use clap::ArgMatches;
use diffsync_core::value::{Url, redact_url};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir};

use super::folder::describe;
use super::names::{file_name, text};
use crate::runtime::runtime;
use crate::terminal;

/// Where a program of the folder came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The repository, without a login.
    pub(super) url: String,
    /// The commit.
    pub(super) rev: String,
    pub(super) installed_at: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.rev.chars().take(12).collect();
        write!(f, "{} at {}", terminal::one_line(&self.url), terminal::one_line(&short))
    }
}

/// The file beside a program that says where it came from.
pub(super) fn note_path(program: &Path) -> PathBuf {
    let mut name = program.file_name().unwrap_or_default().to_owned();
    name.push(".toml");
    program.with_file_name(name)
}

/// Where a program came from, if `jobs add` installed it.
pub(super) fn note(program: &Path) -> Option<Note> {
    toml::from_str(&fs::read_to_string(note_path(program)).ok()?).ok()
}

/// A program that is to be installed.
pub(super) struct Add<'a> {
    root: &'a Path,
    url: &'a str,
    rev: Option<&'a str>,
    profile: &'a str,
    force: bool,
}

impl<'a> Add<'a> {
    pub(super) fn new(root: &'a Path, matches: &'a ArgMatches) -> Result<Self, String> {
        let (url, rev) = (text(matches, "git"), matches.get_one::<String>("rev").map(String::as_str));
        for (what, text) in [("URL", url), ("revision", rev.unwrap_or("HEAD"))] {
            // Git would take it for an option.
            if text.is_empty() || text.starts_with('-') || text.contains(char::is_control) {
                return Err(format!("{text:?} is no {what}"));
            }
        }
        Ok(Self { root, url, rev, profile: text(matches, "profile"), force: matches.get_flag("force") })
    }

    /// Clones, builds and installs. The text says what was installed.
    pub(super) fn run(&self) -> Result<String, String> {
        let root = self.root.display();
        let prepared = fs::create_dir_all(self.root)
            // In the same file system, so that a program is installed by renaming it.
            .and_then(|()| tempfile::Builder::new().prefix(".adding-").tempdir_in(self.root));
        let folder =
            prepared.map_err(|error| format!("nothing can be written to the jobs folder `{root}`: {error}"))?;

        let rev = self.check_out(folder.path())?;
        let binaries = self.build(folder.path())?;
        let note = Note { url: self.shown_url(), rev, installed_at: Timestamp::now().to_string() };

        let runtime = runtime()?;
        let (mut programs, mut others) = (Vec::new(), Vec::new());
        for binary in binaries {
            match runtime.block_on(describe(&binary)) {
                Ok(jobs) => programs.push((binary, jobs)),
                Err(problem) => others.push(format!("`{}` {problem}", file_name(&binary))),
            }
        }
        runtime.shutdown_background();
        if programs.is_empty() {
            let others = if others.is_empty() { "it has no program".to_owned() } else { others.join("\nerror: ") };
            return Err(format!("nothing was installed from `{}`: {others}", note.url));
        }
        for other in others {
            terminal::warn(&format!("not installed: {other}"));
        }

        // All are checked before any is replaced.
        for (binary, _) in &programs {
            self.check_replaced(&self.root.join(file_name(binary)), &note)?;
        }
        let mut said = String::new();
        for (binary, jobs) in &programs {
            let path = self.root.join(file_name(binary));
            install(binary, &path, &note)
                .map_err(|error| format!("`{}` cannot be installed: {error}", path.display()))?;
            let ids: Vec<_> = jobs.iter().map(|job| job.info().id).collect();
            // Writing to a string does not fail.
            let _ = writeln!(said, "installed {} from {note}: {}", file_name(binary), ids.join(", "));
        }
        Ok(said)
    }

    /// Clones the repository, and returns the commit.
    fn check_out(&self, folder: &Path) -> Result<String, String> {
        let clone = folder.join("repository");
        let mut git = Command::new("git");
        git.args(["clone", "--quiet", "--"]).arg(self.url).arg(&clone);
        shown(&mut git, &format!("`{}` cannot be cloned", self.shown_url()))?;

        let commit = match self.rev {
            // The clone has only its default branch as a branch of its own.
            Some(rev) => match commit(&clone, &format!("refs/remotes/origin/{rev}"))? {
                Some(commit) => Some(commit),
                None => commit(&clone, rev)?,
            },
            None => commit(&clone, "HEAD")?,
        };
        let commit = commit.ok_or_else(|| match self.rev {
            Some(rev) => format!("`{}` has no revision `{rev}` that can be checked out", self.shown_url()),
            None => format!("`{}` has no commit", self.shown_url()),
        })?;

        let mut git = git_in(&clone);
        git.args(["checkout", "--quiet", "--detach", &commit]);
        shown(&mut git, &format!("`{}` cannot be checked out at `{commit}`", self.shown_url()))?;
        Ok(commit)
    }

    /// Builds the repository's programs, and returns their files.
    fn build(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let failed = |how: String| format!("`{}` cannot be built: {how}", self.shown_url());
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(folder.join("repository"));
        // The lock file says what its author has tested.
        cargo.args(["build", "--locked", "--bins", "--message-format", "json-render-diagnostics"]);
        cargo.args(["--profile", self.profile]);
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = cargo.spawn().map_err(|error| failed(format!("cargo cannot be started: {error}")))?;

        let mut binaries = Vec::new();
        for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line.map_err(|error| failed(error.to_string()))?;
            binaries.extend(serde_json::from_str::<Artifact>(&line).ok().and_then(Artifact::binary));
        }
        let status = child.wait().map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(binaries) } else { Err(failed(format!("cargo {}", super::process::ended(status)))) }
    }

    /// Refuses to replace a program that is from elsewhere.
    fn check_replaced(&self, path: &Path, new: &Note) -> Result<(), String> {
        if self.force || !path.exists() {
            return Ok(());
        }
        let from = match note(path) {
            Some(old) if old.url == new.url => return Ok(()),
            Some(old) => format!("it is from {old}"),
            None => "it was not installed by `jobs add`".to_owned(),
        };
        Err(format!("`{}` exists, and {from}; --force replaces it", path.display()))
    }

    /// The URL without its login, which may be a secret.
    fn shown_url(&self) -> String {
        self.url.parse::<Url>().map_or_else(|_| self.url.to_owned(), |url| redact_url(&url))
    }
}

/// A line of cargo's output.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    executable: Option<PathBuf>,
}

impl Artifact {
    fn binary(self) -> Option<PathBuf> {
        self.executable.filter(|_| self.reason == "compiler-artifact")
    }
}

fn git_in(clone: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(clone);
    git
}

/// The commit that a revision of a clone names, if it names one.
fn commit(clone: &Path, rev: &str) -> Result<Option<String>, String> {
    let mut git = git_in(clone);
    git.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]).arg(format!("{rev}^{{commit}}"));
    let output = git.stdin(Stdio::null()).output().map_err(|error| format!("git cannot be started: {error}"))?;
    let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Some(commit).filter(|commit| output.status.success() && !commit.is_empty()))
}

/// Runs a command whose errors are shown, to its end.
fn shown(command: &mut Command, failed: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ended: Result<ExitStatus, _> = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{failed}: {program} {}", super::process::ended(status))),
        Err(error) => Err(format!("{failed}: {program} cannot be started: {error}")),
    }
}

/// Puts a program and its note into the folder, each at once: whoever runs it meanwhile has the old one or the new one.
fn install(binary: &Path, path: &Path, note: &Note) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // In a hidden folder, since a file of the jobs folder is taken for a program.
    let beside = TempDir::with_prefix_in(".adding-", folder)?;
    let new = beside.path().join("program");
    // With its permissions.
    fs::copy(binary, &new)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, path)?;

    let mut file = NamedTempFile::new_in(beside.path())?;
    writeln!(file, "# Written by `jobs add`.")?;
    for (key, value) in [("url", &note.url), ("rev", &note.rev), ("installed_at", &note.installed_at)] {
        // A text of JSON is one of TOML, as long as it has no control characters.
        writeln!(file, "{key} = {}", serde_json::to_string(value)?)?;
    }
    file.persist(note_path(path))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What git says, run in this folder by somebody called Ada.
    fn said(folder: &Path, arguments: &[&str]) -> String {
        let mut git = git_in(folder);
        let output = git.args(["-c", "user.name=ada", "-c", "user.email=ada@example.com"]).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The commit that is checked out of a repository for a revision.
    fn checked_out(repository: &Path, rev: Option<&str>) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let url = repository.to_str().unwrap();
        let commit = Add { root: folder.path(), url, rev, profile: "dev", force: false }.check_out(folder.path())?;
        assert_eq!(said(&folder.path().join("repository"), &["rev-parse", "HEAD"]), commit);
        Ok(commit)
    }

    #[test]
    fn a_revision_is_a_branch_a_tag_or_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path();
        said(repository, &["init", "--quiet", "--initial-branch", "main"]);
        assert!(checked_out(repository, None).unwrap_err().ends_with("has no commit"));

        let commit = |message: &str| {
            said(repository, &["commit", "--quiet", "--allow-empty", "--message", message]);
            said(repository, &["rev-parse", "HEAD"])
        };
        let first = commit("Begin");
        said(repository, &["tag", "--annotate", "v1", "--message", "v1"]);
        said(repository, &["checkout", "--quiet", "-b", "feature/next"]);
        let next = commit("Go on");
        said(repository, &["checkout", "--quiet", "main"]);
        let last = commit("End");

        for (rev, expected) in [
            (None, &last),
            (Some("main"), &last),
            (Some("main~1"), &first),
            (Some("feature/next"), &next),
            (Some("v1"), &first),
            (Some(next.as_str()), &next),
        ] {
            assert_eq!(checked_out(repository, rev).as_ref(), Ok(expected), "{rev:?}");
        }
        let error = checked_out(repository, Some("v9")).unwrap_err();
        assert!(error.ends_with("has no revision `v9` that can be checked out"), "{error}");
    }
}
