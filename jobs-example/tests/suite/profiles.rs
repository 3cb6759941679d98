//! Profiles: a job's configurations in a file, checked as a whole, with secrets that are never shown.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Place, Said};

const EMEA: &str = "countries-to-inventory@emea";

/// Characters that a shell, TOML, JSON or `Debug` would write in another way.
const SECRET: &str = r#"pl"an\ted'=se\\cret=="#;

/// A place with the list of countries and these profiles.
fn place(profiles: &str) -> Place {
    let place = Place::new().with_data("countries.json");
    fs::write(place.path("profiles.toml"), profiles).unwrap();
    place
}

/// A profile that writes to `emea.db`, with more settings.
fn emea(more: &str) -> Place {
    place(&format!(
        "[countries-to-inventory.emea]\ndescription = \"The EMEA inventory\"\nmode = \"apply\"\n\
         variables = {{ file = \"countries.json\", inventory = \"sqlite://emea.db\" }}\n{more}"
    ))
}

fn said(command: &mut Command) -> Said {
    Said::of(command.output().unwrap())
}

#[test]
fn a_profile_sets_the_variables_and_whether_a_run_writes() {
    let place = emea("");
    let said = place.expect(0, &["run", EMEA]);
    said.says("countries-to-inventory@emea: completed\n").says("created 237");
    assert!(place.path("emea.db").exists() && !place.path("inventory.db").exists());

    // The job without a profile is as it was.
    let said = place.expect(0, &["run", "countries-to-inventory", "--file", "countries.json"]);
    said.says("countries-to-inventory: completed (dry run").says("sqlite://inventory.db");
}

#[test]
fn a_flag_beats_the_profile_and_the_profile_beats_the_environment() {
    let place = emea("");
    place.expect(0, &["run", EMEA, "--dry-run"]).says("dry run: nothing was written");
    assert!(!place.path("emea.db").exists());

    let out = said(place.command(&["run", EMEA]).env("INVENTORY_URL", "sqlite://env.db"));
    assert_eq!(out.code, 0, "{}", out.err);
    assert!(place.path("emea.db").exists() && !place.path("env.db").exists());

    place.expect(0, &["run", EMEA, "--inventory", "sqlite://flag.db"]).says("sqlite://flag.db");
    assert!(place.path("flag.db").exists());

    // What the profile does not set comes from the environment, or is the default.
    fs::write(place.path("profiles.toml"), "[countries-to-inventory.emea.variables]\nfile = \"countries.json\"")
        .unwrap();
    let out = said(place.command(&["run", EMEA]).env("INVENTORY_URL", "sqlite://env.db"));
    out.says("dry run").says("sqlite://env.db");
}

#[test]
fn the_file_of_an_sqlite_url_is_the_one_that_is_written() {
    let place = emea("");
    fs::create_dir(place.path("dir")).unwrap();
    place.edit("profiles.toml", "sqlite://emea.db", "sqlite://dir/../profile.db");
    place.expect(0, &["run", EMEA]);
    place.expect(0, &["run", EMEA, "--inventory", "sqlite://dir/../flag.db?mode=rwc"]);
    place
        .expect(0, &["run", EMEA, "--inventory", "sqlite://dir/in.db", "--database-url", "sqlite://dir/../history.db"]);
    for (file, exists) in
        [("profile.db", true), ("flag.db", true), ("dir/in.db", true), ("history.db", true), ("dir/profile.db", false)]
    {
        assert_eq!(place.path(file).exists(), exists, "{file}");
    }
}

#[test]
fn a_run_without_its_profiles_mode_says_how_to_write() {
    let place = emea("");
    place.expect(0, &["run", EMEA, "--dry-run"]).says("run it again without --dry-run to write this");
    let by_itself = ["run", "countries-to-inventory", "--file", "countries.json"];
    place.expect(0, &by_itself).says("run it again with --apply to write this");
    place.expect(0, &["--help"]).says("`run JOB --help` lists the flags");
}

