//! A log that refuses units when the test says so, in the way the appender does it.

use futures::future::{BoxFuture, FutureExt};
use soko_commands::{Append, Pending};
use soko_event_log::{AppendError, Appended, Appender, EpochMark, Unit};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// What happens to a unit instead of being appended.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It fails, and all that stands on it, after everything before it is decided.
    Fail(AppendError),
    /// It is not taken.
    Overloaded,
    /// It is appended, but not before this.
    Delay(Duration),
}

pub(crate) struct Faulty {
    queue: mpsc::UnboundedSender<Queued>,
    settled: watch::Receiver<u64>,
    faults: Mutex<Box<dyn FnMut() -> Option<Fault> + Send>>,
    count: AtomicU64,
}

struct Queued {
    unit: Unit,
    fault: Option<Fault>,
    number: u64,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Faulty {
    pub(crate) fn new(
        appender: Appender,
        faults: impl FnMut() -> Option<Fault> + Send + 'static,
    ) -> Self {
        let (queue, queued) = mpsc::unbounded_channel();
        let (decided, settled) = watch::channel(0);
        tokio::spawn(carry_out(appender, queued, decided));
        Self {
            queue,
            settled,
            faults: Mutex::new(Box::new(faults)),
            count: AtomicU64::new(0),
        }
    }
}

impl Append for Faulty {
    fn enqueue(&self, unit: Unit) -> Result<Pending, AppendError> {
        let mut faults = self.faults.lock().unwrap();
        let fault = faults();
        if let Some(Fault::Overloaded) = fault {
            let retry_after = Duration::from_millis(1);
            return Err(AppendError::Overloaded { retry_after });
        }
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, outcome) = oneshot::channel();
        let queued = Queued {
            unit,
            fault,
            number,
            answer,
        };
        self.queue.send(queued).map_err(|_| AppendError::Closed)?;
        Ok(Pending {
            number,
            outcome: async { outcome.await.unwrap_or(Err(AppendError::Closed)) }.boxed(),
        })
    }

    fn is_settled(&self, number: u64) -> bool {
        *self.settled.borrow() >= number
    }

    fn settled(&self, number: u64) -> BoxFuture<'static, ()> {
        let mut settled = self.settled.clone();
        async move {
            settled
                .wait_for(|decided| *decided >= number)
                .await
                .unwrap();
        }
        .boxed()
    }
}

/// One at a time, so that what stands on a fault is stopped before it is sent.
async fn carry_out(
    appender: Appender,
    mut queue: mpsc::UnboundedReceiver<Queued>,
    decided: watch::Sender<u64>,
) {
    while let Some(queued) = queue.recv().await {
        let Queued {
            unit,
            fault,
            number,
            answer,
        } = queued;
        if let Some(Fault::Delay(delay)) = fault {
            tokio::time::sleep(delay).await;
        }
        let outcome = if unit.epochs.iter().any(has_moved) {
            unit.epochs.iter().for_each(move_on);
            Err(AppendError::Stopped)
        } else if let Some(Fault::Fail(error)) = fault {
            unit.epochs.iter().for_each(move_on);
            Err(error)
        } else {
            Appender::enqueue(&appender, unit).unwrap().await
        };
        decided.send_replace(number);
        // Whoever asked may have gone away.
        let _ = answer.send(outcome);
    }
}

fn has_moved(mark: &EpochMark) -> bool {
    mark.cell.load(Ordering::Acquire) != mark.epoch
}

fn move_on(mark: &EpochMark) {
    if mark.writes {
        let EpochMark { cell, epoch, .. } = mark;
        let _ = cell.compare_exchange(*epoch, epoch + 1, Ordering::AcqRel, Ordering::Acquire);
    }
}
