//! Planted secrets are nowhere but where they belong.

use std::fs;
use std::path::{Path, PathBuf};

use diffsync_test_servers::{block_on, postgres};
use serde_json::json;
use sqlx::Connection as _;
use wiremock::ResponseTemplate;

use crate::api::Api;
use crate::program::{Place, Said, new_database};

/// The passwords of records. Each ends in a way that no other text does.
const PASSWORDS: [&str; 4] =
    ["it's \"quoted\" Qx7a", "back\\slash\\\\Qx7b", "a=b;c&d%20e+f=Qx7c", "line\nand\ttab Qx7d"];

/// The value of a variable.
const TOKEN: &str = "to\"k\\en=Qx7e";

/// The password of a URL.
const URL_PASSWORD: &str = "u\"r\\l=p@ss%Qx7f";

fn secrets() -> impl Iterator<Item = &'static str> {
    PASSWORDS.into_iter().chain([TOKEN, URL_PASSWORD])
}

/// How a secret may be spelt.
fn spellings(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let json = json.trim_matches('"').to_owned();
    // A text of JSON inside another one.
    let nested = serde_json::to_string(&json).unwrap().trim_matches('"').to_owned();
    let percent = secret.bytes().map(|byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    let debug = format!("{secret:?}").trim_matches('"').to_owned();
    // The end alone, in case that the rest is spelt in a way that is not thought of here.
    let end = secret.get(secret.len() - 4..).unwrap().to_owned();
    vec![secret.to_owned(), json, nested, percent.collect(), debug, end]
}

fn assert_clean(place: &str, text: &str) {
    for secret in secrets() {
        for spelling in spellings(secret) {
            assert!(!text.contains(&spelling), "{place} holds {spelling:?}: {text:.2000}");
        }
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Looks into every file here but those where the secrets belong.
fn assert_files_clean(place: &Place) {
    let own = ["source/logins.json", "token.txt", "target.db"].map(|name| place.path(name));
    let all: Vec<_> = files(&place.path("")).into_iter().filter(|path| !own.contains(path)).collect();
    assert!(all.iter().any(|path| path.ends_with("profiles.toml")), "{all:?}");
    for path in all {
        assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path).unwrap()));
    }
}

/// What the program says to these arguments, which must hold no secret.
fn said(place: &Place, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let said = Said::of(&place.command(arguments).envs(environment.iter().copied()).output().unwrap());
    assert_clean(&format!("what {arguments:?} says"), &said.text);
    said
}

/// A place with logins, one of which the API refuses and repeats.
fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("source")).unwrap();
    let logins = PASSWORDS.iter().enumerate();
    let logins: Vec<_> =
        logins.map(|(number, password)| json!({"name": format!("login-{number}"), "password": password})).collect();
    fs::write(place.path("source/logins.json"), json!(logins).to_string()).unwrap();
    fs::write(place.path("token.txt"), format!("{TOKEN}\n")).unwrap();
    let profiles = "[logins-to-api.file.variables]\ntoken = { file = \"token.txt\" }\n\
                    [logins-to-api.command.variables]\ntoken = { command = [\"cat\", \"token.txt\"] }\n\
                    [logins-to-api.env.variables]\ntoken = { env = \"OWN_TOKEN\" }\n";
    fs::write(place.path("profiles.toml"), profiles).unwrap();
    place
}

/// An API that refuses a login, and says what it was sent.
fn repeating_api() -> Api {
    Api::refusing(|request, body| {
        let is_refused = body["name"] == "login-1" || body["name"] == "login-2";
        is_refused.then(|| {
            let header = request.headers.get("authorization").map(|value| String::from_utf8_lossy(value.as_bytes()));
            let password = body["password"].as_str().unwrap_or_default();
            let text = json!({"password": [format!("'{password}' is too weak")], "sent": body, "by": header});
            ResponseTemplate::new(400).set_body_json(text)
        })
    })
}