#[test]
fn retries_are_those_of_the_client_of_an_api_too() {
    let place = |options: &str| {
        let (url, requests) = answering("502 Bad Gateway");
        let text = format!(
            "[nautobot-to-inventory.lab.variables]\nnautobot = {url:?}\ntoken = {{ command = [\"echo\", \"x\"] }}\n\
             [nautobot-to-inventory.lab.options]\n{options}"
        );
        (place(&text), requests)
    };
    let (at_once, requests) = place("");
    at_once.expect(1, &["run", "nautobot-to-inventory@lab", "--retries", "0"]).says("502");
    let first = requests.try_iter().count();
    assert!(first > 0);
    let (twice, requests) = place("retries = 1\n");
    twice.expect(1, &["run", "nautobot-to-inventory@lab"]).says("502");
    assert_eq!(requests.try_iter().count(), 2 * first);
}

#[test]
fn limits_and_options_are_as_if_given_by_flags() {
    let place = emea("");
    place.expect(0, &["run", EMEA]);
    let rows: Vec<Value> = serde_json::from_str(&place.read("countries.json")).unwrap();
    let rows: Vec<_> = rows.into_iter().filter(|row| row["region"] != "Europe" && row["region"] != "Asia").collect();
    fs::write(place.path("countries.json"), serde_json::to_vec(&rows).unwrap()).unwrap();
    place.expect(4, &["run", EMEA, "--dry-run"]).says("--allow-deletes country=");

    let limited = emea("limits.deletes = { country = \"50%\" }\noptions.memory_profiling = true\n");
    fs::copy(place.path("emea.db"), limited.path("emea.db")).unwrap();
    fs::copy(place.path("countries.json"), limited.path("countries.json")).unwrap();
    let report = limited.json(&["run", EMEA, "--dry-run"]);
    assert_eq!(report["status"], "completed", "{}", report["error"]);
    assert_eq!(report["profile"], "emea");
    assert!(report["steps"][0]["memory"].is_object(), "{}", report["steps"][0]);
    // The last override counts, so a flag does.
    limited.expect(4, &["run", EMEA, "--dry-run", "--allow-deletes", "country=50"]).says("and 50 are allowed");
}

#[test]
fn a_plan_of_a_profile_is_applied_with_the_profile() {
    let place = emea("");
    place.expect(0, &["plan", EMEA, "-o", "emea.plan"]).says("countries-to-inventory@emea: completed");
    assert!(!place.path("emea.db").exists());
    assert!(place.read("emea.plan").lines().next().unwrap().contains("\"profile\":\"emea\""));
    place.expect(0, &["apply", "emea.plan", "--undo-file", "undo.plan"]).says("countries-to-inventory@emea: completed");
    assert!(place.path("emea.db").exists());
    assert!(place.read("undo.plan").lines().next().unwrap().contains("\"profile\":\"emea\""));

    // A URL with a query may hold a secret, so the plan leaves it out, and it comes from the profile again.
    place.edit("profiles.toml", "\"sqlite://emea.db\"", "{ command = [\"echo\", \"sqlite://other.db?mode=rwc\"] }");
    place.expect(0, &["plan", EMEA, "-o", "other.plan"]);
    assert!(!place.read("other.plan").contains("other.db"));
    place.expect(0, &["apply", "other.plan"]);
    assert!(place.path("other.db").exists());

    fs::remove_file(place.path("profiles.toml")).unwrap();
    place.expect(4, &["apply", "undo.plan"]).says("`undo.plan`: the profile of the plan is missing: the job");
}

#[test]
fn the_file_is_named_by_a_flag_or_the_environment_or_is_profiles_toml() {
    let place = emea("");
    for (name, description) in [("flag.toml", "Of the flag"), ("env.toml", "Of the environment")] {
        let text = format!("[countries-to-inventory.emea]\ndescription = \"{description}\"\n");
        fs::write(place.path(name), text).unwrap();
    }
    let list = |arguments: &[&str], env: &str| said(place.command(arguments).env("DIFFSYNC_PROFILES", env)).out;
    assert!(list(&["list"], "").contains("  countries-to-inventory@emea  The EMEA inventory\n"));
    assert!(list(&["list"], "env.toml").contains("@emea  Of the environment\n"));
    assert!(list(&["list", "--profiles", "flag.toml"], "env.toml").contains("@emea  Of the flag\n"));
    assert!(list(&["--profiles=flag.toml", "list"], "env.toml").contains("@emea  Of the flag\n"));

    let said = place.expect(1, &["list", "--profiles", "none.toml"]);
    assert!(said.err.starts_with("error: the profiles cannot be read from `none.toml` (named by --profiles): No such"));
}

