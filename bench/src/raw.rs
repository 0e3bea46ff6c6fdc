//! The raw limits of the machine, taken right before whatever is compared with them.

use crate::load;
use crate::report::{Case, Goal};
use crate::servers::Server;
use actix_web::{App, HttpResponse, HttpServer, web};
use std::error::Error;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long each is measured.
const SECONDS: u32 = 6;

/// Measures the raw limits whenever they are wanted, and remembers every figure.
pub(crate) struct RawLimits<'a> {
    server: &'a Server,
    inserts: Vec<f64>,
    log_inserts: Vec<f64>,
    answers: Vec<f64>,
}

impl<'a> RawLimits<'a> {
    pub(crate) const fn new(server: &'a Server) -> Self {
        Self {
            server,
            inserts: Vec::new(),
            log_inserts: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// (r1) in transactions a second.
    pub(crate) async fn inserts(&mut self) -> Result<f64, Box<dyn Error>> {
        let url = self.server.empty_database().await?;
        let figure = self.pgbench(&url, TABLE, INSERT).await?;
        self.inserts.push(figure);
        Ok(figure)
    }

    /// (r1) as it is around a run: the mean of before and after, since the machine may have become
    /// slower or faster meanwhile.
    pub(crate) async fn inserts_around<T>(
        &mut self,
        run: impl Future<Output = Result<T, Box<dyn Error>>>,
    ) -> Result<(f64, T), Box<dyn Error>> {
        let before = self.inserts().await?;
        let run = run.await?;
        let after = self.inserts().await?;
        Ok((f64::midpoint(before, after), run))
    }

    /// As [`Self::inserts`], into a table with the columns and keys of the log. No goal is a part of
    /// it; it says what the difference between an event and any 600 bytes costs.
    pub(crate) async fn log_inserts(&mut self) -> Result<(), Box<dyn Error>> {
        let database = self.server.database().await?;
        database.pool.close().await;
        let figure = self.pgbench(&database.url, LOG_TABLE, LOG_INSERT).await?;
        self.log_inserts.push(figure);
        Ok(())
    }

    async fn pgbench(&self, url: &str, table: &str, insert: &str) -> Result<f64, Box<dyn Error>> {
        let pgbench = self.server.programs().join("pgbench");
        Ok(pgbench_inserts(&pgbench, url, table, insert).await?)
    }

    /// (r2) in requests a second.
    pub(crate) async fn answers(&mut self) -> Result<f64, Box<dyn Error>> {
        let figure = static_json(SECONDS.into()).await?;
        self.answers.push(figure);
        Ok(figure)
    }

    /// Those that were taken.
    pub(crate) fn into_cases(self) -> impl Iterator<Item = Case> {
        let inserts = "r1 pgbench: one 600-byte event a transaction, 64 clients";
        let log_inserts = "pgbench: the same, into a table like the log's";
        let answers = "r2 actix-web: 2 KB of static JSON, 64 connections";
        [
            (inserts, "tx/s", self.inserts),
            (log_inserts, "tx/s", self.log_inserts),
            (answers, "req/s", self.answers),
        ]
        .into_iter()
        .filter(|(_, _, figures)| !figures.is_empty())
        .map(|(name, unit, figures)| Case {
            name: name.to_owned(),
            unit,
            figures,
            goal: Goal::None,
            latency: None,
            notes: vec![],
        })
    }
}

const TABLE: &str = "CREATE TABLE pgbench_events (
    position bigserial PRIMARY KEY, payload json NOT NULL)";
const INSERT: &str = "INSERT INTO pgbench_events (payload) VALUES ('{filler}')";

const LOG_TABLE: &str = "CREATE TABLE pgbench_events (LIKE events INCLUDING ALL);
    CREATE SEQUENCE pgbench_positions;
    CREATE SEQUENCE pgbench_ids;
    ALTER TABLE pgbench_events ALTER position SET DEFAULT nextval('pgbench_positions')";
const LOG_INSERT: &str = "INSERT INTO pgbench_events (tenant_id, aggregate_type, aggregate_id, \
    sequence, event_type, event_version, payload, metadata, recorded_at) \
    VALUES ('00000000-0000-0000-0000-000000000000', 'stock', \
    lpad(nextval('pgbench_ids')::text, 36, '0'), 1, 'stock.received', '1', \
    '{filler}', '{}', now())";

/// (r1) `pgbench -M prepared`: one 600-byte event a transaction, 64 clients. Transactions a second.
async fn pgbench_inserts(pgbench: &Path, url: &str, table: &str, insert: &str) -> io::Result<f64> {
    let pool = sqlx::PgPool::connect(url).await.map_err(io::Error::other)?;
    sqlx::raw_sql(table)
        .execute(&pool)
        .await
        .map_err(io::Error::other)?;
    pool.close().await;
    let script = tempfile::NamedTempFile::new()?;
    let payload = format!(r#"{{"filler":"{}"}}"#, "x".repeat(587));
    let insert = insert.replace("{filler}", &payload);
    std::fs::write(script.path(), format!("{insert};\n"))?;
    let output = Command::new(pgbench)
        .args([
            "-n",
            "-M",
            "prepared",
            "-c",
            "64",
            "-j",
            "2",
            "-T",
            &SECONDS.to_string(),
            "-f",
        ])
        .arg(script.path())
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
        .ok_or_else(|| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// (r2) actix-web answering 2 KB of static JSON to 64 connections. Requests a second.
async fn static_json(seconds: u64) -> io::Result<f64> {
    let body = format!(r#"{{"filler":"{}"}}"#, "x".repeat(2_035));
    let body = web::Bytes::from(body);
    let (send_port, port) = tokio::sync::oneshot::channel();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let body = body.clone();
                App::new().route(
                    "/",
                    web::get().to(move || {
                        let body = body.clone();
                        async {
                            HttpResponse::Ok()
                                .content_type("application/json")
                                .body(body)
                        }
                    }),
                )
            })
            .workers(std::thread::available_parallelism().map_or(2, usize::from))
            .bind(("127.0.0.1", 0))?;
            let port = server.addrs().first().map_or(0, std::net::SocketAddr::port);
            let running = server.run();
            let _ = send_port.send((port, running.handle()));
            running.await
        })
    });
    let (port, handle) = port.await.map_err(io::Error::other)?;
    let request = load::get("/", &[]);
    let outcome = load::closed_loop(port, 64, Duration::from_secs(seconds), move |_, _| {
        request.clone()
    })
    .await;
    handle.stop(false).await;
    server
        .join()
        .map_err(|_| io::Error::other("the static server failed"))??;
    Ok(outcome?.rate(200))
}
