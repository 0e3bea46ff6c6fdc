//! The auditors' tool: what happened, what was so at a moment, and whether the books are true.
//!
//! It reads the log and rebuilds read models; nothing it depends on can append an event.
//! Of the gateways it uses what reads the statements of providers.

mod arguments;
mod cells;
mod error;
mod history;
mod names;
mod progress;
mod rebuild;
mod reconcile;
mod state;
mod status;
mod story;
mod verify;

use arguments::{Arguments, Task};
use clap::Parser;
use error::Failure;
use names::Names;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::process::ExitCode;
use std::time::Duration;

const CONNECTIONS_MAX: u32 = 8;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(code) => code,
        Err(failure) => {
            progress::complain(&failure);
            failure.exit_code()
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let pool = connect(&arguments.database_url()?).await?;
    let master_key = arguments.master_key()?;
    let code = match arguments.task {
        Task::History { of, id, format } => {
            let names = Names::new(&pool, master_key).await?;
            history::print(&pool, &names, of, id, format).await
        }
        Task::State {
            stream_type,
            id,
            moment,
        } => state::print(&pool, &stream_type, id, &moment).await,
        Task::Verify { read_models } => verify::print(&pool, read_models).await,
        Task::Rebuild { which } => rebuild::run(&pool, &which).await,
        Task::Reconcile { of, format } => reconcile::print(&pool, &of, format).await,
        Task::Status { format } => status::print(&pool, format).await,
    };
    pool.close().await;
    code
}

async fn connect(url: &str) -> Result<PgPool, Failure> {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(CONNECT_WITHIN)
        .connect(url)
        .await
        .map_err(Failure::NoDatabase)
}