#[test]
fn a_profile_that_does_not_exist_is_answered_with_the_nearest_or_with_where_to_put_it() {
    let place = emea("");
    let unknown = "error: the job `countries-to-inventory` has no profile `emae`";
    let said = place.expect(1, &["run", "countries-to-inventory@emae"]);
    assert_eq!(said.err, format!("{unknown}; did you mean `{EMEA}`?\n`list` shows all jobs\n"));
    let said = place.expect(1, &["show", "ipam-a-to-ipam-b@emea"]);
    said.says("the job `ipam-a-to-ipam-b` has no profile `emea`; `profiles.toml` has none for this job");
    let said = Place::new().expect(1, &["check", "countries-to-inventory@emae"]);
    said.says(&format!(
        "{unknown}; there is no `profiles.toml` in the working folder, and neither --profiles nor DIFFSYNC_PROFILES names \
         another file\n"
    ));
    place.expect(1, &["plan", "countries@emea", "-o", "x"]).says("there is no job `countries`; did you mean");
}

#[test]
fn list_and_show_describe_profiles_and_where_their_secrets_come_from() {
    let place = emea(
        "schedule = \"0 4 * * *\"\nlimits = { deletes = { country = \"50%\" }, on_guard = \"hold\" }\n\
         options = { concurrency = 2, time_limit = \"15m\" }\n\
         [nautobot-to-inventory.lab.variables]\nnautobot = \"http://localhost/?a=hunter2\"\n\
         token = { command = [\"pass\", \"show\", \"lab\"] }\n",
    );
    let said = place.expect(0, &["show", EMEA]);
    said.says("\nprofile emea (profiles.toml:1:25)\n  The EMEA inventory\n  file = countries.json\n");
    said.says("  inventory = sqlite://emea.db\n  a run writes, unless --dry-run is given\n  schedule: 0 4 * * *\n");
    said.says("  50% deletes of country are allowed\n  beyond a limit: the operations are held\n");
    said.says("  concurrency = 2\n  time_limit = 15m\n").says("\nrun it with `run countries-to-inventory@emea`");
    place.expect(0, &["show", "countries-to-inventory"]).says("\nprofiles: countries-to-inventory@emea\n");

    let said = place.expect(0, &["show", "nautobot-to-inventory@lab"]);
    said.says("  nautobot = http://localhost/?a=***\n  token = from the command [\"pass\", \"show\", \"lab\"]\n");

    let shown = place.json(&["show", EMEA]);
    assert_eq!(shown["profile"]["variables"]["inventory"], "sqlite://emea.db");
    assert_eq!(shown["profile"]["mode"], "apply");
    assert_eq!(
        shown["profile"]["limit_overrides"],
        json!([{"model": "country", "operation": "delete", "limit": "50%"}])
    );
    assert_eq!(shown["profile"]["options"]["time_limit"], "15m");
    let shown = place.json(&["show", "nautobot-to-inventory@lab"]);
    assert_eq!(shown["profile"]["variables"]["token"], json!({"command": ["pass", "show", "lab"]}));

    let jobs = place.json(&["list"]);
    assert_eq!(jobs[0]["profiles"][0]["id"], EMEA);
    assert_eq!(jobs[0]["profiles"][0]["schedule"], "0 4 * * *");
    assert_eq!(jobs[1]["profiles"], json!([]));

    let help = place.expect(0, &["run", EMEA, "--help"]);
    help.says("[profile: sqlite://emea.db]").says("Write to the target (the default)");
    place
        .expect(0, &["run", "nautobot-to-inventory@lab", "--help"])
        .says("[profile: from the command [\"pass\", \"show\", \"lab\"]]");
    place.expect(0, &["run", "--help"]).says("countries-to-inventory@emea");
}

