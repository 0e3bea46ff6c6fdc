//! Where streams end, asked for many at once.
//!
//! A refusal is answered only after the ends of the streams that it depended on were read. In a
//! sale there are more refusals than orders, all about the same few streams: so one query is under
//! way at a time, and all that is asked meanwhile rides on the next.

use crate::error::Failure;
use crate::lane::StreamKey;
use soko_event_log::{LoadError, Loader};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// How many may wait for an answer before others wait to ask.
const QUEUE_MAX: usize = 1024;

/// How many questions ride on one query at most.
const BATCH_MAX: usize = 256;

type Found = Result<Vec<u64>, Arc<LoadError>>;

pub(crate) struct Tails {
    queue: mpsc::Sender<Question>,
}

struct Question {
    streams: Vec<StreamKey>,
    answer: oneshot::Sender<Found>,
}

impl Tails {
    /// Spawns the task that asks; it ends when this is dropped.
    pub(crate) fn start(loader: Loader) -> Self {
        let (queue, questions) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(answer_all(loader, questions));
        Self { queue }
    }

    /// The sequences of the streams' last events, 0 where there is none, read after this call.
    pub(crate) async fn read(&self, streams: Vec<StreamKey>) -> Result<Vec<u64>, Failure> {
        let (answer, found) = oneshot::channel();
        let question = Question { streams, answer };
        let gone = || Failure::from(sqlx::Error::WorkerCrashed);
        self.queue.send(question).await.map_err(|_| gone())?;
        found.await.map_err(|_| gone())?.map_err(Failure::Load)
    }
}

async fn answer_all(loader: Loader, mut queue: mpsc::Receiver<Question>) {
    let mut questions = Vec::with_capacity(BATCH_MAX);
    while queue.recv_many(&mut questions, BATCH_MAX).await > 0 {
        questions.retain(|question| !question.answer.is_closed());
        let mut places: HashMap<StreamKey, usize> = HashMap::new();
        let mut streams: Vec<(&'static str, Uuid)> = Vec::new();
        for key in questions.iter().flat_map(|question| &question.streams) {
            places.entry(*key).or_insert_with(|| {
                streams.push((key.stream_type, key.stream_id));
                streams.len() - 1
            });
        }
        if streams.is_empty() {
            answer(&mut questions, |_| Ok(vec![]));
            continue;
        }
        match loader.tails(&streams).await {
            Ok(tails) => answer(&mut questions, |asked| {
                Ok(asked.iter().map(|key| tails[places[key]]).collect())
            }),
            Err(error) => {
                let error = Arc::new(error);
                answer(&mut questions, |_| Err(Arc::clone(&error)));
            }
        }
    }
}

fn answer(questions: &mut Vec<Question>, found: impl Fn(&[StreamKey]) -> Found) {
    for Question { streams, answer } in questions.drain(..) {
        // Whoever asked may have gone away.
        let _ = answer.send(found(&streams));
    }
}
