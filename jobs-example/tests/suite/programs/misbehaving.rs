//! Programs that do not do what they should: each is reported for what it is, and the host goes on.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::Place;

/// Runs the script, which fails, and expects the error; the sync has failed for the same reason.
fn fails(run: &str, apply: bool, error: &str) {
    let place = Place::new().with_script("x", run);
    let arguments = if apply { &["run", "x", "--apply"][..] } else { &["run", "x"] };
    let said = place.host(1, arguments);
    let shown = error.replace('\n', "\n  ");
    assert!(said.err.contains("the job program `") && said.err.contains(&shown), "{error}: {}", said.err);
    let sync = &place.host_json(&["history", "show", "last"])["sync"];
    assert_eq!(sync["status"], "failed");
    assert!(sync["error"].as_str().unwrap().contains(error), "{sync}");
}

#[test]
fn a_program_that_crashes_is_reported_with_its_last_words() {
    fails("echo no disk >&2; exit 3", false, "it ended with exit code 3:\n  no disk");
    fails("begin x; create 0 ams; kill -9 $$", false, "signal: 9");
    fails("begin x; exit 0", false, "it ended with exit code 0; it printed nothing to standard error");
    fails("begin x; printf '{\"event\":'; exit 1", false, "it ended with exit code 1");
}

#[test]
fn a_crash_while_writing_leaves_what_was_done_and_says_what_is_not_known() {
    let run = "begin x; create 0 ams; create 1 fra; ready create 2; read -r answer; done_ 0 ams; exit 1";
    let place = Place::new().with_script("x", run);
    let said = place.host(1, &["run", "x", "--apply"]);
    said.says("what it had begun to write may or may not have been written").says("outcomes: created 1, unknown 1");
    let sync = &place.host_json(&["history", "show", "last"])["sync"];
    assert_eq!((&sync["counts"]["created"], &sync["counts"]["unknown"]), (&json!(1), &json!(1)));
    assert_eq!((&sync["entries"], &sync["changes"]), (&json!(1), &json!(2)));
}

#[test]
fn a_line_that_is_no_event_is_shown_with_its_number() {
    fails(
        "begin x; printf 'Traceback \\033[2K\\n'; sleep 60",
        false,
        r#"line 2 of its output: this is not an event: expected value at line 1 column 1: "Traceback \u{1b}[2K""#,
    );
    fails("printf '\\377\\n'; sleep 60", false, "line 1 of its output: this is not an event: it is not UTF-8");
    fails(
        "begin x; head -c 17000000 /dev/zero | tr '\\0' a; sleep 60",
        false,
        "line 2 of its output is longer than 16 MiB: \"aaaa",
    );
    fails("begin x | sed s/:1,/:2,/; sleep 60", false, "the event stream has version 2");
}

#[test]
fn an_event_out_of_order_ends_the_run() {
    fails("create 0 ams; sleep 60", false, "its first event is not `run_started`");
    fails("begin y; sleep 60", false, "it began the job \"y\", and was asked for `x`");
    fails("begin x; create 0 ams; ready create 2; sleep 60", false, "counts 2 creates of site, and 1 came");
    fails("begin x; finish completed; sleep 60", false, "its run ended well, and without a diff");
    fails("dry=false; begin x; sleep 60", false, "it began a run that writes, and was asked for a dry run");
}

