//! Databases that are not as the models say: an error that names the place, and nothing is written.

use std::time::Duration;

use diffsync_adapters::SqlModel;
use diffsync_adapters::sql::{ModelEntries, Sql};
use diffsync_core::adapter::LoadContext;
use diffsync_core::data::{Side, VisitedBy};
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};

use sqlx::{Connection as _, SqliteConnection};

use super::systems::{Kind, System, block_on, loaded, on_each};
use super::world::{Vlans, World};

/// Why the database cannot be loaded.
async fn refused<D: Dataset + VisitedBy<ModelEntries<D>>>(system: &System) -> String {
    match loaded::<D>(&Sql::open(&system.url).unwrap(), Side::Target).await {
        Ok(_) => panic!("{:?} is loaded", system.kind),
        Err(error) => error.to_string(),
    }
}

fn assert_contains(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
    assert!(!error.contains("password"), "{error}");
}

/// Why a record of the only table is rejected, by record.
async fn rejected(system: &System) -> Vec<String> {
    let source: Vlans = loaded(&Sql::open(&system.url).unwrap(), Side::Source).await.unwrap();
    let report = super::systems::pushed_with(source, system.sql(), |options| options.dry_run = true).await;
    report.problems().iter().map(ToString::to_string).collect()
}

const VLANS: &str = "CREATE TABLE [vlans] ([number] KEYTEXT, [name] KEYTEXT, [note] KEYTEXT)";

#[test]
fn a_missing_table_is_named_with_those_that_there_are() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlan] ([number] KEYTEXT)")).await;
        let error = refused::<Vlans>(&system).await;
        assert_contains(&error, &["no table `vlans`", "did you mean `vlan`?"]);
    });
}

#[test]
fn tables_of_which_some_are_missing_are_not_taken_for_new() {
    on_each(|system| async move {
        system
            .run(
                &system
                    .words("CREATE TABLE [sites] ([id] SERIAL, [name] KEYTEXT, [descr] KEYTEXT, [managed_by] KEYTEXT)"),
            )
            .await;
        let error = loaded::<World>(&system.sql(), Side::Target).await.err().unwrap().to_string();
        assert_contains(&error, &["there is no table", "`sites`"]);
    });
}

#[test]
fn a_missing_column_is_named_with_those_that_there_are() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] INTEGER, [nmae] KEYTEXT, [note] KEYTEXT)")).await;
        let error = refused::<Vlans>(&system).await;
        assert_contains(&error, &["`vlans` has no column `name`", "did you mean `nmae`?", "`number`"]);
    });
}

#[test]
fn a_column_of_the_wrong_type_is_named() {
    on_each(|system| async move {
        system.run(&system.words(VLANS)).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES ('one', 'a', NULL)")).await;
        let error = refused::<Vlans>(&system).await;
        assert_contains(&error, &["`number` of `vlans`", "a whole number is expected"]);
    });
}

#[test]
fn a_null_in_an_identifier_is_an_error_at_its_row() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] INTEGER, [name] KEYTEXT, [note] KEYTEXT)")).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES (1, 'a', NULL), (NULL, 'b', NULL)")).await;
        let error = refused::<Vlans>(&system).await;
        assert_contains(&error, &["`number` of `vlans` is null", "row 2"]);
    });
}

#[test]
fn a_value_that_does_not_fit_rejects_its_record() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] BIGINT, [name] KEYTEXT, [note] KEYTEXT)")).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES (1, 'a', NULL), (2, NULL, NULL)")).await;
        let errors = rejected(&system).await.join("\n");
        assert_contains(&errors, &["2", "`name` of `vlans` is null, and the field is no `Option`"]);
        system.run(&system.words("INSERT INTO [vlans] VALUES (5000000000, 'big', NULL)")).await;
        let error = refused::<Vlans>(&system).await;
        assert_contains(&error, &["`number` of `vlans` is 5000000000, which does not fit into `u32`"]);
    });
}

#[test]
fn two_rows_with_one_natural_key_are_both_rejected() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([number] INTEGER, [name] KEYTEXT, [note] KEYTEXT)")).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES (7, 'a', NULL), (7, 'b', NULL)")).await;
        let errors = rejected(&system).await.join("\n");
        assert_contains(&errors, &["source: vlan \"7\" occurs 2 times", "target: vlan \"7\" occurs 2 times"]);
        assert_eq!(system.texts(&system.words("SELECT [name] FROM [vlans] ORDER BY [name]")).await, ["a", "b"]);
    });
}

#[derive(SyncModel, SqlModel, Clone)]
#[sql(table = "ports")]
struct Port {
    #[sync(id)]
    name: String,
    #[sql(lookup = "vlan_id -> vlans(name)")]
    vlan: Option<String>,
}

#[derive(Dataset, Default)]
struct Ports {
    ports: Table<Port>,
}

