mod binaries;
mod cluster;
#[cfg(feature = "fetch")]
mod fetched;
mod options;
mod settings;

use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use self::cluster::Cluster;
pub use self::options::{Durability, PostgresOptions, SocketLogin};
use crate::data_folder::{DataFolder, ServerLog};
use crate::error::{EmbeddedError, OnPath};
use crate::ports::free_port;
use crate::process::{self, Launch, Lifeline, Process};

pub(crate) const SUPERUSER: &str = "soko";

const SERVER: &str = "PostgreSQL";

/// The database that is made for the caller.
const DATABASE: &str = "soko";

/// How long a start may take; replaying the log after a crash is part of it.
const START_TIMEOUT: Duration = Duration::from_secs(120);

const POLL: Duration = Duration::from_millis(2);

/// Starts that end in a way that another start may not: a port just taken, the
/// last children of a killed server still there.
const START_ATTEMPTS_MAX: u32 = 20;

const START_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A number that no process has: beyond what any system gives.
const NO_PID: i32 = i32::MAX;

/// The longest path of a socket that Linux and macOS both take.
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// A running private PostgreSQL; it stops when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    options: PostgresOptions,
    folder: DataFolder,
    cluster: Cluster,
    process: Process,
    port: u16,
    password: String,
    socket_folder: Option<PathBuf>,
}

impl Postgres {
    /// Starts the server of this folder; the first time, makes its data there.
    ///
    /// A server that an earlier, killed process left behind is stopped first.
    pub async fn start(folder: &Path, options: PostgresOptions) -> Result<Self, EmbeddedError> {
        Self::start_with(folder, options, Lifeline::new()?).await
    }

    pub(crate) async fn start_with(
        folder: &Path,
        options: PostgresOptions,
        lifeline: Lifeline,
    ) -> Result<Self, EmbeddedError> {
        // Others may pass through, to the data of the server's own user.
        let folder = DataFolder::take(folder, 0o711)?;
        let password = folder.password()?;
        #[cfg(feature = "fetch")]
        fetched::fetch_if_none(folder.path()).await?;
        let is_new = !folder.path().join("data").exists();
        let (folder, cluster) = {
            let options = options.clone();
            let opened = tokio::task::spawn_blocking(move || {
                Cluster::open(&folder, &options).map(|cluster| (folder, cluster))
            });
            opened.await.map_err(|cause| not_started(&cause))??
        };
        stop_leftover(&cluster).await?;
        let socket_folder = socket_folder(&cluster)?;
        let (process, port) = run(
            &folder,
            &cluster,
            &options,
            socket_folder.as_deref(),
            &lifeline,
        )
        .await?;
        drop(lifeline);
        let server = Self {
            options,
            folder,
            cluster,
            process,
            port,
            password,
            socket_folder,
        };
        if is_new || !server.has_database().await? {
            server.create_database().await?;
        }
        server.folder.write_url(&server.url())?;
        Ok(server)
    }

    /// Where clients of any kind connect, as the superuser.
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// The same by Unix socket, which is faster; by TCP where the folder's
    /// path is too long for a socket.
    pub fn socket_url(&self) -> String {
        match &self.socket_folder {
            Some(folder) => format!("{}?host={}", self.url(), folder.display()),
            None => self.url(),
        }
    }

    /// Where the server of this folder is, if one runs: for programs that want
    /// to join it.
    pub fn url_in(folder: &Path) -> Option<String> {
        DataFolder::is_taken(folder).then(|| fs::read_to_string(folder.join("url")).ok())?
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server, 0 when it is not running.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The folder of `psql`, `pgbench` and the other programs of this version.
    pub fn programs(&self) -> &Path {
        &self.cluster.binaries.folder
    }

    /// Whether the server is still there, which it may not be after a crash.
    pub fn is_running(&mut self) -> bool {
        self.process.exit_status().is_none()
    }

    /// Starts the server again, at the same port, after it was killed.
    pub async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.process.stop().await?;
        stop_leftover(&self.cluster).await?;
        let lifeline = Lifeline::new()?;
        let socket_folder = self.socket_folder.as_deref();
        (self.process, self.port) = run(
            &self.folder,
            &self.cluster,
            &self.options,
            socket_folder,
            &lifeline,
        )
        .await?;
        self.folder.write_url(&self.url())
    }

    /// Ends open connections, writes everything out and waits for the end.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        self.process.stop().await
    }

    /// Leaves the server running for as long as others hold its lifeline.
    pub(crate) fn leave(self) {
        self.process.leave();
    }

    fn url_of(&self, database: &str) -> String {
        let (password, port) = (&self.password, self.port);
        format!("postgres://{SUPERUSER}:{password}@127.0.0.1:{port}/{database}")
    }

    async fn has_database(&self) -> Result<bool, EmbeddedError> {
        let mut admin = self.admin().await?;
        let found = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1")
            .bind(DATABASE)
            .fetch_optional(&mut admin)
            .await?;
        admin.close().await?;
        Ok(found.is_some())
    }

    async fn create_database(&self) -> Result<(), EmbeddedError> {
        let mut admin = self.admin().await?;
        sqlx::query(&format!("CREATE DATABASE {DATABASE}"))
            .execute(&mut admin)
            .await?;
        admin.close().await?;
        Ok(())
    }

    async fn admin(&self) -> Result<sqlx::PgConnection, EmbeddedError> {
        let options: PgConnectOptions = self.url_of("postgres").parse()?;
        Ok(options.connect().await?)
    }
}

