//! How far the log and the read models are.

use crate::arguments::Format;
use crate::error::Failure;
use crate::progress::say;
use soko_event_log::LogReader;
use soko_projections::ProjectionStatus;
use sqlx::PgPool;
use std::fmt::Write as _;
use std::process::ExitCode;

pub(crate) async fn print(pool: &PgPool, format: Format) -> Result<ExitCode, Failure> {
    let head = LogReader::new(pool.clone()).head().await?;
    let models = soko_projections::status(pool).await;
    let models = models.map_err(|error| Failure::ReadModel(error.into()))?;
    match format {
        Format::Json => {
            let status = serde_json::json!({ "position": head, "read_models": models });
            let text = serde_json::to_string_pretty(&status);
            say(&text.map_err(|error| Failure::Output(error.into()))?);
        }
        Format::Csv => {
            say("name,version,position,lag,stopped_at");
            for model in &models {
                let ProjectionStatus {
                    name,
                    version,
                    position,
                    lag,
                    ..
                } = model;
                let stopped = model.stopped.as_ref().map(|s| s.position.to_string());
                say(&format!(
                    "{name},{version},{position},{lag},{}",
                    stopped.unwrap_or_default()
                ));
            }
        }
        Format::Text => {
            say(&format!("the log is at {head}"));
            for model in &models {
                say(&line(model));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(model: &ProjectionStatus) -> String {
    let ProjectionStatus {
        name,
        version,
        position,
        lag,
        ..
    } = model;
    let mut line = format!("{name:<20} v{version}  at {position:<10}  {lag} behind");
    if let Some(stopped) = &model.stopped {
        // Writing to a text cannot fail.
        let _ = write!(
            line,
            "; STOPPED at {}: {}",
            stopped.position, stopped.reason
        );
    }
    if let Some(build) = &model.build {
        let (at, of) = (build.position, build.target);
        let _ = write!(
            line,
            "; version {} is being built: {at} of {of}",
            build.version
        );
    }
    line
}