#[test]
fn every_mistake_of_the_file_is_reported_at_once_by_every_command() {
    let place = place(
        "[countries-to-inventry.emea]\n\
         [countries-to-inventory.emea]\n\
         mod = \"apply\"\n\
         retries = 3\n\
         variables = { fiel = \"x\", inventory = \"inventory\" }\n\
         limits.deletes = { contry = 1, region = \"x\" }\n\
         options = { retries = -1, time_limit = 15 }\n",
    );
    let expected = "error: `profiles.toml` has 9 mistakes:\n  \
        profiles.toml:1:2: there is no job `countries-to-inventry`; did you mean `countries-to-inventory`?\n  \
        profiles.toml:3:1: a profile has no key `mod`; did you mean `mode`?\n  \
        profiles.toml:4:1: `retries` belongs below `[countries-to-inventory.emea.options]`\n  \
        profiles.toml:5:15: the job `countries-to-inventory` has no variable `fiel`; did you mean `file`?\n  \
        profiles.toml:5:39: variable `inventory` = \"inventory\": it must be a URL such as `https://host/path` or \
        `sqlite://file.db`: it does not begin with a scheme such as `https://` (in `countries-to-inventory@emea`)\n  \
        profiles.toml:6:20: the job `countries-to-inventory` has no model `contry`; did you mean `country`?\n  \
        profiles.toml:6:41: the limit of `region` must be a number of records, as in `120`, or a part of them, as in `\"50%\"`\n  \
        profiles.toml:7:23: `retries` must be a whole number from 0 to 65535\n  \
        profiles.toml:7:40: `time_limit` must be a duration such as \"90s\", \"15m\" or \"2h\"\n";
    for command in [&["list"][..], &["show", "countries-to-inventory"], &["run", EMEA], &["apply", "x"], &["nonsense"]]
    {
        assert_eq!(place.expect(1, command).err, expected);
    }
    for command in [&["--help"][..], &["--version"], &["run", "--help"], &["run", "countries-to-inventory", "--help"]] {
        assert_eq!(place.expect(0, command).err, "");
    }
}

#[test]
fn a_file_that_is_not_toml_is_reported_with_line_and_column() {
    let said = place("[countries-to-inventory.emea]\nmode = apply\n").expect(1, &["list"]);
    assert_eq!(said.err, "error: profiles.toml:2:8: this is not TOML: string values must be quoted\n");
}

/// A server that refuses every request, and sends the headers of each.
fn server() -> (String, Receiver<Vec<String>>) {
    answering("403 Forbidden")
}

/// A server that gives every request this answer, and sends the headers of each.
fn answering(answer: &'static str) -> (String, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let headers = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send(headers).is_err() {
                return;
            }
        }
    });
    (url, requests)
}

/// All files in a folder and the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Nothing shows the planted secret, however it is written.
fn assert_hidden(said: &Said) {
    let spelled =
        [SECRET.to_owned(), json!(SECRET).to_string(), format!("{SECRET:?}"), "cret==".to_owned(), "pl\"an".to_owned()];
    for text in spelled.iter().map(|text| text.trim_matches('"')) {
        assert!(!said.out.contains(text) && !said.err.contains(text), "{text} in {}{}", said.out, said.err);
    }
}

#[test]
fn a_secret_comes_from_the_environment_a_file_or_a_command_and_is_never_shown() {
    for source in ["{ env = \"LAB_TOKEN\" }", "{ file = \"lab.token\" }", "{ command = [\"cat\", \"lab.token\"] }"] {
        let (url, requests) = server();
        let place = place(&format!(
            "[nautobot-to-inventory.lab.variables]\nnautobot = {url:?}\ntoken = {source}\ninventory = \"sqlite://lab.db\"\n"
        ));
        fs::write(place.path("lab.token"), format!("{SECRET}\n")).unwrap();

        let out = said(place.command(&["check", "nautobot-to-inventory@lab", "-vvv"]).env("LAB_TOKEN", SECRET));
        assert_eq!(out.code, 1);
        assert_hidden(&out);
        let headers = requests.recv().unwrap();
        assert!(headers.contains(&format!("authorization: Token {SECRET}")), "{source}: {headers:?}");

        let job = "nautobot-to-inventory@lab";
        for arguments in [
            &["run", job, "-vvv"][..],
            &["run", job, "--apply", "--output", "json"],
            &["run", job, "--apply", "--output", "jsonl", "-vvv", "--log-format", "json"],
            &["completions", "bash"],
            &["man", "--dir", "man"],
            &["plan", job, "-o", "lab.plan"],
            &["show", job],
            &["show", job, "--output", "json"],
            &["list", "--output", "json"],
            &["run", job, "--help"],
            &["run", job, "--nonsense"],
            &["run", job, "--inventory", "nonsense"],
        ] {
            assert_hidden(&said(place.command(arguments).env("LAB_TOKEN", SECRET)));
        }
        for file in files(&place.path("")).into_iter().filter(|file| !file.ends_with("lab.token")) {
            let bytes = fs::read(&file).unwrap();
            let holds = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
            assert!(!holds, "{}", file.display());
        }
    }
}

