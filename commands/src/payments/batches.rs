//! Many small writes as few large ones: whatever waits rides on the next.

use std::future::Future;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// How many ride at once, at most.
const BATCH_MAX: usize = 500;

/// Where what is to be written is left.
pub(super) struct Batches<T>(UnboundedSender<T>);

impl<T> Clone for Batches<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Batches<T> {
    /// Ends when the last clone is gone and all that was left is written. Call it within a runtime.
    pub(super) fn start<F, W>(write: F) -> Self
    where
        F: Fn(Vec<T>) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(run(receiver, write));
        Self(sender)
    }

    pub(super) fn leave(&self, item: T) {
        // The other end lives as long as this one.
        let _ = self.0.send(item);
    }
}

async fn run<T, F, W>(mut receiver: UnboundedReceiver<T>, write: F)
where
    F: Fn(Vec<T>) -> W,
    W: Future<Output = ()>,
{
    let mut batch = Vec::new();
    while receiver.recv_many(&mut batch, BATCH_MAX).await > 0 {
        write(std::mem::take(&mut batch)).await;
    }
}
