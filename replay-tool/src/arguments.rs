//! What can be asked.

use crate::error::Failure;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use soko_domain::statement::StatementProvider;
use soko_embedded::Postgres;
use soko_event_log::{MasterKey, Position};
use std::path::PathBuf;
use uuid::Uuid;

/// Replays the history of Soko's orders, payments and everything else, and proves that the books
/// are true.
///
/// Exit codes: 0 all is well; 1 a check failed; 2 wrong arguments; 3 there is no such thing;
/// 4 the database cannot be reached; 5 the log cannot be read.
#[derive(Debug, Parser)]
#[command(name = "replay-tool", version)]
pub(crate) struct Arguments {
    /// The database; without it, the private one that runs under the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    /// Where `soko` keeps its private database.
    #[arg(long, env = "SOKO_DATA_DIR", default_value = ".soko", global = true)]
    data_dir: PathBuf,
    /// The master key, in base64, that opens people's names; without it, the one that `soko` keeps
    /// if nobody has set one. Without any, people are called by their ids.
    #[arg(long, env = "SOKO_MASTER_KEY", hide_env_values = true, global = true)]
    master_key: Option<MasterKey>,
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// The story of an order or a payment: when, who, what, why, amounts.
    History {
        of: Subject,
        id: Uuid,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// What an aggregate was, now or at a moment, as JSON.
    State {
        /// Such as `order`, `stock`, `vendor`.
        stream_type: String,
        id: Uuid,
        #[command(flatten)]
        moment: Moment,
    },
    /// Whether the log is whole, every event loads, the books add up, and every read model equals
    /// its replay.
    Verify {
        /// Only the log and the books.
        #[arg(long = "skip-read-models", action = clap::ArgAction::SetFalse)]
        read_models: bool,
    },
    /// Builds a read model anew beside the running one and switches to it.
    Rebuild {
        #[command(flatten)]
        which: Which,
    },
    /// What a provider's statement has and our books have not, the other way round, and where
    /// amounts differ. Ends with 1 if there is any such thing.
    Reconcile {
        #[command(flatten)]
        of: WhichStatement,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// How far the log and the read models are.
    Status {
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    Order,
    Payment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Csv,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Moment {
    /// RFC 3339, such as 2026-11-21T12:00:00Z.
    #[arg(long)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// After the event at this position of the log.
    #[arg(long)]
    pub(crate) position: Option<Position>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    pub(crate) read_model: Option<String>,
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WhichStatement {
    /// The store whose books are compared.
    #[arg(required_unless_present = "statement", requires = "file")]
    pub(crate) store: Option<Uuid>,
    /// Whose statement it is: mpesa, paynow, paystack or stripe.
    #[arg(value_parser = provider)]
    pub(crate) provider: Option<StatementProvider>,
    /// The statement, as the provider's CSV; it need not have been loaded.
    pub(crate) file: Option<PathBuf>,
    /// A statement that was loaded, by its id.
    #[arg(long, conflicts_with_all = ["store", "from", "to"])]
    pub(crate) statement: Option<Uuid>,
    /// From when the file covers; its first line if left out.
    #[arg(long)]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Up to when the file covers; its last line if left out.
    #[arg(long)]
    pub(crate) to: Option<DateTime<Utc>>,
}

fn provider(text: &str) -> Result<StatementProvider, String> {
    let mut all = StatementProvider::ALL.into_iter();
    let named = all.find(|provider| provider.as_str() == text);
    named.ok_or_else(|| "must be mpesa, paynow, paystack or stripe".to_owned())
}

impl Arguments {
    /// The master key that is set, or that is kept in the data folder.
    pub(crate) fn master_key(&self) -> Result<Option<MasterKey>, Failure> {
        match &self.master_key {
            Some(key) => Ok(Some(key.clone())),
            None => Ok(MasterKey::in_folder(&self.data_dir)?),
        }
    }

    pub(crate) fn database_url(&self) -> Result<String, Failure> {
        let private = || Postgres::url_in(&self.data_dir.join("postgres"));
        self.database_url
            .clone()
            .or_else(private)
            .ok_or_else(|| Failure::NoDatabaseNamed(self.data_dir.clone()))
    }
}
