//! Jobs: how they are registered, found and set up.

use std::path::PathBuf;

use diffsync_core::job::{
    JobEntry, JobInfo, JobKind, JobSpec, RegistryError, VariableErrors, VariableKind, VariableSpec, VariableValues,
};
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Job, JobRegistry, job};
use serde_json::{Value, json};

use crate::fake_target::{Listed, Memory, Rig, SyncWorlds};
use crate::world::{World, records};

/// A job whose adapters hold a world that needs no sync.
macro_rules! adapters {
    ($job:ident) => {
        opens!(
            $job: Listed = |_| Listed(Rig::new(records(&["europe"]), records(&[])).into_shared()),
            Memory = |_| Memory(Rig::new(records(&[]), records(&["europe"])).into_shared())
        );
    };
}

/// Brings the DNS in line
/// with the inventory.
#[job(
    id = "dns",
    source = Listed,
    target = Memory,
    name = "Inventory to DNS",
    kind = data_target,
    source_label = "Inventory",
    target_icon = "/dns.svg",
    dryrun_default = false,
    hidden = true,
    concurrency = 4,
)]
struct InventoryToDns {}

adapters!(InventoryToDns);

#[job(source = Listed, target = Memory)]
struct PlainJob;

adapters!(PlainJob);

/// A job by hand that takes the id of another.
struct Twin;

impl JobSpec for Twin {
    type Data = World;
    type Source = Listed;
    type Target = Memory;

    const INFO: JobInfo = JobInfo { defined_at: "elsewhere.rs:7", ..PlainJob::INFO };
    const VARIABLES: &'static [VariableSpec] = &[];

    fn from_variables(_: &VariableValues) -> Result<Self, VariableErrors> {
        Ok(Self)
    }

    fn variable_values(&self) -> Vec<(&'static VariableSpec, Value)> {
        Vec::new()
    }
}

adapters!(Twin);

/// A job with a variable of every kind.
#[job(source = Listed, target = Memory)]
struct Variables {
    /// Where the file is.
    #[var(default = "data/world.json", group = "Source")]
    file: PathBuf,
    /// Who asks.
    #[var(env = "CARGO_PKG_NAME", default = "nobody")]
    user: String,
    server: Url,
    port: Option<u16>,
    #[var(default = 1.5)]
    pace: f64,
    quick: bool,
    numbers: Vec<u32>,
    #[var(default = "[1, 2]")]
    extra: Value,
    token: Secret<String>,
    pin: Option<Secret<u32>>,
}

adapters!(Variables);

/// A job whose variables cannot be what they are.
#[job(source = Listed, target = Memory)]
struct WrongDefaults {
    #[var(env = "CARGO_PKG_NAME")]
    from_environment: u32,
    #[var(default = "{1}")]
    by_default: Value,
}

adapters!(WrongDefaults);

fn values(given: &[(&str, &str)]) -> VariableValues {
    given.iter().fold(VariableValues::new(), |values, (name, value)| values.with(*name, *value))
}

/// The least that must be given.
const LEAST: [(&str, &str); 2] = [("server", "https://host"), ("token", "hunter2")];

fn with(given: &[(&str, &str)]) -> Result<Variables, VariableErrors> {
    Variables::from_variables(&values(&[&LEAST, given].concat()))
}

#[test]
fn a_job_says_what_it_is_called() {
    let info = InventoryToDns::INFO;
    assert_eq!((info.id, info.name), ("dns", "Inventory to DNS"));
    assert_eq!(info.description, "Brings the DNS in line\nwith the inventory.");
    assert_eq!((info.source_label, info.target_label), ("Inventory", "Memory"));
    assert_eq!((info.source_icon, info.target_icon), (None, Some("/dns.svg")));
    assert_eq!(
        (info.kind, info.dryrun_default, info.hidden, info.concurrency),
        (JobKind::DataTarget, false, true, Some(4))
    );
    assert!(info.defined_at.contains("suite/job.rs:"), "{}", info.defined_at);

    let info = PlainJob::INFO;
    assert_eq!((info.id, info.name, info.description), ("plain-job", "Plain job", ""));
    assert_eq!(
        (info.kind, info.dryrun_default, info.hidden, info.concurrency),
        (JobKind::DataSource, true, false, None)
    );
}

#[test]
fn jobs_are_listed_by_id_each_once() {
    let entries = [
        JobEntry::new::<Variables>(),
        JobEntry::new::<PlainJob>(),
        JobEntry::new::<InventoryToDns>(),
        JobEntry::new::<PlainJob>(),
    ];
    let registry = JobRegistry::new(entries).unwrap();
    let ids: Vec<_> = registry.iter().map(|job| job.info().id).collect();
    assert_eq!(ids, ["dns", "plain-job", "variables"]);
    assert_eq!((&registry).into_iter().count(), 3);
}

