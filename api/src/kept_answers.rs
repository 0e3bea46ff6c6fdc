//! Public answers, kept as they were rendered until a read model that they show moves.
//!
//! An answer is then never staler than the read models themselves: it is kept with the positions
//! that they had before it was asked for, and thrown away when they have others. Only a process
//! that folds the models itself knows their positions at no cost, so elsewhere nothing is kept.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use lru::LruCache;
use sha2::{Digest, Sha256};
use soko_event_log::Position;
use soko_projections::Freshness;

use crate::operation::{Answer, Operation};
use crate::problem::Result;
use crate::schema::Described;

/// At some ten kilobytes each.
const ANSWERS_MAX: NonZeroUsize = NonZeroUsize::new(2_048).unwrap();

/// What an answer shows a model of is named by the model; these are its positions.
type Positions = Vec<Position>;

/// Rendered answers by their queries.
pub struct KeptAnswers {
    models: &'static [&'static str],
    slots: Mutex<LruCache<String, Arc<Slot>>>,
}

/// One answer. Who finds it outdated renders it; who comes meanwhile waits for that.
#[derive(Default)]
struct Slot {
    kept: Mutex<Option<(Positions, Tagged)>>,
    rendering: tokio::sync::Mutex<()>,
}

/// A rendered body, and a tag that tells it from others.
#[derive(Debug, Clone)]
pub struct Tagged {
    body: Bytes,
    etag: Arc<str>,
}

impl Tagged {
    pub fn of(body: Bytes) -> Self {
        let digest = Sha256::digest(&body);
        let etag = format!("\"{}\"", hex::encode(&digest[..12])).into();
        Self { body, etag }
    }
}

impl KeptAnswers {
    /// For answers that show these read models, and nothing else that changes.
    pub fn of_models(models: &'static [&'static str]) -> Self {
        Self {
            models,
            slots: Mutex::new(LruCache::new(ANSWERS_MAX)),
        }
    }

    /// # Errors
    /// What rendering fails with.
    pub async fn answer(
        &self,
        freshness: &Freshness,
        query: &str,
        render: impl AsyncFnOnce() -> Result<Bytes>,
    ) -> Result<Tagged> {
        let Some(positions) = self.positions(freshness) else {
            return Ok(Tagged::of(render().await?));
        };
        let slot = self.slot(query);
        if let Some(kept) = slot.kept_at(&positions) {
            return Ok(kept);
        }
        let _turn = slot.rendering.lock().await;
        let Some(positions) = self.positions(freshness) else {
            return Ok(Tagged::of(render().await?));
        };
        if let Some(kept) = slot.kept_at(&positions) {
            return Ok(kept);
        }
        let tagged = Tagged::of(render().await?);
        *slot.kept.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((positions, tagged.clone()));
        Ok(tagged)
    }

    fn positions(&self, freshness: &Freshness) -> Option<Positions> {
        self.models
            .iter()
            .map(|model| freshness.folded_here(model))
            .collect()
    }

    fn slot(&self, query: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(query) {
            return Arc::clone(slot);
        }
        let slot = Arc::<Slot>::default();
        slots.put(query.to_owned(), Arc::clone(&slot));
        slot
    }
}

impl Slot {
    fn kept_at(&self, positions: &Positions) -> Option<Tagged> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, tagged) = kept.as_ref()?;
        (at == positions).then(|| tagged.clone())
    }
}

/// An answer of this shape, rendered already.
#[derive(Debug)]
pub struct KeptAnswer<T> {
    tagged: Tagged,
    shape: PhantomData<T>,
}

impl<T> KeptAnswer<T> {
    pub const fn new(tagged: Tagged) -> Self {
        Self {
            tagged,
            shape: PhantomData,
        }
    }
}

impl<T> Responder for KeptAnswer<T> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let Tagged { body, etag } = self.tagged;
        let known = request.headers().get(IF_NONE_MATCH);
        if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
            return HttpResponse::NotModified()
                .insert_header((ETAG, &*etag))
                .finish();
        }
        HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((ETAG, &*etag))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .body(body)
    }
}

impl<T: Described> Answer for KeptAnswer<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<T>(StatusCode::OK, "What was asked for.");
        operation.tells_what_is_unchanged("For If-None-Match.");
    }
}