#[test]
fn a_secret_in_clear_is_refused_and_not_repeated() {
    let quoted = json!(SECRET).to_string();
    let lab =
        |variables: &str| place(&format!("[nautobot-to-inventory.lab.variables]\n{variables}\n")).expect(1, &["list"]);

    let out = lab(&format!("token = {quoted}"));
    let expected = "error: profiles.toml:2:9: the variable `token` is a secret: write `token = { env = \"NAME\" }`, \
                    `{ file = \"PATH\" }`, `{ command = [\"PROGRAM\", \"ARGUMENT\"] }` or `{ prompt = true }`\n";
    assert_eq!(out.err, expected);

    for variables in [
        format!("token = {{ value = {quoted} }}"),
        format!("token = {{ {quoted} = 1 }}"),
        format!("token = {{ env = {quoted} }}"),
        format!("token = {{ command = {quoted} }}"),
        format!("token = [{quoted}]"),
        format!("tokn = {quoted}"),
        format!("token = {SECRET}"),
        format!("token = {quoted}, x"),
        format!("token = {quoted}\ntoken = {quoted}"),
        format!("token = \"{SECRET}\""),
        "nautobot = 'https://ada:pl\"an\\ted=se\\cret==@host/'".to_owned(),
    ] {
        let out = lab(&variables);
        assert!(out.err.starts_with("error: ") && out.err.contains("profiles.toml:2:"), "{variables}: {}", out.err);
        assert_hidden(&out);
    }
    lab("nautobot = 'https://ada:pl@host/'").says("the URL of the variable `nautobot` has a password in it");
}

#[test]
fn a_secret_that_cannot_be_had_ends_the_run_with_where_it_was_looked_for() {
    let (url, _requests) = server();
    let lab =
        |token: &str| place(&format!("[nautobot-to-inventory.lab.variables]\nnautobot = {url:?}\ntoken = {token}\n"));
    let run = |place: &Place, more: &[&str]| {
        let arguments = [&["run", "nautobot-to-inventory@lab"], more].concat();
        said(place.command(&arguments).env_remove("LAB_TOKEN")).err
    };
    let begin = "error: profiles.toml:3:1: the variable `token` of `nautobot-to-inventory@lab` has no value:";

    let env = lab("{ env = \"LAB_TOKEN\" }");
    assert_eq!(run(&env, &[]), format!("{begin} the environment variable LAB_TOKEN is not set\n"));
    let empty = said(env.command(&["run", "nautobot-to-inventory@lab"]).env("LAB_TOKEN", "")).err;
    assert_eq!(empty, format!("{begin} the environment variable LAB_TOKEN is empty\n"));

    let file = run(&lab("{ file = \"lab.token\" }"), &[]);
    assert!(file.starts_with(&format!("{begin} `lab.token` (in the working folder, /")), "{file}");
    assert!(file.contains(") cannot be read: No such file or directory"), "{file}");

    let command = lab("{ command = [\"sh\", \"-c\", \"echo shown >&2; echo hunter2; touch ran; exit 3\"] }");
    assert_eq!(run(&command, &[]), format!("{begin} the command `sh` failed with exit code 3:\n  shown\n"));

    // It runs for nothing but a run of its profile, and not if a flag sets the variable.
    fs::remove_file(command.path("ran")).unwrap();
    let other = ["run", "countries-to-inventory", "--file", "countries.json"];
    for arguments in [&["list"][..], &["show", "nautobot-to-inventory@lab"], &other] {
        command.expect(0, arguments);
    }
    run(&command, &["--token", "x"]);
    assert!(!command.path("ran").exists());
}

