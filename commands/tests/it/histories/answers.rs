//! Asks, and notes what came of it and when.

use super::requests::Request;
use crate::world::context;
use soko_commands::{CommandContext, CommandError, Committed, Engine, IdempotencyKey, UnitOfWork};
use soko_domain::VariantId;
use soko_domain::stock::StockError;
use soko_event_log::{LogReader, Position};
use sqlx::PgPool;
use uuid::Uuid;

pub(super) struct Answered {
    pub(super) request: Request,
    pub(super) command_id: Uuid,
    pub(super) answer: Result<Committed<i64>, CommandError<StockError>>,
    /// The head of the log before it was asked, and after it was answered.
    pub(super) asked: Position,
    pub(super) told: Position,
}

pub(super) async fn ask(
    engine: &Engine,
    pool: &PgPool,
    variants: &[VariantId],
    request: Request,
) -> Answered {
    let log = LogReader::new(pool.clone());
    let context = CommandContext {
        idempotency: request.key.map(|key| IdempotencyKey {
            scope: "client".into(),
            key: key.to_string(),
            digest: [key; 32],
        }),
        ..context()
    };
    let asked = log.head().await.unwrap();
    let decide = |unit: &mut UnitOfWork<'_>| request.act.decide(variants, unit);
    let answer = engine
        .transact(&context, request.act.lanes(variants), decide)
        .await;
    let told = log.head().await.unwrap();
    Answered {
        request,
        command_id: context.command_id,
        answer,
        asked,
        told,
    }
}