#[test]
fn a_dangling_foreign_key_rejects_its_record() {
    on_each(|system| async move {
        system.run(&system.words("CREATE TABLE [vlans] ([id] SERIAL, [name] KEYTEXT)")).await;
        system.run(&system.words("CREATE TABLE [ports] ([name] KEYTEXT, [vlan_id] BIGINT)")).await;
        system.run(&system.words("INSERT INTO [vlans] VALUES (1, 'blue')")).await;
        system.run(&system.words("INSERT INTO [ports] VALUES ('fine', 1), ('none', NULL), ('dangling', 77)")).await;
        let source: Ports = loaded(&Sql::open(&system.url).unwrap(), Side::Source).await.unwrap();
        let ports: Vec<_> = source.ports.iter().map(|port| (port.name.as_str(), port.vlan.as_deref())).collect();
        assert_eq!(ports, [("fine", Some("blue")), ("none", None)]);
        let report =
            super::systems::pushed_with(source, system.sql::<Ports>(), |options| options.max_rejected = 1.0).await;
        let errors = report.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_contains(&errors, &["dangling", "`vlan_id` of `ports` is \"77\"", "`vlans` has no such row"]);
    });
}

#[test]
fn a_wrong_password_is_refused_without_being_shown() {
    on_each(|system| async move {
        if system.kind == Kind::Sqlite {
            return;
        }
        let mut url = system.url.clone();
        url.set_password(Some("swordfish")).unwrap();
        let error = loaded::<Vlans>(&Sql::open(&url).unwrap(), Side::Target).await.err().unwrap().to_string();
        assert!(error.starts_with("cannot connect to `"), "{error}");
        // A line of the server's source is nothing to a user.
        assert!(!error.contains("swordfish") && !error.contains("at line"), "{error}");
        assert!(!format!("{:?}", Sql::<Vlans>::open(&url).unwrap()).contains("swordfish"));
    });
}

#[test]
fn a_wrong_host_is_named() {
    for url in ["postgres://u:swordfish@127.0.0.1:1/x", "mysql://u:swordfish@127.0.0.1:1/x"] {
        let sql = Sql::<Vlans>::open(&Url::parse(url).unwrap()).unwrap();
        let loaded = block_on(async { sql.load(&mut Vlans::default(), &LoadContext::standalone(Side::Target)).await });
        let error = loaded.err().unwrap().to_string();
        assert!(error.contains("127.0.0.1:1") && error.contains("refused") && !error.contains("swordfish"), "{error}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_named_with_the_time_it_had() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("postgres://u:p@{}/x", silent.local_addr().unwrap())).unwrap();
    let sql = Sql::<Vlans>::open(&url).unwrap().connect_timeout(Duration::from_millis(50));
    let error = block_on(loaded(&sql, Side::Target)).err().unwrap().to_string();
    assert!(error.ends_with("no answer within 50ms"), "{error}");
}

#[test]
fn a_file_that_another_program_is_writing_is_said_to_be_locked_for_now() {
    block_on(async {
        let system = System::new(Kind::Sqlite).await;
        system.run("CREATE TABLE vlans (number INTEGER, name TEXT, note TEXT)").await;
        let mut other = SqliteConnection::connect(system.url.as_str()).await.unwrap();
        sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
        let error = refused::<Vlans>(&system).await;
        assert_contains(&error, &["another program is writing it, so try again"]);
        assert!(!error.contains("cannot connect"), "{error}");
    });
}

#[test]
fn a_missing_database_is_named() {
    on_each(|system| async move {
        let mut url = system.url.clone();
        match system.kind {
            Kind::Sqlite => {}
            _ => url.set_path("/nowhere"),
        }
        let error = loaded::<Vlans>(&Sql::open(&url).unwrap(), Side::Target).await.err().unwrap().to_string();
        assert!(
            error.contains(if system.kind == Kind::Sqlite { "there is no `sqlite:" } else { "nowhere" }),
            "{error}"
        );
    });
}

#[test]
fn a_url_of_no_database_is_refused_at_once() {
    for (url, why) in [
        ("https://user:swordfish@host/x", "is not the URL of a database"),
        ("sqlite::memory:", "must be a file"),
        ("sqlite://", "must be a file"),
        ("sqlite:///no/such/folder/x.db", "must be in a folder that exists"),
    ] {
        let error =
            Sql::<Vlans>::open(&Url::parse(url).unwrap()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(why) && !error.contains("swordfish"), "{url}: {error}");
    }
}

#[test]
fn an_option_that_the_driver_does_not_know_is_refused() {
    for (url, why) in [
        ("postgres://u:p@host/x?sslmod=verify-full", "has an unknown option `sslmod`; did you mean `sslmode`?"),
        ("mysql://u:p@host/x?ssl-mod=REQUIRED", "has an unknown option `ssl-mod`; did you mean `ssl-mode`?"),
        ("sqlite://x.db?mod=ro", "has an unknown option `mod`; did you mean `mode`?"),
        ("postgres://u:1?swordfish@host/x", "write a `?` in a password as `%3F`"),
    ] {
        let error = Sql::<Vlans>::open(&Url::parse(url).unwrap()).err().unwrap().to_string();
        assert!(error.contains(why) && !error.contains("swordfish"), "{url}: {error}");
    }
    for url in [
        "postgres://u:p@host/x?sslmode=verify-full&options[search_path]=dcim&application_name=a",
        "mariadb://u:p@host/x?ssl-mode=VERIFY_IDENTITY&time-zone=UTC",
        "sqlite://x.db?mode=rwc&cache=private",
    ] {
        assert!(Sql::<Vlans>::open(&Url::parse(url).unwrap()).is_ok(), "{url}");
    }
}
