//! Database servers for tests: `PostgreSQL`, `PgBouncer` and `MariaDB` from the system's packages, on private ports, with
//! their data in a temporary folder.
//!
//! A test program starts a server once. The server ends with the program, even if that is killed: a shell waits for the
//! end of a pipe that only the program holds, then stops the server and removes its data.

use std::fmt::Debug;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs a test on a runtime of its own, and says on which kind of database it failed.
pub fn test_on<R>(kind: impl Debug, test: impl Future<Output = R>) -> R {
    struct Named<K: Debug>(K);

    impl<K: Debug> Drop for Named<K> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let _ = writeln!(io::stderr(), "it failed on {:?}", self.0);
            }
        }
    }

    let _named = Named(kind);
    block_on(test)
}

/// Runs asynchronous work on a runtime of its own.
///
/// # Panics
///
/// If no threads can be started.
pub fn block_on<R>(work: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("threads can be started").block_on(work)
}

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
    once(&SERVER, "PostgreSQL", "postgresql", || {
        let programs = newest_postgres()?;
        Some(started(|| start_postgres(&programs)))
    })
}

/// A `MariaDB` server, or none where it is not installed.
#[must_use]
pub fn mariadb() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    once(&SERVER, "MariaDB", "mariadb-server", || {
        let daemon = Path::new("/usr/sbin/mariadbd");
        daemon.exists().then(|| started(start_mariadb))
    })
}

/// A `PgBouncer` before the `PostgreSQL` server, which gives each transaction one of two connections to it; or none where
/// one of them is not installed.
#[must_use]
pub fn pgbouncer() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let before = postgres()?;
    once(&SERVER, "PgBouncer", "pgbouncer", || {
        let daemon = Path::new("/usr/sbin/pgbouncer");
        daemon.exists().then(|| started(|| start_pgbouncer(daemon, before)))
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
            // Straight to the terminal: what a test that passes prints is not shown.
            let notice = format!(
                "\n*** SKIPPED: what needs {name}, which is not installed (package `{package}`).\n\
                 *** Set {REQUIRED}=1 to make this a failure.\n\n"
            );
            io::stderr().write_all(notice.as_bytes()).ok();
            None
        }
    });
    started.as_ref()
}

/// Starts a server, again if somebody took its port before it could.
fn started(start: impl Fn() -> io::Result<Server>) -> io::Result<Server> {
    let mut tries = 0;
    loop {
        tries += 1;
        match start() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < 5 => {}
            answer => return answer,
        }
    }
}

fn newest_postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(version)?.join("bin");
    newest.join("postgres").exists().then_some(newest)
}

fn start_postgres(programs: &Path) -> io::Result<Server> {
    let folder = new_folder("postgres")?;
    let (data, password) = (folder.join("data"), folder.join("password"));
    fs::write(&password, "postgres-password\n")?;
    own(&folder, "postgres")?;
    run(as_user("postgres", &programs.join("initdb"))
        .args(["--username=postgres", "--auth=md5", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
        .arg("--pgdata")
        .arg(&data)
        .arg("--pwfile")
        .arg(&password))?;
    let port = free_port()?;
    // What is lost with the machine was a test's.
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\nmax_connections = 200\n"
    );
    fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?.write_all(settings.as_bytes())?;
    let mut server = as_user("postgres", &programs.join("postgres"));
    server.arg("-D").arg(&data);
    let shell = guarded(&server, &folder)?;
    let (user, password) = ("postgres", "postgres-password");
    let mut login = Command::new(programs.join("psql"));
    login
        .args(["--no-psqlrc", "--host=127.0.0.1", "--dbname=postgres", "--command=SHOW data_directory"])
        .arg(format!("--port={port}"))
        .arg(format!("--username={user}"))
        .env("PGPASSWORD", password);
    wait_for(&mut login, &folder)?;
    Ok(Server { port, user, password, programs: programs.to_owned(), _shell: shell })
}

fn start_pgbouncer(daemon: &Path, before: &Server) -> io::Result<Server> {
    let folder = new_folder("pgbouncer")?;
    let (settings, users) = (folder.join("settings.ini"), folder.join("users"));
    let Server { user, password, programs, .. } = before;
    let port = free_port()?;
    fs::write(&users, format!("\"{user}\" \"{password}\"\n"))?;
    let text = format!(
        "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = md5\nauth_file = {}\nadmin_users = {user}\npool_mode = transaction\n\
         default_pool_size = 2\n",
        before.port,
        users.display(),
    );
    fs::write(&settings, text)?;
    own(&folder, "postgres")?;
    let mut server = as_user("postgres", daemon);
    server.arg(&settings);
    let shell = guarded(&server, &folder)?;
    let mut login = Command::new(programs.join("psql"));
    login
        .args(["--no-psqlrc", "--host=127.0.0.1", "--dbname=pgbouncer", "--command=SHOW CONFIG"])
        .arg(format!("--port={port}"))
        .arg(format!("--username={user}"))
        .env("PGPASSWORD", password);
    wait_for(&mut login, &folder)?;
    Ok(Server { port, user, password, programs: programs.clone(), _shell: shell })
}

fn start_mariadb() -> io::Result<Server> {
    let folder = new_folder("mariadb")?;
    let (data, script) = (folder.join("data"), folder.join("init.sql"));
    fs::write(
        &script,
        "CREATE USER 'admin'@'%' IDENTIFIED BY 'mariadb-password';\nGRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;\n",
    )?;
    own(&folder, "mysql")?;
    run(as_user("mysql", Path::new("/usr/bin/mariadb-install-db"))
        .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
        .arg(format!("--datadir={}", data.display())))?;
    let port = free_port()?;
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
    let (user, password) = ("admin", "mariadb-password");
    let mut login = Command::new("/usr/bin/mariadb");
    login
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--execute=SELECT @@datadir"])
        .arg(format!("--port={port}"))
        .arg(format!("--user={user}"))
        .arg(format!("--password={password}"));
    wait_for(&mut login, &folder)?;
    Ok(Server { port, user, password, programs: "/usr/bin".into(), _shell: shell })
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

/// Runs a server until this program ends. A file in its folder says if it ended before.
fn guarded(server: &Command, folder: &Path) -> io::Result<Child> {
    const SCRIPT: &str = r#"folder=$1; shift
        { "$@" >"$folder/log" 2>&1 </dev/null & echo $! >"$folder/server"; wait; : >"$folder/ended"; } &
        cat >/dev/null; server=$(cat "$folder/server")
        kill -INT $server 2>/dev/null || kill $server; sleep 0.2; kill $server 2>/dev/null
        wait; rm -rf "$folder""#;
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

/// Waits until the server of this folder lets its administrator in. The login says where the data is of the server that
/// answers, which may be another one that was faster to take the port.
fn wait_for(login: &mut Command, folder: &Path) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let place = folder.display().to_string();
    loop {
        let answer = login.stdin(Stdio::null()).current_dir("/").output()?;
        if answer.status.success() && String::from_utf8_lossy(&answer.stdout).contains(&place) {
            return Ok(());
        }
        let said = |what: &str| format!("{what}: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
        if folder.join("ended").exists() {
            let said = said("it ended");
            let is_taken = said.contains("Address already in use");
            let kind = if is_taken { io::ErrorKind::AddrInUse } else { io::ErrorKind::Other };
            return Err(io::Error::new(kind, said));
        }
        if Instant::now() > deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, said("no answer in a minute")));
        }
        sleep(Duration::from_millis(50));
    }
}
