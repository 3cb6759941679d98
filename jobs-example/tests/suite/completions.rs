//! Completion scripts and manual pages.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::Place;

/// Whether a program is there.
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// What bash offers for the last of these words.
fn offered(place: &Place, words: &[&str]) -> Vec<String> {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source ./completions.bash\nCOMP_WORDS=({})\nCOMP_CWORD={}\n\
         registered=$(complete -p jobs-example)\nfunction=${{registered#*-F }}\n\
         ${{function%% *}} jobs-example \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let output = Command::new("bash").args(["--norc", "-c", &script]).current_dir(place.path(".")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}

/// A place with a profile and the script for bash.
fn place() -> Place {
    let place = Place::new();
    fs::write(place.path("profiles.toml"), "[countries-to-inventory.emea]\nmode = \"apply\"\n").unwrap();
    let script = place.expect(0, &["completions", "bash"]).out;
    fs::write(place.path("completions.bash"), script).unwrap();
    place
}

#[test]
fn bash_completes_commands_jobs_profiles_and_flags() {
    let place = place();
    let checked = Command::new("bash").arg("-n").arg(place.path("completions.bash")).status().unwrap();
    assert!(checked.success());

    let commands = offered(&place, &["jobs-example", ""]);
    for command in ["run", "plan", "apply", "history", "completions", "man"] {
        assert!(commands.iter().any(|offer| offer == command), "{command} in {commands:?}");
    }
    let jobs = offered(&place, &["jobs-example", "run", ""]);
    for job in ["countries-to-inventory", "countries-to-inventory@emea", "ipam-a-to-ipam-b"] {
        assert!(jobs.iter().any(|offer| offer == job), "{job} in {jobs:?}");
    }
    let begun = offered(&place, &["jobs-example", "run", "ipam"]);
    assert_eq!(begun, ["ipam-a-to-ipam-b"]);
    let flags = offered(&place, &["jobs-example", "run", "countries-to-inventory", "--inv"]);
    assert_eq!(flags, ["--inventory"]);
    assert_eq!(offered(&place, &["jobs-example", "run", "countries-to-inventory@emea", "--inv"]), ["--inventory"]);
    let formats = offered(&place, &["jobs-example", "run", "countries-to-inventory", "--output", ""]);
    assert_eq!(formats, ["text", "json", "jsonl"]);
}

#[test]
fn every_shell_has_a_script_and_another_is_refused() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.expect(0, &["completions", shell]).out;
        assert!(script.contains("countries-to-inventory"), "{shell}");
    }
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        if is_there(shell) {
            fs::write(place.path(shell), place.expect(0, &["completions", shell]).out).unwrap();
            assert!(Command::new(shell).arg(check).arg(place.path(shell)).status().unwrap().success(), "{shell}");
        }
    }
    place.expect(1, &["completions", "cmd"]).says("[possible values: bash, elvish, fish, powershell, zsh]");
}

/// Formats a manual page, and expects no warning.
fn formatted(page: &Path) -> String {
    let output = Command::new("groff").args(["-man", "-Kutf8", "-Tutf8", "-ww", "-P-cbou"]).arg(page).output().unwrap();
    let warnings = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new();
    let page = place.expect(0, &["man"]).out;
    assert!(page.contains(".TH jobs-example 1"), "{page}");

    let said = place.expect(0, &["man", "--dir", "pages/man1"]);
    assert_eq!(said.out, "");
    let read = |name: &str| place.read(&format!("pages/man1/{name}.1"));
    assert_eq!(read("jobs-example"), page);
    assert!(read("jobs-example-run-countries-to-inventory").contains("inventory"), "the flags of the job");
    assert!(read("jobs-example-history-prune").contains("keep"), "the flags of the command");

    if is_there("groff") {
        for page in fs::read_dir(place.path("pages/man1")).unwrap() {
            assert!(formatted(&page.unwrap().path()).contains("NAME"));
        }
    }

    fs::write(place.path("file"), "").unwrap();
    place.expect(1, &["man", "--dir", "file"]).says("the manual pages cannot be written to `file`: ");
}