/// Everything that a `PostgreSQL` database holds of a history.
fn rows(url: &str) -> String {
    block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        let tables = ["sync", "step", "change", "entry", "line", "lease"];
        let rows = tables.map(|table| format!("SELECT row_to_json(t)::text FROM history_{table} AS t"));
        let sql = sqlx::AssertSqlSafe(rows.join(" UNION ALL "));
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        rows.concat()
    })
}

#[test]
fn a_secret_of_a_record_or_a_variable_is_nowhere_but_where_it_belongs() {
    let mut histories = vec!["history.db".to_owned()];
    histories.extend(postgres().map(|server| new_database("postgres", server)));
    for history in histories {
        let place = place();
        let api = repeating_api();
        let url = api.url();
        for (number, profile) in ["file", "command", "env"].into_iter().enumerate() {
            let job = format!("logins-to-api@{profile}");
            let job = [&*job, "--folder", "source", "--api", &url];
            let environment = [("OWN_TOKEN", TOKEN), ("DIFFSYNC_DATABASE_URL", &*history)];
            let of = |command: &'static str, more: &[&'static str]| {
                said(&place, &[&[command][..], &job, more].concat(), &environment)
            };

            of("check", &["-vv"]);
            assert_eq!(of("run", &["--dry-run", "-vv"]).code, 0);
            let undo = ["undo-0.jsonl", "undo-1.jsonl", "undo-2.jsonl"][number];
            let run = of("run", &["--apply", "-vv", "--output", "json", "--full", "--undo-file", undo]);
            assert!(run.text.contains("is too weak"), "{}", run.text);
            of("run", &["--apply", "-v"]);
            let plan = ["plan-0.jsonl", "plan-1.jsonl", "plan-2.jsonl"][number];
            of("plan", &["-o", plan]);
        }

        let environment = [("DIFFSYNC_DATABASE_URL", &*history)];
        for command in ["show", "diff", "logs", "export"] {
            for output in [&[][..], &["--output", "json"]] {
                if command == "export" && !output.is_empty() {
                    continue;
                }
                let shown = said(&place, &[&["history", command, "last"], output].concat(), &environment);
                assert_eq!(shown.code, 0, "{}", shown.text);
            }
        }
        let lines = said(&place, &["history", "logs", "last", "--lines", "--limit", "1000"], &environment);
        assert!(lines.text.contains("run finished"), "{}", lines.text);
        said(&place, &["history", "list"], &environment);
        said(&place, &["show", "logins-to-api@env"], &[("OWN_TOKEN", TOKEN)]);

        assert_files_clean(&place);
        if history.starts_with("postgres") {
            let rows = rows(&history);
            assert!(rows.contains("login-3") && rows.contains("[secret]"), "{rows}");
            assert_clean("the history", &rows);
        }
    }
}

#[test]
fn the_password_of_a_url_is_nowhere() {
    let place = place();
    let password = spellings(URL_PASSWORD).swap_remove(3);
    let url = format!("postgres://ada:{password}@127.0.0.1:1/logins");
    for command in [&["check"][..], &["run", "--retries", "0"], &["run", "--retries", "0", "--apply", "-vv"]] {
        let (command, more) = command.split_first().unwrap();
        let job = [&[*command, "logins-to-database", "--folder", "source"][..], more].concat();
        let failed = said(&place, &job, &[("LOGINS_URL", &url)]);
        assert_ne!(failed.code, 0, "{}", failed.text);
    }
    // A history at such a URL is not reached either.
    let history = ["run", "logins-to-database", "--folder", "source", "--apply"];
    let target = ("LOGINS_URL", "sqlite://target.db");
    let run = said(&place, &history, &[target, ("DIFFSYNC_DATABASE_URL", &url)]);
    assert!(run.code == 0 && run.text.contains("this run is not recorded"), "{}", run.text);
    assert_eq!(
        said(&place, &[&history[..], &["--history", "required"]].concat(), &[target, ("DIFFSYNC_DATABASE_URL", &url)])
            .code,
        1
    );
    assert!(String::from_utf8_lossy(&fs::read(place.path("target.db")).unwrap()).contains("Qx7a"));
    assert_files_clean(&place);
}
