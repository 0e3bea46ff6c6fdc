//! Whether the log is whole, every event loads, the books add up and every read model equals its
//! replay.

mod books;
mod ledger;
mod promotions;

use crate::error::{CHECK_FAILED, Failure};
use crate::progress::{bar, say};
use books::{Books, Finding};
use soko_event_log::{LogReader, Position, ReadError};
use soko_projections::{DifferenceKind, VerifyError, VerifyOptions};
use sqlx::PgPool;
use std::process::ExitCode;

/// More than these are counted, not shown.
const SHOWN_MAX: usize = 20;

pub(crate) async fn print(pool: &PgPool, read_models: bool) -> Result<ExitCode, Failure> {
    let mut sound = log_and_books(pool).await?;
    if read_models {
        sound &= equal_their_replay(pool).await?;
    }
    if sound {
        say("Everything is as it must be.");
        return Ok(ExitCode::SUCCESS);
    }
    say("Something is wrong.");
    Ok(ExitCode::from(CHECK_FAILED))
}

async fn log_and_books(pool: &PgPool) -> Result<bool, Failure> {
    let log = LogReader::new(pool.clone());
    let head = log.head().await?;
    let mut books = Books::default();
    let mut findings = Vec::new();
    let progress = bar("the log", head.get().unsigned_abs());
    let mut scan = log.scan(Position::START, head, &[]).await?;
    loop {
        let entries = match scan.next().await {
            Ok(Some(entries)) => entries,
            Ok(None) => break,
            Err(error @ (ReadError::Gap { .. } | ReadError::Missing { .. })) => {
                findings.push(Finding {
                    position: None,
                    what: error.to_string(),
                });
                break;
            }
            Err(error) => return Err(error.into()),
        };
        progress.inc(entries.len() as u64);
        for entry in entries {
            match entry.event {
                Ok(recorded) => findings.extend(books.enter(&recorded)),
                Err(bad) => findings.push(Finding {
                    position: Some(entry.position),
                    what: bad.to_string(),
                }),
            }
        }
    }
    progress.finish_and_clear();
    findings.extend(books.close());
    say(&format!(
        "log: {} of {head} events read, {} findings",
        books.events,
        findings.len()
    ));
    for finding in findings.iter().take(SHOWN_MAX) {
        match finding.position {
            Some(position) => say(&format!("  at {position}: {}", finding.what)),
            None => say(&format!("  {}", finding.what)),
        }
    }
    if findings.len() > SHOWN_MAX {
        say(&format!("  and {} more", findings.len() - SHOWN_MAX));
    }
    Ok(findings.is_empty())
}

/// Compares every read model with a replay of the log up to where it is.
async fn equal_their_replay(pool: &PgPool) -> Result<bool, Failure> {
    let mut sound = true;
    for model in soko_projections::all() {
        let progress = bar(model.name(), 0);
        let seen = progress.clone();
        let options = VerifyOptions {
            on_progress: Box::new(move |done, of| {
                seen.set_length(of);
                seen.set_position(done);
            }),
            ..VerifyOptions::default()
        };
        let verified = model.verify(pool, &options).await;
        progress.finish_and_clear();
        match verified {
            Ok(found) if found.is_equal() => {
                say(&format!(
                    "{} v{}: {} rows, equal to the replay up to {}",
                    found.model, found.version, found.rows, found.position
                ));
            }
            Ok(found) => {
                sound = false;
                say(&format!(
                    "{} v{}: {} of {} rows differ from the replay up to {}",
                    found.model, found.version, found.differences, found.rows, found.position
                ));
                for difference in &found.named {
                    say(&format!(
                        "  {}: {}",
                        difference.key,
                        shown(&difference.kind)
                    ));
                }
            }
            Err(VerifyError::NeverFolded) => {
                say(&format!("{}: nothing has been folded yet", model.name()));
            }
            Err(error @ (VerifyError::OtherVersion { .. } | VerifyError::Poisoned { .. })) => {
                sound = false;
                say(&format!("{}: {error}", model.name()));
            }
            Err(error) => return Err(Failure::ReadModel(error.into())),
        }
    }
    Ok(sound)
}

fn shown(kind: &DifferenceKind) -> String {
    match kind {
        DifferenceKind::Missing => "is missing".to_owned(),
        DifferenceKind::Surplus => "should not be there".to_owned(),
        DifferenceKind::Different { columns } => format!("differs in {}", columns.join(", ")),
    }
}
