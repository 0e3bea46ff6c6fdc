//! When an answer must be there.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The moment until which one request is waited for. Who answers it may come to know that it takes
/// longer by nature, or never long.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    since: Instant,
    until: Rc<Cell<Instant>>,
}

impl Due {
    pub(super) fn within(deadline: Duration) -> Self {
        let since = Instant::now();
        Self {
            since,
            until: Rc::new(Cell::new(since + deadline)),
        }
    }

    /// Counted from the beginning of the request.
    pub(crate) fn change_to(&self, deadline: Duration) {
        self.until.set(self.since + deadline);
    }

    /// `None` if it is not there in time; whatever works on it is given up then.
    pub(super) async fn wait_for<F: Future>(&self, answer: F) -> Option<F::Output> {
        let mut answer = pin!(answer);
        let mut timer = pin!(sleep_until(self.until.get()));
        poll_fn(|context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                return Poll::Ready(Some(answer));
            }
            let until = self.until.get();
            if timer.deadline() != until {
                timer.as_mut().reset(until);
            }
            timer.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}
