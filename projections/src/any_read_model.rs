//! A read model without its type, for who works with all of them.

use crate::ReadModel;
use crate::rebuild::{RebuildError, RebuildOptions, Rebuilt, rebuild};
use crate::status::{SkipError, skip};
use crate::verify::{Verification, VerifyError, VerifyOptions, verify};
use crate::worker::{self, Workplace};
use async_trait::async_trait;
use soko_event_log::Position;
use sqlx::PgPool;
use std::fmt;
use std::marker::PhantomData;
use tokio_util::sync::CancellationToken;

/// What can be done with any read model.
#[async_trait]
pub trait AnyReadModel: fmt::Debug + Send + Sync {
    /// Also the name of its table.
    fn name(&self) -> &'static str;

    fn version(&self) -> i32;

    /// The types of the streams that it folds.
    fn streams(&self) -> &'static [&'static str];

    /// Keeps the model at the head of the log until it is told to stop; a standby while another
    /// worker of the model is active.
    async fn run(&self, workplace: &Workplace, shutdown: &CancellationToken);

    /// Builds the model's next table beside the one in use and switches to it.
    ///
    /// # Errors
    /// The table in use is then as it was.
    async fn rebuild(
        &self,
        pool: &PgPool,
        options: &RebuildOptions,
    ) -> Result<Rebuilt, RebuildError>;

    /// Compares the model's table with a replay of the log.
    ///
    /// # Errors
    /// Nothing can be said of the table.
    async fn verify(
        &self,
        pool: &PgPool,
        options: &VerifyOptions,
    ) -> Result<Verification, VerifyError>;

    /// Lets the stopped model go on without the event that stopped it, on the record.
    ///
    /// # Errors
    /// The model is not stopped at that event.
    async fn skip(
        &self,
        pool: &PgPool,
        position: Position,
        actor: &str,
        reason: &str,
    ) -> Result<(), SkipError>;
}

/// A read model as a value.
pub struct Model<M>(PhantomData<fn() -> M>);

impl<M: ReadModel> Model<M> {
    pub fn boxed() -> Box<dyn AnyReadModel> {
        Box::new(Self(PhantomData))
    }
}

impl<M: ReadModel> fmt::Debug for Model<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", M::NAME, M::VERSION)
    }
}

#[async_trait]
impl<M: ReadModel> AnyReadModel for Model<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn version(&self) -> i32 {
        M::VERSION
    }

    fn streams(&self) -> &'static [&'static str] {
        M::STREAMS
    }

    async fn run(&self, workplace: &Workplace, shutdown: &CancellationToken) {
        worker::run::<M>(workplace, shutdown).await;
    }

    async fn rebuild(
        &self,
        pool: &PgPool,
        options: &RebuildOptions,
    ) -> Result<Rebuilt, RebuildError> {
        rebuild::<M>(pool, options).await
    }

    async fn verify(
        &self,
        pool: &PgPool,
        options: &VerifyOptions,
    ) -> Result<Verification, VerifyError> {
        verify::<M>(pool, options).await
    }

    async fn skip(
        &self,
        pool: &PgPool,
        position: Position,
        actor: &str,
        reason: &str,
    ) -> Result<(), SkipError> {
        skip(pool, M::NAME, M::VERSION, position, actor, reason).await
    }
}
