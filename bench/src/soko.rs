//! A running `soko serve`: the release binary with private servers of its own, as `make run` runs
//! it, but for the limits that would stop a load test.

use crate::load::{Answer, Connection, get, request};
use serde_json::Value;
use std::error::Error;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use uuid::Uuid;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct Soko {
    pub port: u16,
    data: PathBuf,
    process: Child,
    /// From the start of the process until it said that it is ready.
    pub ready_after: Duration,
}

impl Soko {
    /// Starts on new or existing data.
    pub(crate) async fn start(data: &Path) -> Result<Self, Box<dyn Error>> {
        Self::start_with(data, &[]).await
    }

    /// The same with settings of its own.
    pub(crate) async fn start_with(
        data: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, Box<dyn Error>> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        std::fs::create_dir_all(data)?;
        let log = std::fs::File::create(data.join("soko.log"))?;
        let started = Instant::now();
        let process = Command::new(binary()?)
            .arg("serve")
            .env("PORT", port.to_string())
            .env("SOKO_DATA_DIR", data)
            .env("SOKO_RATE_LIMITS", "off")
            .env("SOKO_LOG", "warn")
            .env_remove("DATABASE_URL")
            .env_remove("NATS_URL")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let mut soko = Self {
            port,
            data: data.to_owned(),
            process,
            ready_after: Duration::ZERO,
        };
        while !soko.is_ready().await {
            if started.elapsed() > READY_WITHIN || soko.process.try_wait()?.is_some() {
                let log = std::fs::read_to_string(data.join("soko.log"))?;
                return Err(format!("soko serve is not ready:\n{log}").into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        soko.ready_after = started.elapsed();
        Ok(soko)
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut line) = Connection::open(self.port).await else {
            return false;
        };
        line.send(&get("/health/ready", &[]))
            .await
            .is_ok_and(|answer| answer.status == 200)
    }

    /// Resident memory in bytes of the process itself, without the servers it runs.
    pub(crate) fn memory(&self) -> Result<u64, Box<dyn Error>> {
        let id = self.process.id().ok_or("soko has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line
            .and_then(|line| line.trim().split(' ').next())
            .ok_or("no VmRSS")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    /// Of its private database, as the superuser: for who looks on.
    pub(crate) fn database_url(&self) -> Result<String, Box<dyn Error>> {
        let url = std::fs::read_to_string(self.data.join("postgres/url"))?;
        Ok(url.trim().to_owned())
    }

    pub(crate) async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        let id = self.process.id().ok_or("soko has ended")?;
        Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        let ended = tokio::time::timeout(STOPPED_WITHIN, self.process.wait()).await??;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("soko ended with {ended}").into())
        }
    }

    pub(crate) async fn client(&self) -> Result<Client, Box<dyn Error>> {
        Ok(Client {
            line: Connection::open(self.port).await?,
            token: None,
        })
    }
}

/// Somebody who sets things up: one request after another, each of which must succeed.
pub(crate) struct Client {
    line: Connection,
    pub token: Option<String>,
}

impl Client {
    /// Registers and logs in.
    pub(crate) async fn register(&mut self, name: &str) -> Result<String, Box<dyn Error>> {
        let email = format!("{name}-{}@bench.example", Uuid::new_v4().simple());
        let password = "a long enough password";
        let body = serde_json::json!({ "email": email, "password": password, "name": name });
        self.post("/auth/register", &body).await?;
        let body = serde_json::json!({ "email": email, "password": password });
        let tokens = self.post("/auth/login", &body).await?;
        self.token = Some(field(&tokens, "access_token")?);
        Ok(email)
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        self.command("POST", path, body).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        self.command("PUT", path, body).await
    }

    async fn command(
        &mut self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Box<dyn Error>> {
        let key = Uuid::new_v4().to_string();
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = vec![("idempotency-key", key.as_str())];
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer));
        }
        let request = request(
            method,
            &format!("/api/v1{path}"),
            &headers,
            &body.to_string(),
        );
        succeeded(path, &self.line.send(&request).await?)
    }
}

pub(crate) fn field(body: &Value, name: &str) -> Result<String, Box<dyn Error>> {
    let text = body[name].as_str();
    Ok(text
        .ok_or_else(|| format!("no {name} in {body}"))?
        .to_owned())
}

fn succeeded(path: &str, answer: &Answer) -> Result<Value, Box<dyn Error>> {
    let text = String::from_utf8_lossy(&answer.body);
    if !(200..300).contains(&answer.status) {
        return Err(format!("{path}: {} {text}", answer.status).into());
    }
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The `soko` binary that `make bench` has built beside this one.
fn binary() -> Result<PathBuf, Box<dyn Error>> {
    let path = std::env::current_exe()?.with_file_name("soko");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing", path.display()).into())
    }
}
