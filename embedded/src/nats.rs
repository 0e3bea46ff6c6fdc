mod binaries;
mod version;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

pub use self::version::NatsVersion;
use crate::data_folder::{DataFolder, ServerLog};
use crate::error::{EmbeddedError, OnPath};
use crate::ports::free_port;
use crate::process::{self, Launch, Lifeline, Process};
use crate::run_as::RunAs;

/// For the Go runtime: a server whose heap is a few megabytes would otherwise be at collecting
/// garbage most of the time. Beyond the limit it is as thrifty as ever.
const ENVIRONMENT: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "256MiB")];

const SERVER: &str = "nats-server";

const USER: &str = "soko";

const CONFIGURATION_FILE: &str = "nats.conf";

/// Recovering a large store is part of a start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(2);

const GREETING_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts that fail because another process has just taken the port.
const START_ATTEMPTS_MAX: u32 = 5;

#[derive(Debug, Clone, Default)]
pub struct NatsOptions {
    /// Which server to run; the newest that is installed if none is named.
    pub program: Option<PathBuf>,
}

/// A running private NATS with JetStream; it stops when this is dropped.
#[derive(Debug)]
pub struct Nats {
    folder: DataFolder,
    program: PathBuf,
    version: NatsVersion,
    process: Process,
    port: u16,
    password: String,
}

impl Nats {
    /// The newest server that is installed.
    pub fn find() -> Option<PathBuf> {
        Self::installed()
            .into_iter()
            .next()
            .map(|(_, program)| program)
    }

    /// Every installed server of version 2.9 or later, newest first.
    pub fn installed() -> Vec<(NatsVersion, PathBuf)> {
        binaries::installed()
    }

    /// Starts the server of this folder, with what its streams held before.
    ///
    /// A server that an earlier, killed process left behind is stopped first.
    pub async fn start(folder: &Path, options: NatsOptions) -> Result<Self, EmbeddedError> {
        Self::start_with(folder, options, Lifeline::new()?).await
    }

    pub(crate) async fn start_with(
        folder: &Path,
        options: NatsOptions,
        lifeline: Lifeline,
    ) -> Result<Self, EmbeddedError> {
        let program = options
            .program
            .or_else(Self::find)
            .ok_or(EmbeddedError::NatsNotFound)?;
        let folder = DataFolder::take(folder, 0o700)?;
        let password = folder.password()?;
        stop_leftover(&folder).await?;
        let (process, port, version) = run(&folder, &program, &password, &lifeline).await?;
        let server = Self {
            folder,
            program,
            version,
            process,
            port,
            password,
        };
        server.folder.write_url(&server.url())?;
        Ok(server)
    }