#[test]
fn a_default_that_a_variable_cannot_take_is_found_before_a_run() {
    let error = JobRegistry::new([JobEntry::new::<WrongDefaults>()]).unwrap().check_defaults().unwrap_err().to_string();
    assert!(error.starts_with("the job `wrong-defaults` at "), "{error}");
    assert!(
        error.ends_with(
            ": variable `by_default` = \"{1}\" (its default): it must be JSON: key must be a string at line 1 column 2"
        ),
        "{error}"
    );
    assert_eq!(JobRegistry::new([JobEntry::new::<PlainJob>()]).unwrap().check_defaults(), Ok(()));
}

#[test]
fn a_job_registers_itself_and_may_be_named_as_well() {
    let registry = JobRegistry::from_linked([JobEntry::new::<SyncWorlds>()]).unwrap();
    for id in ["sync-worlds", "plain-job", "dns", "copy-file"] {
        assert_eq!(registry.get(id).unwrap().info().id, id);
    }
    assert!(registry.iter().is_sorted_by_key(|job| job.info().id));
    assert!(registry.get("twin").is_err());
}

#[test]
fn two_jobs_of_one_id_are_an_error_that_names_both() {
    let entries = [JobEntry::new::<PlainJob>(), JobEntry::new::<Twin>(), JobEntry::new::<PlainJob>()];
    let error = JobRegistry::new(entries).unwrap_err();
    assert!(matches!(error, RegistryError::SameId { id: "plain-job", .. }), "{error:?}");
    let message = error.to_string();
    let plain = format!("suite::job::PlainJob at {}", PlainJob::INFO.defined_at);
    for part in ["two jobs have the id `plain-job`", &plain, "suite::job::Twin at elsewhere.rs:7", "`id = \"…\"`"] {
        let part = part.trim_matches('`');
        assert!(message.contains(part), "{part} is not in {message}");
    }
}

#[test]
fn no_job_at_all_is_an_error_that_says_what_to_do() {
    let error = JobRegistry::new([]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no job is linked into this program; name the crate that holds your jobs (`use my_jobs as _;`), so that the \
         linker keeps it"
    );
}

#[test]
fn an_unknown_job_is_answered_with_the_nearest() {
    let registry = JobRegistry::new([JobEntry::new::<PlainJob>(), JobEntry::new::<Variables>()]).unwrap();
    let check = |id: &str, message: &str| assert_eq!(registry.get(id).unwrap_err().to_string(), message);
    check("plain-jo", "there is no job `plain-jo`; did you mean `plain-job`?");
    check("variable", "there is no job `variable`; did you mean `variables`?");
    check("PlainJob", "there is no job `PlainJob`; did you mean `plain-job`?");
    check("zzz", "there is no job `zzz`");
    check("", "there is no job ``");
}

#[test]
fn an_entry_tells_all_that_is_known_before_a_run() {
    let entry = JobEntry::new::<InventoryToDns>();
    let models: Vec<_> = entry.models().iter().map(|schema| schema.name).collect();
    assert_eq!(models, ["city", "country", "region", "place"]);
    let mappings = entry.data_mappings();
    assert_eq!((mappings[0].source.as_str(), mappings[0].target.as_str()), ("Inventory", "Memory"));
    assert_eq!(
        (mappings[0].identifiers.join(" "), mappings[0].parent.as_deref()),
        ("country name".into(), Some("country"))
    );
    assert_eq!(entry.variables(), []);
}

