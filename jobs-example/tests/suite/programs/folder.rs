//! The jobs folder: what is in it, and the commands that fill it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::program::Place;

#[test]
fn what_is_no_job_program_is_reported_and_the_rest_goes_on() {
    let place = Place::new()
        .with_script("good", "begin good; ready create 0; finish completed")
        .with_program("crashes", "#!/bin/sh\necho no licence >&2\nexit 5\n")
        .with_program("other", "#!/bin/sh\necho usage: other FILE\n")
        .with_program("newer", "#!/bin/sh\necho '{\"protocol\": 9}'\n")
        .with_program("broken", "\u{7f}ELF nonsense")
        .with_program("silent", "#!/bin/sh\n")
        .with_program("loud", "#!/bin/sh\nhead -c 5000000 /dev/zero | tr '\\0' a\n");
    fs::write(place.path("jobs/notes.txt"), "not a program").unwrap();
    fs::write(place.path("jobs/.hidden"), "").unwrap();
    fs::create_dir(place.path("jobs/folder")).unwrap();

    let said = place.host(0, &["list"]);
    assert!(said.out.starts_with("good  A -> B"), "{}", said.out);
    for (name, problem) in [
        ("crashes", "ended with exit code 5 when it was asked for its jobs:\n  no licence"),
        ("other", "is no job program: it printed \"usage: other FILE\""),
        ("newer", "speaks version 9 of the protocol, and this program version 1; update this program"),
        ("broken", "cannot be started"),
        ("silent", "is no job program: it printed nothing"),
        ("loud", "printed more than 4194304 bytes"),
        ("notes.txt", "is not executable"),
    ] {
        let warning = format!("warning: the job program `{}` {problem}", place.path("jobs").join(name).display());
        assert!(said.err.contains(&warning), "{warning}: {}", said.err);
    }
    assert_eq!(said.err.matches("warning: ").count(), 7, "{}", said.err);

    place.host(0, &["run", "good"]);
    let said = place.host(1, &["run", "crashes"]);
    said.says("there is no job `crashes`").says("error: the job program `").says("no licence");
    place.host(1, &["show", "good2"]).says("did you mean `good`?");
}