    /// Where clients connect, with user and password.
    pub fn url(&self) -> String {
        format!("nats://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Where the server of this folder is, if one runs: for programs that want
    /// to join it.
    pub fn url_in(folder: &Path) -> Option<String> {
        DataFolder::is_taken(folder).then(|| fs::read_to_string(folder.join("url")).ok())?
    }

    pub fn version(&self) -> NatsVersion {
        self.version
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Where JetStream keeps its streams. Deleting it, with the server stopped,
    /// is what losing a NATS node means.
    pub fn store(&self) -> PathBuf {
        store(&self.folder)
    }

    /// Whether the server is still there, which it may not be after a crash.
    pub fn is_running(&mut self) -> bool {
        self.process.exit_status().is_none()
    }

    /// Starts the server again, at the same port, after it was killed.
    pub async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.process.stop().await?;
        let lifeline = Lifeline::new()?;
        (self.process, self.port, self.version) =
            run(&self.folder, &self.program, &self.password, &lifeline).await?;
        self.folder.write_url(&self.url())
    }

    /// Closes the connections, writes everything out and waits for the end.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        self.process.stop().await
    }

    /// Leaves the server running for as long as others hold its lifeline.
    pub(crate) fn leave(self) {
        self.process.leave();
    }
}

async fn run(
    folder: &DataFolder,
    program: &Path,
    password: &str,
    lifeline: &Lifeline,
) -> Result<(Process, u16, NatsVersion), EmbeddedError> {
    let mut attempt = 1;
    loop {
        let port = free_port(folder.last_port()).map_err(|cause| not_started(&cause))?;
        let configuration =
            folder.write_private(CONFIGURATION_FILE, &configuration(folder, port, password))?;
        let log = folder.log()?;
        let launch = Launch {
            server: SERVER,
            program,
            arguments: &["-c".to_owned(), configuration.display().to_string()],
            environment: &ENVIRONMENT,
            run_as: &RunAs::Ourselves,
            output: log.writer()?,
            stop: Signal::SIGTERM,
            stop_at_once: Signal::SIGTERM,
        };
        let mut process = Process::start(launch, lifeline.try_clone()?)?;
        match wait_until_ready(&mut process, port, &log).await {
            Ok(version) => return Ok((process, port, version)),
            Err(failure) => {
                let is_port_taken = log.text().contains("address already in use");
                if attempt == START_ATTEMPTS_MAX || !is_port_taken {
                    return Err(failure);
                }
            }
        }
        attempt += 1;
    }
}

/// In words that 2.9 knows already: what came later it refuses to start with.
fn configuration(folder: &DataFolder, port: u16, password: &str) -> String {
    let (store, pid_file) = (store(folder), pid_file(folder));
    let (store, pid_file) = (store.display(), pid_file.display());
    format!(
        "server_name: soko\n\
         listen: \"127.0.0.1:{port}\"\n\
         pid_file: \"{pid_file}\"\n\
         authorization {{ user: {USER}, password: \"{password}\" }}\n\
         jetstream {{ store_dir: \"{store}\" }}\n"
    )
}

/// A server greets with who it is; it takes clients last of all, when its
/// streams are there.
async fn wait_until_ready(
    process: &mut Process,
    port: u16,
    log: &ServerLog,
) -> Result<NatsVersion, EmbeddedError> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(status) = process.exit_status() {
            return Err(not_started(&format!("{status}\n{}", log.text())));
        }
        if let Some(version) = greeting(port).await {
            return Ok(version);
        }
        if Instant::now() > deadline {
            return Err(not_started(&format!("not ready in time\n{}", log.text())));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn greeting(port: u16) -> Option<NatsVersion> {
    tokio::task::spawn_blocking(move || version_at((Ipv4Addr::LOCALHOST, port).into()))
        .await
        .ok()?
}

/// The version that the server at this address says it has.
pub(crate) fn version_at(address: SocketAddr) -> Option<NatsVersion> {
    let stream = TcpStream::connect_timeout(&address, GREETING_TIMEOUT).ok()?;
    stream.set_read_timeout(Some(GREETING_TIMEOUT)).ok()?;
    let mut greeting = String::new();
    BufReader::new(stream).read_line(&mut greeting).ok()?;
    let (_, after_name) = greeting
        .strip_prefix("INFO ")?
        .split_once(r#""version":""#)?;
    after_name.split('"').next()?.parse().ok()
}

/// We hold the folder, so a server that still runs on it belongs to a process
/// that was killed.
async fn stop_leftover(folder: &DataFolder) -> Result<(), EmbeddedError> {
    let pid_file = pid_file(folder);
    let Ok(content) = fs::read_to_string(&pid_file) else {
        return Ok(());
    };
    let pid = content
        .trim()
        .parse()
        .ok()
        .filter(|pid| process::is_alive(*pid));
    if let Some(pid) =
        pid.filter(|pid| process::was_started_with(*pid, &configuration_file(folder)))
    {
        tracing::warn!(
            pid,
            "stopping the nats-server that a killed process left behind"
        );
        process::stop_stray(SERVER, pid, &[Signal::SIGTERM, Signal::SIGKILL]).await?;
    }
    fs::remove_file(&pid_file)
        .or_else(ignore_missing)
        .on_path("remove", &pid_file)
}

fn ignore_missing(cause: std::io::Error) -> std::io::Result<()> {
    if cause.kind() == std::io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(cause)
    }
}

fn store(folder: &DataFolder) -> PathBuf {
    folder.path().join("jetstream")
}

fn configuration_file(folder: &DataFolder) -> PathBuf {
    folder.path().join(CONFIGURATION_FILE)
}

fn pid_file(folder: &DataFolder) -> PathBuf {
    folder.path().join("pid")
}

fn not_started(reason: &dyn std::fmt::Display) -> EmbeddedError {
    EmbeddedError::DidNotStart {
        server: SERVER,
        reason: reason.to_string(),
    }
}
