//! Builds read models anew, beside the running ones.

use crate::arguments::Which;
use crate::error::Failure;
use crate::progress::{bar, say};
use soko_event_log::Position;
use soko_projections::{AnyReadModel, RebuildOptions, all};
use sqlx::PgPool;
use std::process::ExitCode;

pub(crate) async fn run(pool: &PgPool, which: &Which) -> Result<ExitCode, Failure> {
    for model in chosen(which)? {
        let progress = bar(model.name(), 0);
        let seen = progress.clone();
        let options = RebuildOptions {
            on_progress: Box::new(move |at: Position, of: Position| {
                seen.set_length(of.get().unsigned_abs());
                seen.set_position(at.get().unsigned_abs());
            }),
            ..RebuildOptions::default()
        };
        let rebuilt = model.rebuild(pool, &options).await;
        progress.finish_and_clear();
        let rebuilt = rebuilt.map_err(|error| Failure::ReadModel(error.into()))?;
        say(&format!(
            "{}: built of {} events in {:.1?}, in use from {} on",
            model.name(),
            rebuilt.events,
            rebuilt.elapsed,
            rebuilt.position
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(which: &Which) -> Result<Vec<Box<dyn AnyReadModel>>, Failure> {
    let models = all();
    let Some(name) = &which.read_model else {
        return Ok(models);
    };
    let names: Vec<_> = models.iter().map(|model| model.name()).collect();
    let names = names.join(", ");
    let chosen: Vec<_> = models
        .into_iter()
        .filter(|model| model.name() == name)
        .collect();
    if chosen.is_empty() {
        Err(Failure::NoSuchName(name.clone(), names))
    } else {
        Ok(chosen)
    }
}
