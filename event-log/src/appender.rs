//! Lets what is waiting ride on the next call.
//!
//! One thread of a node has one call to the database in flight; all units that are enqueued
//! meanwhile go with the next one. A call is one transaction: if a unit in it stands against what
//! is in the log, the whole call is rolled back, a look-up names the units that are in the way,
//! and the others go again. So a unit fails for its own reasons only.

mod appended;
mod blame;
mod books;
mod call;
mod column;
mod connection;
mod event_columns;
mod meters;
mod queue;
mod queued;
mod worker;

use self::connection::Connection;
use self::queue::Queue;
use self::queued::Queued;
use self::worker::Worker;
use crate::{AppendError, Appended, Position, Unit};
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// What an appender may take on, and how long it may take.
#[derive(Debug, Clone)]
pub struct AppenderOptions {
    /// A unit that would probably wait longer than this is not taken.
    pub latency_budget: Duration,
    /// The units that may wait.
    pub queue_max: usize,
    /// How long a call waits for its turn among the nodes.
    pub lock_timeout: Duration,
    /// How long a call may take in the database.
    pub statement_timeout: Duration,
}

/// Appends units to the log; cheap to clone. It stops when it is closed or the last clone is gone,
/// after it has appended what it had taken.
#[derive(Debug, Clone)]
pub struct Appender {
    handle: Arc<Handle>,
}

/// The answer to a unit that was taken. It may be dropped: the unit is appended all the same.
#[derive(Debug)]
pub struct Ticket {
    number: u64,
    answer: oneshot::Receiver<Result<Appended, AppendError>>,
}

impl Appender {
    /// Connects, and starts the task.
    ///
    /// # Errors
    /// [`AppendError::Database`] if there is no connection to be had.
    pub async fn start(
        connect: PgConnectOptions,
        options: AppenderOptions,
    ) -> Result<Self, AppendError> {
        let (started, opened) = oneshot::channel();
        let (running, stopped) = watch::channel(());
        let work = async move {
            match open(connect, options).await {
                Ok((queue, worker)) => {
                    let _ = started.send(Ok(queue));
                    worker.run().await;
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
            drop(running);
        };
        on_a_thread(work).map_err(cannot_start)?;
        let queue = opened
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))
            .map_err(cannot_start)?;
        Ok(Self {
            handle: Arc::new(Handle { queue, stopped }),
        })
    }

    /// Takes a unit in, behind those that were taken before. It does not wait, so it may be called
    /// while the lanes are held that the unit was decided on.
    ///
    /// # Errors
    /// [`AppendError::Overloaded`], [`AppendError::Closed`], or [`AppendError::VersionConflict`]
    /// if the sequences within the unit do not follow each other.
    pub fn enqueue(&self, unit: Unit) -> Result<Ticket, AppendError> {
        let (sender, answer) = oneshot::channel();
        let number = self.handle.queue.push(Queued::new(unit, sender)?)?;
        Ok(Ticket { number, answer })
    }

    /// Whether every unit up to that number is decided, one way or the other.
    pub fn is_settled(&self, ticket_number: u64) -> bool {
        self.handle.queue.is_settled(ticket_number)
    }

    /// Waits until every unit up to that number is decided, one way or the other.
    pub fn settled(&self, ticket_number: u64) -> impl Future<Output = ()> + use<> {
        let mut settled = self.handle.queue.settled();
        async move {
            // It ends with the task, which decides everything before it stops.
            let _ = settled.wait_for(|settled| *settled >= ticket_number).await;
        }
    }

    /// The last position that this appender knows of: wakes readers in the same process.
    pub fn head(&self) -> watch::Receiver<Position> {
        self.handle.queue.head()
    }

    /// Takes nothing more, appends what it had taken, and stops.
    pub async fn close(&self) {
        self.handle.queue.close();
        let mut stopped = self.handle.stopped.clone();
        // Nothing is ever sent: the channel closes when the task ends.
        while stopped.changed().await.is_ok() {}
    }
}

async fn open(
    connect: PgConnectOptions,
    options: AppenderOptions,
) -> Result<(Arc<Queue>, Worker), sqlx::Error> {
    let mut connection = Connection::open(connect, &options).await?;
    let head = connection.head().await?;
    Ok(Worker::new(connection, head, options))
}

/// With a thread of its own, the next call does not wait for its turn among all that this process
/// has to do, however busy it is.
fn on_a_thread(work: impl Future<Output = ()> + Send + 'static) -> Result<(), sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("appender".to_owned())
        .spawn(move || runtime.block_on(work))?;
    Ok(())
}

fn cannot_start(error: sqlx::Error) -> AppendError {
    AppendError::Database(Arc::new(error))
}

impl Ticket {
    /// Counts the units of an appender from 1, in the order in which they were taken.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Future for Ticket {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(context));
        // The task answers everything; it can only have been dropped with its runtime.
        Poll::Ready(answer.unwrap_or(Err(AppendError::Closed)))
    }
}

impl Default for AppenderOptions {
    fn default() -> Self {
        Self {
            latency_budget: Duration::from_secs(2),
            queue_max: 20_000,
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(15),
        }
    }
}

struct Handle {
    queue: Arc<Queue>,
    stopped: watch::Receiver<()>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
