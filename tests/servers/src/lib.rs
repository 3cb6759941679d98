//! Database servers for tests: `PostgreSQL` and `MariaDB` from the system's packages, on private ports, with their data in
//! a temporary folder.
//!
//! A server is started once in a program that tests, and ends with it, however it ends: a shell waits for the end of a
//! pipe that only the program holds, then stops the server and removes its data.

#![allow(clippy::print_stderr, reason = "what is left out is said aloud")]

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// The port it listens on, at 127.0.0.1.
    pub port: u16,
    /// Its administrator.
    pub user: &'static str,
    /// The administrator's password.
    pub password: &'static str,
    /// The folder where its programs are.
    pub programs: PathBuf,
    /// Dropping it would not stop the server; the end of the pipe to it does.
    _shell: Child,
}

/// What a run must not go on without: with this set, a server that is missing is an error.
const REQUIRED: &str = "DIFFSYNC_REQUIRE_SERVERS";

/// A `PostgreSQL` server, or none where it is not installed.
#[must_use]
pub fn postgres() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    once(&SERVER, "PostgreSQL", "postgresql", || Some(start_postgres(newest_postgres()?)))
}

/// A `MariaDB` server, or none where it is not installed.
#[must_use]
pub fn mariadb() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    once(&SERVER, "MariaDB", "mariadb-server", || {
        let daemon = Path::new("/usr/sbin/mariadbd");
        daemon.exists().then(start_mariadb)
    })
}

#[allow(clippy::panic, reason = "a test that cannot go on fails")]
fn once(
    place: &'static OnceLock<Option<Server>>,
    name: &str,
    package: &str,
    start: impl FnOnce() -> Option<io::Result<Server>>,
) -> Option<&'static Server> {
    let started = place.get_or_init(|| match start() {
        Some(Ok(server)) => Some(server),
        Some(Err(error)) => panic!("{name} does not start: {error}"),
        None if std::env::var_os(REQUIRED).is_some() => {
            panic!("{name} is not installed, and {REQUIRED} is set: install the package `{package}`")
        }
        None => {
            eprintln!("left out: what needs {name}, which is not installed (package `{package}`)");
            None
        }
    });
    started.as_ref()
}

fn newest_postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(version)?.join("bin");
    newest.join("postgres").exists().then_some(newest)
}

fn start_postgres(programs: PathBuf) -> io::Result<Server> {
    let (folder, port) = (new_folder("postgres")?, free_port()?);
    let (data, password) = (folder.join("data"), folder.join("password"));
    fs::write(&password, "postgres-password\n")?;
    own(&folder, "postgres")?;
    run(as_user("postgres", &programs.join("initdb"))
        .args(["--username=postgres", "--auth=md5", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
        .arg("--pgdata")
        .arg(&data)
        .arg("--pwfile")
        .arg(&password))?;
    // What is lost with the machine was a test's.
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\nmax_connections = 200\n"
    );
    fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(settings.as_bytes())?;
    let mut server = as_user("postgres", &programs.join("postgres"));
    server.arg("-D").arg(&data);
    let shell = guarded(&server, &folder)?;
    wait_for(port, &folder)?;
    Ok(Server { port, user: "postgres", password: "postgres-password", programs, _shell: shell })
}

fn start_mariadb() -> io::Result<Server> {
    let (folder, port) = (new_folder("mariadb")?, free_port()?);
    let (data, script) = (folder.join("data"), folder.join("init.sql"));
    fs::write(
        &script,
        "CREATE USER 'admin'@'%' IDENTIFIED BY 'mariadb-password';\nGRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;\n",
    )?;
    own(&folder, "mysql")?;
    run(as_user("mysql", Path::new("/usr/bin/mariadb-install-db"))
        .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
        .arg(format!("--datadir={}", data.display())))?;
    let mut server = as_user("mysql", Path::new("/usr/sbin/mariadbd"));
    server
        .args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--sync-frm=0",
            "--skip-log-bin",
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--socket={}", folder.join("socket").display()))
        .arg(format!("--pid-file={}", folder.join("pid").display()))
        .arg(format!("--init-file={}", script.display()));
    let shell = guarded(&server, &folder)?;
    wait_for(port, &folder)?;
    Ok(Server { port, user: "admin", password: "mariadb-password", programs: "/usr/bin".into(), _shell: shell })
}

/// A folder that the shell which guards the server removes.
fn new_folder(name: &str) -> io::Result<PathBuf> {
    Ok(tempfile::Builder::new().prefix(&format!("diffsync-{name}-")).tempdir()?.keep())
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Servers do not run as root, so root runs them as the users that the packages made for them.
fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()]).arg(program);
    command
}

fn own(folder: &Path, user: &str) -> io::Result<()> {
    if is_root() { run(Command::new("chown").arg("-R").arg(user).arg(folder)) } else { Ok(()) }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).current_dir("/").output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// Runs a server until this program ends.
fn guarded(server: &Command, folder: &Path) -> io::Result<Child> {
    const SCRIPT: &str = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 </dev/null & server=$!
        cat >/dev/null; kill -INT $server 2>/dev/null || kill $server; sleep 0.2; kill $server 2>/dev/null
        wait $server; rm -rf "$folder""#;
    Command::new("setsid")
        .args(["sh", "-c", SCRIPT, "sh"])
        .arg(folder)
        .arg(server.get_program())
        .args(server.get_args())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn wait_for(port: u16, folder: &Path) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > deadline {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer in a minute: {log}")));
        }
        sleep(Duration::from_millis(50));
    }
    // It may listen before it lets anybody in.
    sleep(Duration::from_millis(300));
    Ok(())
}
