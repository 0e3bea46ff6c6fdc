//! A running system.

use crate::Person;
use soko_embedded::Postgres;
use soko_embedded::testing::{TestDatabase, fresh_database, scratch_folder};
use sqlx::PgPool;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// The first platform admin of every test.
pub const ADMIN_EMAIL: &str = "admin@soko.test";
pub const ADMIN_PASSWORD: &str = "correct horse battery";

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// The `soko` binary on a database of its own.
pub struct Soko {
    database: Database,
    settings: Settings,
    data_dir: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
    client: reqwest::Client,
}

/// Where the data are.
enum Database {
    /// On the server that all tests share.
    Shared(Arc<TestDatabase>),
    /// On a server that the test runs and ends.
    Given(String),
    /// On a server that the process runs by itself; a NATS too.
    Private,
}

/// What differs from the defaults of a test: environment variables of the process.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub variables: Vec<(String, String)>,
}

impl Settings {
    /// For several nodes: each takes the tokens that another issues.
    pub fn of_one_issuer() -> Self {
        Self::default().with("SOKO_PUBLIC_URL", "http://soko.test")
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }
}

impl Soko {
    /// All parts in one process, read models fed from the log itself.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        let database = Arc::new(fresh_database(&MIGRATOR).await);
        Self::start_on(Database::Shared(database), settings).await
    }

    /// On an empty database of a server that the test itself keeps.
    pub async fn start_at(database_url: String, settings: Settings) -> Self {
        Self::start_on(Database::Given(database_url), settings).await
    }

    /// As whoever sets nothing gets it: with a Postgres and a NATS of its own.
    pub async fn start_alone() -> Self {
        Self::start_on(Database::Private, Settings::default()).await
    }

    /// Another process on the same database.
    pub async fn beside(&self) -> Self {
        let database = match &self.database {
            Database::Shared(database) => Database::Shared(Arc::clone(database)),
            Database::Given(url) => Database::Given(url.clone()),
            Database::Private => Database::Given(self.database_url()),
        };
        Self::start_on(database, self.settings.clone()).await
    }

    async fn start_on(database: Database, settings: Settings) -> Self {
        // Open to the user that a private Postgres runs as.
        let data_dir = scratch_folder();
        let client = http_client();
        let mut soko = Self {
            database,
            settings,
            data_dir,
            port: free_port(),
            process: None,
            client,
        };
        soko.launch().await;
        soko
    }

    /// Somebody who is not logged in.
    pub fn guest(&self) -> Person {
        Person::new(self.client.clone(), self.base())
    }

    /// Registers and logs in.
    pub async fn person(&self, name: &str) -> Person {
        let mut person = self.guest();
        person.register_and_log_in(name).await;
        person
    }

    /// The platform's admin.
    pub async fn admin(&self) -> Person {
        let mut admin = self.guest();
        admin.log_in(ADMIN_EMAIL, ADMIN_PASSWORD).await;
        admin
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The database as its owner sees it; for the audit views only.
    pub fn database(&self) -> &PgPool {
        match &self.database {
            Database::Shared(database) => database.pool(),
            Database::Given(_) | Database::Private => panic!("not on the shared server"),
        }
    }

    pub fn database_url(&self) -> String {
        match &self.database {
            Database::Shared(database) => database.url().to_owned(),
            Database::Given(url) => url.clone(),
            Database::Private => {
                Postgres::url_in(&self.private_folder("postgres")).expect("it runs one")
            }
        }
    }

    /// Where the process keeps a private server, and all that server has.
    pub fn private_folder(&self, server: &str) -> PathBuf {
        self.data_dir.path().join("data").join(server)
    }

    pub fn process_id(&self) -> u32 {
        self.process.as_ref().and_then(Child::id).unwrap()
    }

    /// As power failing: nothing is told, nothing is drained.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().await.unwrap();
    }

    /// SIGTERM, and the wait for its end.
    pub async fn stop(&mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().unwrap();
        let id = i32::try_from(process.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::SIGTERM).unwrap();
        tokio::time::timeout(STOPPED_WITHIN, process.wait())
            .await
            .expect("stops in time")
            .unwrap()
    }

    /// Starts (again) on the same data.
    pub async fn launch(&mut self) {
        let log = std::fs::File::create(self.data_dir.path().join("soko.log")).unwrap();
        let mut command = self.program();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        self.process = Some(command.spawn().expect("the soko binary is built"));
        self.wait_until_ready().await;
    }

    fn program(&self) -> Command {
        let mut command = Command::new(binary("soko"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PORT", self.port.to_string())
            .env("SOKO_DATA_DIR", self.data_dir.path().join("data"))
            .env("SOKO_ADMIN_EMAIL", ADMIN_EMAIL)
            .env("SOKO_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("SOKO_RATE_LIMITS", "off");
        if !matches!(self.database, Database::Private) {
            command
                .env("DATABASE_URL", self.database_url())
                .env("NATS_URL", "off");
        }
        command.envs(self.settings.variables.iter().cloned());
        command
    }

    async fn wait_until_ready(&mut self) {
        let started = Instant::now();
        loop {
            if let Ok(answer) = self
                .client
                .get(format!("{}/health/ready", self.base()))
                .send()
                .await
                && answer.status().is_success()
            {
                return;
            }
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let log = std::fs::read_to_string(self.data_dir.path().join("soko.log")).unwrap();
            assert!(ended.is_none(), "soko ended with {ended:?}:\n{log}");
            assert!(
                started.elapsed() < READY_WITHIN,
                "soko is not ready:\n{log}"
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// What the process has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data_dir.path().join("soko.log")).unwrap()
    }

    /// Runs another of the program's commands with the same settings: exit code, standard output,
    /// errors.
    pub async fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.program().args(arguments).output().await.unwrap();
        told(output)
    }

    /// Runs the auditors' tool on this system's database: exit code, standard output, errors.
    pub async fn replay_tool(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(binary("replay-tool"))
            .args(arguments)
            .env("DATABASE_URL", self.database_url())
            .output()
            .await
            .expect("the replay-tool binary is built");
        told(output)
    }
}

fn told(output: std::process::Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A binary of this workspace, which `make test` has built beside this test.
pub fn binary(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --bins` first",
        path.display()
    );
    path
}

/// It wants to know what it would speak TLS with, although nothing here does: the gateways bring
/// reqwest's TLS into every build of the whole workspace.
pub fn http_client() -> reqwest::Client {
    // Whoever comes second finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30));
    client.build().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