#[test]
fn a_program_that_writes_without_permission_is_ended() {
    let wrote = "begin x; create 0 ams; done_ 0 ams; sleep 60";
    fails(wrote, true, "reports the create of site \"ams\" as done before it was allowed to write");
    let wrote = "begin x; create 0 ams; ready create 1; done_ 0 ams; sleep 60";
    fails(wrote, false, "reports the create of site \"ams\" as done in a dry run");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let place = Place::new().with_script("x", "begin x; sleep 300 & echo $! > child; wait");
    let begun = Instant::now();
    let said = place.host(1, &["run", "x", "--time-limit", "1s"]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    said.says("the run did not end within 1s").says("it did not end within 10 s after it was told to, and was killed");
    assert!(!is_alive(&place.read("child")), "what it started goes on");
}

#[test]
fn a_program_that_ends_in_time_is_not_killed() {
    // It is told to end, and does.
    let run = "begin x; read -r answer; case $answer in *cancel*) finish cancelled;; esac";
    let place = Place::new().with_script("x", run);
    place.host(1, &["run", "x", "--time-limit", "1s"]).says("the run did not end within 1s");
}

#[test]
fn a_reader_of_the_events_that_stands_still_keeps_the_host_from_nothing() {
    let run = r#"begin x
        (while :; do
            echo '{"event":"log","at":"2026-01-01T00:00:00Z","level":"debug","target":"x","step":null,"message":"on","fields":null}'
        done) & chatter=$!
        read -r answer; echo "$answer" > told; kill $chatter; finish cancelled"#;
    let place = Place::new().with_script("x", run);
    let host = place.host_begun(&["run", "x", "--output", "jsonl", "--time-limit", "1s"]);
    // Nobody reads what it prints.
    until(&place, "told");
    assert!(place.read("told").contains("cancel"));
    let said = crate::program::Said::of(host.wait_with_output().unwrap());
    assert_eq!(said.code, 1, "{}", said.err);
}

#[test]
fn the_first_signal_is_passed_on_and_the_second_ends_it() {
    let signal = |id: u32| assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
    let run = "begin x; echo > begun; read -r answer; case $answer in *cancel*) finish cancelled;; esac";
    let place = Place::new().with_script("x", run);
    let host = place.host_begun(&["run", "x"]);
    until(&place, "begun");
    signal(host.id());
    let said = crate::program::Said::of(host.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{}{}", said.out, said.err);
    assert_eq!(place.host_json(&["history", "show", "last"])["sync"]["status"], "cancelled");

    let place = Place::new().with_script("x", "begin x; sleep 300 & echo $! > begun; wait");
    let mut host = place.host_begun(&["run", "x"]);
    until(&place, "begun");
    signal(host.id());
    sleep(Duration::from_millis(500));
    assert!(host.try_wait().unwrap().is_none(), "it waits for the program");
    signal(host.id());
    assert_eq!(host.wait().unwrap().code(), Some(130));
    assert!(!is_alive(&place.read("begun")), "what it started goes on");
}

/// Whether a process runs. One that has ended may still be listed, until its parent asks for its exit code.
fn is_alive(id: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().unwrap().stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

fn until(place: &Place, file: &str) {
    let begun = Instant::now();
    while std::fs::read_to_string(place.path(file)).is_ok_and(|text| text.is_empty()) || !place.path(file).exists() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing happened for a minute");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_host_keeps_the_limits_of_a_program_that_has_none() {
    let run = "begin x; delete 0 a; delete 1 b; delete 2 c; ready delete 3 7\n\
               [ $dry = true ] || { read -r answer; case $answer in *write*) ;; *) finish cancelled; exit;; esac; }\n\
               finish completed";
    let place = Place::new().with_described("x", &json!({"max_deletes": "20%"}), run);
    for mode in ["--dry-run", "--apply"] {
        let said = place.host(4, &["run", "x", mode]);
        said.says("it would delete 3 records where the target holds 10, and 20% are allowed")
            .says("--allow-deletes site=3");
    }
    place.host(0, &["run", "x", "--apply", "--allow-deletes", "site=3"]);
    place.host(0, &["show", "x"]).says("limits: 20% deletes");
    place.host(1, &["run", "x", "--allow-creates", "site=3"]).says("unexpected argument");
}

#[test]
fn what_it_prints_to_standard_error_is_a_log_without_secrets() {
    let secret = "it's \"x\\y=z";
    let run = "begin x; printf '%s\\n' \"$request\" >&2; create 0 ams; ready create 1; finish completed";
    let token = json!({"variables": [{"name": "token", "secret": true, "env": "X_TOKEN", "required": true}]});
    let place = Place::new().with_described("x", &token, run);
    place.host(1, &["run", "x"]).says("variable `token`: no value is given").says("X_TOKEN");
    let said = place.host(0, &["run", "x", "--token", secret, "-v"]);
    said.says("stderr: {").says("[secret]");
    let lines = place.host(0, &["history", "logs", "last", "--lines"]).out;
    assert!(lines.contains("[secret]") && lines.contains(r#""dry_run":true"#), "{lines}");
    let json = json!(secret).to_string();
    for text in [&said.out, &said.err, &lines] {
        assert!(!text.contains(secret) && !text.contains(json.trim_matches('"')), "{text}");
    }
}