#[test]
fn a_prepared_job_runs() {
    let prepared = JobEntry::new::<Variables>().prepare(&values(&LEAST)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(prepared.run(RunOptions::new(&Variables::INFO), Vec::new()));
    assert_eq!((report.job, report.status, report.counts.unchanged), ("variables", Status::Completed, 1));
    assert_eq!(report.config, prepared.config_information());
}

#[test]
fn a_variable_says_what_it_takes() {
    let [file, user, server, port, pace, quick, numbers, extra, token, pin] = Variables::VARIABLES else { panic!() };
    assert_eq!((file.name, file.help, file.group), ("file", "Where the file is.", Some("Source")));
    assert_eq!((user.env, user.default, user.required), (Some("CARGO_PKG_NAME"), Some("nobody"), false));
    let kinds = [file, user, server, port, pace, quick, extra, token, pin].map(|spec| spec.kind);
    assert_eq!(
        kinds,
        [
            VariableKind::Path,
            VariableKind::Text,
            VariableKind::Url,
            VariableKind::Integer,
            VariableKind::Number,
            VariableKind::Boolean,
            VariableKind::Json,
            VariableKind::Text,
            VariableKind::Integer,
        ]
    );
    assert_eq!(numbers.kind, VariableKind::List(&VariableKind::Integer));
    let required: Vec<_> = Variables::VARIABLES.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    assert_eq!(required, ["server", "token"]);
    let secret: Vec<_> = Variables::VARIABLES.iter().filter(|spec| spec.secret).map(|spec| spec.name).collect();
    assert_eq!(secret, ["token", "pin"]);
}

#[test]
fn a_variable_has_the_value_given_else_the_environments_else_its_default() {
    let job = with(&[]).unwrap();
    assert_eq!((job.file.to_str(), job.user.as_str()), (Some("data/world.json"), env!("CARGO_PKG_NAME")));
    assert_eq!((job.port, job.pace, job.quick, job.numbers), (None, 1.5, false, vec![]));
    assert_eq!((job.extra, job.pin), (json!([1, 2]), None));
    let job = with(&[
        ("user", "me"),
        ("file", "x"),
        ("port", " 80 "),
        ("pace", "-2"),
        ("quick", "yes"),
        ("numbers", "3"),
        ("numbers", "1"),
        ("extra", "{}"),
        ("pin", "7"),
    ])
    .unwrap();
    assert_eq!((job.file.to_str(), job.user.as_str()), (Some("x"), "me"));
    assert_eq!((job.port, job.pace, job.quick, job.numbers), (Some(80), -2.0, true, vec![3, 1]));
    assert_eq!((job.extra, job.pin), (json!({}), Some(Secret::new(7))));
    assert_eq!((job.server.as_str(), job.token.expose().as_str()), ("https://host/", "hunter2"));
}

#[test]
fn everything_that_is_wrong_with_the_variables_is_said_together() {
    let given = [
        ("file", ""),
        ("port", "99999"),
        ("quick", "perhaps"),
        ("numbers", "1"),
        ("numbers", "two"),
        ("pace", "1"),
        ("pace", "2"),
        ("extra", "{"),
        ("pin", "hunter3"),
    ];
    let errors = Variables::from_variables(&values(&given)).err().unwrap();
    let names: Vec<_> = errors.iter().map(|error| error.variable().name).collect();
    assert_eq!(names, ["file", "server", "port", "pace", "quick", "numbers", "extra", "token", "pin"]);
    assert_eq!(
        errors.to_string().lines().collect::<Vec<_>>(),
        [
            "variable `file` = \"\": it must be a path, and is empty",
            "variable `server`: no value is given",
            "variable `port` = \"99999\": it must be a whole number: number too large to fit in target type",
            "variable `pace`: it takes one value, and several are given",
            "variable `quick` = \"perhaps\": it must be `true` or `false`",
            "variable `numbers`: value 2: it must be a whole number: invalid digit found in string",
            "variable `extra` = \"{\": it must be JSON: EOF while parsing an object at line 1 column 1",
            "variable `token`: no value is given",
            "variable `pin`: it must be a whole number: invalid digit found in string",
        ]
    );
}

#[test]
fn an_error_says_where_a_value_comes_from() {
    let errors = WrongDefaults::from_variables(&VariableValues::new()).err().unwrap();
    assert_eq!(
        errors.to_string().lines().collect::<Vec<_>>(),
        [
            "variable `from_environment` = \"diffsync-core\" (from the environment variable CARGO_PKG_NAME): it must be a \
             whole number: invalid digit found in string",
            "variable `by_default` = \"{1}\" (its default): it must be JSON: key must be a string at line 1 column 2",
        ]
    );
    let job = WrongDefaults::from_variables(&values(&[("from_environment", "1"), ("by_default", "2")])).unwrap();
    assert_eq!((job.from_environment, job.by_default), (1, json!(2)));
}

#[test]
fn the_configuration_shows_what_is_set_and_no_secret() {
    let given = [("server", "https://me:hunter4@host/path"), ("token", "hunter2"), ("pin", "31337"), ("numbers", "3")];
    let values = values(&given);
    let job = Variables::from_variables(&values).unwrap();
    let config: Vec<_> = job.config_information().into_iter().map(|item| (item.name, item.value)).collect();
    let expected = [
        ("file", json!("data/world.json")),
        ("user", json!("diffsync-core")),
        ("server", json!("https://***@host/path")),
        ("port", Value::Null),
        ("pace", json!(1.5)),
        ("quick", json!(false)),
        ("numbers", json!([3])),
        ("extra", json!([1, 2])),
    ];
    assert_eq!(config, expected.map(|(name, value)| (name.to_owned(), value)));
    for text in [format!("{values:?}"), format!("{:?} {:?}", job.token, job.pin), format!("{config:?}")] {
        assert!(!text.contains("hunter") && !text.contains("31337"), "{text}");
    }
}

#[test]
fn an_error_repeats_no_password() {
    for server in ["https://me:hunter4@ho st", "//me:hunter4@host/", "https://me:hunter4@host:port"] {
        let errors = Variables::from_variables(&values(&[("server", server), ("token", "hunter2")])).err().unwrap();
        for text in [errors.to_string(), format!("{errors:?}")] {
            assert!(text.contains("server") && !text.contains("hunter"), "{text}");
        }
    }
    let errors = Variables::from_variables(&values(&[("server", "host"), ("token", "x")])).err().unwrap();
    assert!(errors.to_string().starts_with("variable `server` = \"host\": it must be a URL such as"), "{errors}");
}