#[test]
fn a_program_that_does_not_answer_is_not_waited_for_longer_than_ten_seconds() {
    let place = Place::new()
        .with_script("good", "begin good; ready create 0; finish completed")
        .with_program("hangs", "#!/bin/sh\nsleep 300 & wait\n");
    let begun = std::time::Instant::now();
    let said = place.host(0, &["list"]);
    said.says("did not describe its jobs within 10 s");
    let waits = format!("waiting up to 10 s for `{}` to describe its jobs", place.path("jobs/hangs").display());
    assert!(said.err.contains(&waits), "{}", said.err);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn an_id_that_exists_twice_names_both() {
    let place = Place::new().with_script("x", "exit 1");
    fs::copy(place.path("jobs/x"), place.path("jobs/y")).unwrap();
    let both = |text: &str| {
        text.contains("2 jobs have the id `x`: one is in `")
            && text.contains("jobs/x`, and one is in `")
            && text.contains("jobs/y`; give one of them another id, or remove it")
    };
    let said = place.host(0, &["list"]);
    assert!(both(&said.err) && said.out.is_empty(), "{}{}", said.out, said.err);
    let said = place.host(1, &["run", "x"]);
    assert!(both(&said.err), "{}", said.err);

    // Its profiles are of no use, and do no harm to others.
    let place = place.with_script("good", "begin good; ready create 0; finish completed");
    fs::write(place.path("profiles.toml"), "[x.a]\nmode = 'apply'\n[good.b]\nmode = 'apply'\n").unwrap();
    place.host(0, &["list"]).says("good@b");
    place.host(0, &["run", "good@b", "--dry-run"]);
    let said = place.host(1, &["run", "x@a"]);
    assert!(both(&said.err), "{}", said.err);

    // A linked job and one of another program.
    let place = Place::new().with_jobs();
    let root = place.path("jobs");
    let said = place.expect(1, &["--jobs-root", root.to_str().unwrap(), "run", "csv-to-postgres"]);
    said.says("2 jobs have the id `csv-to-postgres`: one is linked into this program (");
}

#[test]
fn the_history_has_nothing_of_a_job_of_the_folder_that_never_ran_and_does_not_deny_it() {
    let place = Place::new()
        .with_script("ran", "begin ran; ready create 0; finish completed")
        .with_script("never", "begin never; ready create 0; finish completed");
    place.host(0, &["run", "ran"]);
    let listed = place.host_json(&["history", "list", "--job", "never"]);
    assert_eq!(listed["items"], json!([]), "{listed}");
    place.host(0, &["history", "list", "--job", "ran"]).says("ran");
    place.host(0, &["history", "list", "--profile", "nightly"]);
}

#[test]
fn a_folder_that_cannot_be_read_is_said_so() {
    let place = Place::new();
    place.host(0, &["list"]).says("warning: the jobs folder `").says("cannot be read: ");
    place.host(1, &["run", "x"]).says("there is no job `x`").says("cannot be read: ");
    place.expect(1, &["jobs", "list"]).says("there is no jobs folder; name one with --jobs-root or DIFFSYNC_JOBS_ROOT");
}

/// The workspace's folder.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=ada", "-c", "user.email=ada@example.com"]).args(arguments);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Begins a crate with `jobs new` in `new`, and makes it a repository.
fn begun(place: &Place) {
    let diffsync = workspace().join("diffsync");
    let said = place
        .host(0, &["jobs", "new", "sites-to-inventory", "--path", "new", "--diffsync", diffsync.to_str().unwrap()]);
    said.says("wrote the job `sites-to-inventory` to `new`");
    // The versions that are built here already.
    fs::copy(workspace().join("Cargo.lock"), place.path("new/Cargo.lock")).unwrap();
}

/// One test, since each build takes its time.
#[test]
fn a_new_crate_passes_its_test_and_is_installed_from_its_repository() {
    let place = Place::new();
    begun(&place);
    place.host(1, &["jobs", "new", "sites-to-inventory", "--path", "new"]).says("exists, and is not empty");
    place.host(1, &["jobs", "new", "Sites"]).says("a crate cannot be called \"Sites\"");

    // Kept, since a build from nothing takes minutes.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-job");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(arguments)
            .current_dir(place.path("new"))
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", "-D warnings");
        let output = cargo.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    };
    assert!(cargo(&["test"]).contains("1 passed"));
    assert!(cargo(&["run", "--quiet", "--", "run", "sites-to-inventory", "--history", "off"]).contains("create"));

    git(&place.path("new"), &["init", "--quiet", "--initial-branch", "main"]);
    git(&place.path("new"), &["add", "--all"]);
    git(&place.path("new"), &["commit", "--quiet", "--message", "Begin"]);
    let url = place.path("new");
    let url = url.to_str().unwrap();
    let add = |code: i32, more: &[&str]| {
        let arguments = [&["jobs", "add", "--git", url, "--profile", "dev"], more].concat();
        let mut host = place.host_command(&arguments);
        let said = crate::program::Said::of(
            host.env("CARGO_TARGET_DIR", &target)
                .env("CARGO", env!("CARGO"))
                .env("CARGO_HOME", home_of("CARGO_HOME", ".cargo"))
                .env("RUSTUP_HOME", home_of("RUSTUP_HOME", ".rustup"))
                .env("RUSTFLAGS", "-D warnings")
                .output()
                .unwrap(),
        );
        assert_eq!(said.code, code, "{}{}", said.out, said.err);
        said
    };
    add(1, &["--rev", "v9"]).says("has no revision `v9` that can be checked out");
    add(0, &[]).says("installed sites-to-inventory from ");
    place.host(0, &["list"]).says("sites-to-inventory  Sites file -> Inventory");
    fs::create_dir(place.path("data")).unwrap();
    fs::copy(place.path("new/data/sites.csv"), place.path("data/sites.csv")).unwrap();
    place.host(0, &["run", "sites-to-inventory", "--apply"]).says("created 3");

    // Again from the same place, but not over one from elsewhere.
    add(0, &[]);
    let installed: Value = place.host_json(&["jobs", "list"]);
    assert_eq!((&installed[0]["url"], &installed[0]["jobs"]), (&json!(url), &json!(["sites-to-inventory"])));
    fs::remove_file(place.path("jobs/sites-to-inventory.toml")).unwrap();
    add(1, &[]).says("exists, and it was not installed by `jobs add`; --force replaces it");
    add(0, &["--force"]);
    let left: Vec<_> = fs::read_dir(place.path("jobs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");

    place.host(1, &["jobs", "remove", "../new"]).says("there is no program `../new`");
    place.host(0, &["jobs", "remove", "sites-to-inventory"]);
    assert_eq!(fs::read_dir(place.path("jobs")).unwrap().count(), 0);
    place.host(0, &["jobs", "list"]).says("no programs in");
}

/// Where cargo and rustup keep what they have; the programs of the tests have a home of their own.
fn home_of(variable: &str, folder: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(folder).into())
}

#[test]
fn what_cannot_be_added_is_refused_in_words() {
    let place = Place::new();
    place
        .host(1, &["jobs", "add", "--git", "/no/such/repository"])
        .says("`/no/such/repository` cannot be cloned: git ended with exit code 128");
    place.host(1, &["jobs", "add", "--git=--upload-pack=x"]).says("is no URL");
    fs::create_dir(place.path("empty")).unwrap();
    fs::write(place.path("empty/README"), "").unwrap();
    git(&place.path("empty"), &["init", "--quiet"]);
    git(&place.path("empty"), &["add", "--all"]);
    git(&place.path("empty"), &["commit", "--quiet", "--message", "Begin"]);
    let url = place.path("empty");
    let mut add = place.host_command(&["jobs", "add", "--git", url.to_str().unwrap()]);
    let said = crate::program::Said::of(add.env("CARGO", env!("CARGO")).output().unwrap());
    said.says("cannot be built: cargo ended with exit code 101");
    assert_eq!(fs::read_dir(place.path("jobs")).unwrap().count(), 0, "nothing is left behind");
}