#[test]
fn a_wrong_value_names_the_line_of_the_profile_that_sets_it() {
    let place = place("[countries-to-inventory.emea.variables]\ninventory = { env = \"ELSEWHERE\" }\n");
    let out = said(place.command(&["run", EMEA]).env("ELSEWHERE", "inventory"));
    out.says("\n  set it with --inventory or in the profile at profiles.toml:2:1\n");
    let report: Value = place.json(&["check", "countries-to-inventory", "--file", "countries.json"]);
    assert_eq!(report["profile"], Value::Null);
}

#[test]
fn the_example_of_the_book_is_read() {
    let book = include_str!("../../../docs/src/profiles.md");
    let example = book.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    // Only its job is not one of this program.
    let said = place(example).expect(1, &["list"]);
    assert_eq!(said.err, "error: profiles.toml:1:2: there is no job `cmdb-to-ipam`\n");
}

/// Runs the program on a terminal, types an answer when it asks, and returns what the terminal showed.
fn on_terminal(place: &Place, arguments: &[&str], answer: Option<(&str, &str)>) -> String {
    let program = place.command(arguments);
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let line: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();

    // It gives a program a terminal of its own, and copies what is shown there.
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(place.path(""));
    terminal.env("HOME", place.path("home")).env_remove("DIFFSYNC_PROFILES").env_remove("NAUTOBOT_TOKEN");
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());

    let (mut shown, mut bytes) = (String::new(), [0; 1024]);
    let mut left = answer;
    loop {
        let count = stdout.read(&mut bytes).unwrap();
        if count == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if let Some((_, answer)) = left.take_if(|(question, _)| shown.contains(*question)) {
            // The terminal shows what is typed until a moment after the question.
            thread::sleep(Duration::from_secs(1));
            writeln!(stdin, "{answer}").unwrap();
        }
    }
    terminal.wait().unwrap();
    assert!(left.is_none(), "it did not ask: {shown}");
    shown
}

#[test]
fn a_secret_that_is_missing_is_asked_for_on_a_terminal() {
    let question = "token of nautobot-to-inventory";
    for (profile, question) in
        [("", "token of nautobot-to-inventory: "), ("@lab", "token of nautobot-to-inventory@lab: ")]
    {
        let (url, requests) = server();
        let place =
            place(&format!("[nautobot-to-inventory.lab.variables]\nnautobot = {url:?}\ntoken = {{ prompt = true }}\n"));
        let job = format!("nautobot-to-inventory{profile}");
        let shown = on_terminal(&place, &["check", &job, "--nautobot", &url], Some((question, SECRET)));
        assert_hidden(&Said { code: 0, out: shown, err: String::new() });
        let headers = requests.recv().unwrap();
        assert!(headers.contains(&format!("authorization: Token {SECRET}")), "{headers:?}");

        // An empty answer is none.
        let shown = on_terminal(&place, &["run", &job, "--nautobot", &url], Some((question, "")));
        assert!(shown.contains("nothing was entered"), "{shown}");
        // A program that reads JSON cannot answer.
        let shown = on_terminal(&place, &["run", &job, "--nautobot", &url, "--output", "json"], None);
        assert!(!shown.contains(question), "{shown}");
        assert!(shown.contains("error: "), "{shown}");
    }

    // Without a terminal there is no prompt, and nothing waits.
    let place = place("[nautobot-to-inventory.lab.variables]\ntoken = { prompt = true }\n");
    let url = ["--nautobot", "http://localhost:1"];
    let said = place.expect(1, &[&["check", "nautobot-to-inventory"], &url[..]].concat());
    assert!(!said.err.contains(question), "{}", said.err);
    said.says("set it with --token");
    let said = place.expect(1, &[&["check", "nautobot-to-inventory@lab"], &url[..]].concat());
    said.says("error: profiles.toml:2:1: the variable `token` of `nautobot-to-inventory@lab` has no value: it cannot be asked for");
    place.expect(0, &["show", "nautobot-to-inventory@lab"]).says("  token = asked for on the terminal\n");
    let shown = place.json(&["show", "nautobot-to-inventory@lab"]);
    assert_eq!(shown["profile"]["variables"]["token"], json!({"prompt": true}));
}