async fn run(
    folder: &DataFolder,
    cluster: &Cluster,
    options: &PostgresOptions,
    socket_folder: Option<&Path>,
    lifeline: &Lifeline,
) -> Result<(Process, u16), EmbeddedError> {
    let mut attempt = 1;
    loop {
        let port = free_port(folder.last_port()).map_err(|cause| not_started(&cause))?;
        let log = folder.log()?;
        let mut process = launch(cluster, options, port, socket_folder, &log, lifeline)?;
        match wait_until_ready(&mut process, cluster, &log).await {
            Ok(()) => return Ok((process, port)),
            Err(failure) if attempt == START_ATTEMPTS_MAX || !may_pass(&log) => {
                return Err(failure);
            }
            Err(_) => attempt += 1,
        }
        tokio::time::sleep(START_AGAIN_AFTER).await;
    }
}

fn launch(
    cluster: &Cluster,
    options: &PostgresOptions,
    port: u16,
    socket_folder: Option<&Path>,
    log: &ServerLog,
    lifeline: &Lifeline,
) -> Result<Process, EmbeddedError> {
    let mut arguments = vec!["-D".to_owned(), cluster.data.display().to_string()];
    arguments.extend(settings::arguments(
        options,
        port,
        socket_folder,
        cluster.has_lz4,
    ));
    let launch = Launch {
        server: SERVER,
        program: &cluster.binaries.program("postgres"),
        arguments: &arguments,
        environment: &settings::ENVIRONMENT,
        run_as: &cluster.run_as,
        output: log.writer()?,
        // A fast shutdown, then one without a checkpoint.
        stop: Signal::SIGINT,
        stop_at_once: Signal::SIGQUIT,
    };
    Process::start(launch, lifeline.try_clone()?)
}

/// The server says in its pid file when it takes connections.
async fn wait_until_ready(
    process: &mut Process,
    cluster: &Cluster,
    log: &ServerLog,
) -> Result<(), EmbeddedError> {
    let pid_file = cluster.data.join("postmaster.pid");
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(status) = process.exit_status() {
            return Err(not_started(&format!("{status}\n{}", log.text())));
        }
        let content = fs::read_to_string(&pid_file).unwrap_or_default();
        let mut lines = content.lines();
        let is_ours = lines.next() == Some(&process.pid().to_string());
        if is_ours
            && lines
                .next_back()
                .is_some_and(|status| status.trim() == "ready")
        {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(not_started(&format!("not ready in time\n{}", log.text())));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn may_pass(log: &ServerLog) -> bool {
    let text = log.text();
    text.contains("Address already in use") || text.contains("pre-existing shared memory block")
}

/// We hold the folder, so a server that still runs on it belongs to a process
/// that was killed.
async fn stop_leftover(cluster: &Cluster) -> Result<(), EmbeddedError> {
    let pid_file = cluster.data.join("postmaster.pid");
    let Some(pid) = first_line(&pid_file).and_then(|line| line.trim().parse().ok()) else {
        return Ok(());
    };
    if process::is_alive(pid) && process::was_started_with(pid, &cluster.data) {
        tracing::warn!(
            pid,
            "stopping the PostgreSQL that a killed process left behind"
        );
        process::stop_stray(SERVER, pid, &[Signal::SIGINT, Signal::SIGQUIT]).await?;
    }
    if process::is_listed(pid) {
        disown(&pid_file)?;
        // They name the same process.
        remove_files_in(&socket_path(cluster))?;
    }
    Ok(())
}

/// PostgreSQL does not start as long as there is a process with the number in
/// its pid file: another one that has got the number since, or a dead one that
/// nobody has waited for. The other lines stay, for by them it finds out
/// whether children of a killed server still use its memory.
fn disown(pid_file: &Path) -> Result<(), EmbeddedError> {
    let Ok(content) = fs::read_to_string(pid_file) else {
        return Ok(());
    };
    let rest = content.split_once('\n').map_or("", |(_, rest)| rest);
    fs::write(pid_file, format!("{NO_PID}\n{rest}")).on_path("write", pid_file)
}

fn remove_files_in(folder: &Path) -> Result<(), EmbeddedError> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        fs::remove_file(entry.path()).on_path("remove", &entry.path())?;
    }
    Ok(())
}

fn first_line(file: &Path) -> Option<String> {
    let content = fs::read_to_string(file).ok()?;
    content.lines().next().map(str::to_owned)
}

/// Beside the data, where the server's user can be.
fn socket_path(cluster: &Cluster) -> PathBuf {
    cluster.data.with_file_name("socket")
}

fn socket_folder(cluster: &Cluster) -> Result<Option<PathBuf>, EmbeddedError> {
    let path = socket_path(cluster);
    let socket = path.join(".s.PGSQL.65535");
    if socket.as_os_str().as_bytes().len() > SOCKET_PATH_BYTES_MAX {
        return Ok(None);
    }
    if !path.exists() {
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .on_path("create", &path)?;
    }
    cluster.run_as.own(&path)?;
    Ok(Some(path))
}

fn not_started(reason: &dyn std::fmt::Display) -> EmbeddedError {
    EmbeddedError::DidNotStart {
        server: SERVER,
        reason: reason.to_string(),
    }
}
