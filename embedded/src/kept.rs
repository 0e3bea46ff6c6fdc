use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{EmbeddedError, Nats, Postgres};

/// How often a server is looked at: nothing tells us when it dies.
const LOOK: Duration = Duration::from_millis(100);

/// How long to wait before a start that failed is tried again.
const START_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A private server that is started again, where it was, whenever it ends
/// without being asked to: killed, out of memory, crashed.
#[derive(Debug)]
pub struct Kept {
    stop: oneshot::Sender<()>,
    keeper: JoinHandle<Result<(), EmbeddedError>>,
}

impl Kept {
    pub fn postgres(server: Postgres) -> Self {
        Self::keep(server)
    }

    pub fn nats(server: Nats) -> Self {
        Self::keep(server)
    }

    /// Stops the server and waits until it is gone.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        let _ = self.stop.send(());
        self.keeper.await.unwrap_or(Ok(()))
    }

    fn keep(mut server: impl Server) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let keeper = tokio::spawn(async move {
            'kept: while !is_over(&mut stopped, LOOK).await {
                if server.is_running() {
                    continue;
                }
                tracing::error!(
                    server = server.name(),
                    "a private server ended; it starts again"
                );
                loop {
                    // Dropped half-way, a start stops what it has started.
                    let started = tokio::select! {
                        biased;
                        _ = &mut stopped => break 'kept,
                        started = server.restart() => started,
                    };
                    let Err(cause) = started else { break };
                    tracing::error!(server = server.name(), %cause, "it does not start");
                    if is_over(&mut stopped, START_AGAIN_AFTER).await {
                        break 'kept;
                    }
                }
            }
            server.stop().await
        });
        Self { stop, keeper }
    }
}

/// Also when the handle was dropped instead of stopped.
async fn is_over(stopped: &mut oneshot::Receiver<()>, patience: Duration) -> bool {
    tokio::select! {
        biased;
        _ = &mut *stopped => true,
        () = sleep(patience) => false,
    }
}

trait Server: Send + 'static {
    fn name(&self) -> &'static str;
    fn is_running(&mut self) -> bool;
    fn restart(&mut self) -> impl Future<Output = Result<(), EmbeddedError>> + Send;
    fn stop(self) -> impl Future<Output = Result<(), EmbeddedError>> + Send;
}

impl Server for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn is_running(&mut self) -> bool {
        self.is_running()
    }

    async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.restart().await
    }

    async fn stop(self) -> Result<(), EmbeddedError> {
        self.stop().await
    }
}

impl Server for Nats {
    fn name(&self) -> &'static str {
        "nats-server"
    }

    fn is_running(&mut self) -> bool {
        self.is_running()
    }

    async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.restart().await
    }

    async fn stop(self) -> Result<(), EmbeddedError> {
        self.stop().await
    }
}
