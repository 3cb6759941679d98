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
               [ $dry = true ] || { read -r answer; case $answer in *write*) ;; *) finish cancelled; exit;; esac; deleted 0 a; deleted 1 b; deleted 2 c; }\n\
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
    place
        .host(1, &["run", "x", "--allow-deletes", "sites=3"])
        .says("`sites`, which the job does not have; did you mean `site`?");
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

#[test]
fn nothing_is_written_once_the_run_is_to_end() {
    // The history cannot be written while the diff waits to be recorded in it.
    let lock = "import sqlite3, time\n\
                history = sqlite3.connect('history.db', isolation_level=None)\n\
                history.execute('BEGIN IMMEDIATE')\n\
                open('locked', 'w').write('x')\n\
                time.sleep(4)\n";
    let run = "begin x; create 0 ams; python3 lock.py >&2 & while ! [ -s locked ]; do sleep 0.1; done; ready create 1\n\
               read -r answer; echo \"$answer\" > answer; finish cancelled";
    for (signal, limit) in [(false, "2s"), (true, "1h")] {
        let place = Place::new().with_script("x", run);
        std::fs::write(place.path("lock.py"), lock).unwrap();
        let arguments = ["run", "x", "--apply", "--history", "required", "--time-limit", limit];
        let mut command = place.host_command(&arguments);
        let host = command.env("DIFFSYNC_DATABASE_URL", format!("sqlite://{}", place.path("history.db").display()));
        let host = host.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        until(&place, "locked");
        if signal {
            sleep(Duration::from_millis(500));
            assert!(Command::new("kill").args(["-TERM", &host.id().to_string()]).status().unwrap().success());
        }
        let said = crate::program::Said::of(host.wait_with_output().unwrap());
        assert_eq!(place.read("answer"), "{\"command\":\"cancel\"}\n", "{}", said.err);
        assert_eq!(said.code, if signal { 130 } else { 1 }, "{}", said.err);
    }
}

#[test]
fn a_program_that_names_its_target_only_with_the_diff_waits_for_it() {
    let hold = "begin hold; echo '{\"event\":\"lock_target\",\"resource\":\"db:x\"}'; read -r answer; echo x > held; read -r answer\n\
                finish cancelled";
    let late = "begin late; echo '{\"event\":\"lock_target\",\"resource\":'$named'}'; read -r answer; create 0 ams\n\
                ready create 1 | sed 's/}$/,\"resource\":\"db:x\"}/'; read -r answer; echo \"$answer\" > answer; finish cancelled";
    let place = Place::new().with_script("hold", hold).with_script("late", late);
    let holder = place.host_begun(&["run", "hold", "--apply"]);
    until(&place, "held");
    for named in ["null", "\"db:y\""] {
        let mut command = place.host_command(&["run", "late", "--apply"]);
        let said = crate::program::Said::of(command.env("named", named).output().unwrap());
        assert_eq!(said.code, 4, "{}", said.err);
        said.says("db:x` is in use by sync");
        assert!(place.read("answer").contains("\"stop\""), "{}", place.read("answer"));
    }
    assert!(Command::new("kill").args(["-TERM", &holder.id().to_string()]).status().unwrap().success());
    holder.wait_with_output().unwrap();
}

#[test]
fn a_program_that_writes_though_it_was_refused_has_failed() {
    let run = "begin x; delete 0 a; delete 1 b; ready delete 2; read -r answer; deleted 0 a; sleep 60";
    let place = Place::new().with_described("x", &json!({"max_deletes": "1"}), run);
    let said = place.host(1, &["run", "x", "--apply"]);
    said.says("as done before it was allowed to write").says("it would delete 2 of").says("may or may not have been");
}

#[test]
fn a_program_is_not_ended_by_its_output_while_it_finishes() {
    let run = "begin x; create 0 ams; ready create 1; read -r answer; echo no event; sleep 1; echo more || exit; echo more\n\
               sleep 1; echo x > finished; exit 0";
    let place = Place::new().with_script("x", run);
    place.host(1, &["run", "x", "--apply"]).says("this is not an event");
    assert_eq!(place.read("finished"), "x\n");
}

#[test]
fn a_secret_is_not_shown_by_a_line_that_is_no_event() {
    let secret = "it's \"x\\y=z";
    let run = "begin x; echo \"$X_TOKEN\" >&2; printf '%s\\n' \"no event: $X_TOKEN\"; sleep 60";
    let token = json!({"variables": [{"name": "token", "secret": true, "env": "X_TOKEN", "required": true}]});
    let place = Place::new().with_described("x", &token, run);
    let mut command = place.host_command(&["run", "x"]);
    let said = crate::program::Said::of(command.env("X_TOKEN", secret).output().unwrap());
    said.says("no event: [secret]");
    assert!(!said.err.contains("y=z"), "{}", said.err);
}

#[test]
fn what_follows_the_end_of_a_run_is_a_fault() {
    let run = "begin x; create 0 ams; ready create 1; read -r answer; done_ 0 ams; finish completed 1; done_ 0 ams";
    let place = Place::new().with_script("x", run);
    place.host(1, &["run", "x", "--apply"]).says("an event follows `run_finished`");
}

#[test]
fn the_lease_of_a_killed_host_is_kept_while_its_program_writes() {
    // It goes on though its input has ended.
    let run = "begin x; create 0 ams; ready create 1; read -r answer; echo $$ > writes; sleep 60 & wait";
    let place = Place::new().with_script("x", run);
    let mut host = place.host_begun(&["run", "x", "--apply"]);
    until(&place, "writes");
    host.kill().unwrap();
    host.wait().unwrap();
    place.host(4, &["run", "x", "--apply"]).says("is in use by sync");
    let group = format!("-{}", place.read("writes").trim());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
}

#[test]
fn the_events_of_the_host_are_those_that_it_takes() {
    let place = Place::new().with_script("x", "begin x; create 0 ams; create 0 fra; sleep 60");
    let said = place.host(1, &["run", "x", "--output", "jsonl"]);
    assert!(said.out.contains("ams") && !said.out.contains("fra"), "{}", said.out);

    let run = "begin x; delete 0 a; delete 1 b; ready delete 2; finish completed";
    let place = Place::new().with_described("x", &json!({"max_deletes": "1"}), run);
    let said = place.host(4, &["run", "x", "--output", "jsonl"]);
    let ready = said.out.lines().find(|line| line.contains("diff_ready")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(ready).unwrap();
    assert_eq!((&ready["breaches"][0]["model"], &ready["breaches"][0]["count"]), (&json!("site"), &json!(2)));
}
