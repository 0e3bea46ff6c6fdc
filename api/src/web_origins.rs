//! From where pages may call: what the operator has set, and the web shops of all open stores.
//!
//! Each node knows all of them, so that no request asks the database. What a node changed itself
//! it knows at once, what others changed within a second.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use soko_domain::store::Store;
use soko_domain::{StoreId, WebOrigin};
use soko_event_log::{Position, ScopedReader};
use soko_projections::read_models::stores::web_shops_since;

use crate::app::App;
use crate::config::CorsOrigins;

/// Changes that are read at once.
const PART: u16 = 1_000;

/// Who may call.
pub struct WebOrigins {
    of_service: Option<CorsOrigins>,
    reader: ScopedReader,
    known: RwLock<Known>,
}

/// Where an answer may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readable {
    ByAnyPage,
    ByThisOrigin,
    Nowhere,
}

/// What is known of the stores. It has an entry for each that ever had a web shop, and each has a
/// few at most.
#[derive(Debug, Default)]
struct Known {
    stores: HashMap<StoreId, WebShops>,
    /// Each origin with the number of stores that have it.
    origins: HashMap<String, usize>,
    reached: Position,
}

#[derive(Debug)]
struct WebShops {
    /// Of the store, when it had these.
    version: u64,
    origins: BTreeSet<WebOrigin>,
}

impl WebOrigins {
    pub fn new(of_service: Option<CorsOrigins>, reader: ScopedReader) -> Self {
        Self {
            of_service,
            reader,
            known: RwLock::default(),
        }
    }

    /// What pages of an origin, as a browser names it, may read.
    pub fn readable_by(&self, origin: &str) -> Readable {
        let is_named = match &self.of_service {
            Some(CorsOrigins::All) => return Readable::ByAnyPage,
            Some(CorsOrigins::Only(origins)) => origins.iter().any(|named| named == origin),
            None => false,
        };
        if is_named || self.known().origins.contains_key(origin) {
            Readable::ByThisOrigin
        } else {
            Readable::Nowhere
        }
    }

    /// Whether it matters to caches which page asks.
    pub fn differ(&self) -> bool {
        !matches!(self.of_service, Some(CorsOrigins::All))
    }

    /// Learns what has changed since it was last asked. Called every second.
    ///
    /// # Errors
    /// The database.
    pub async fn learn_changed(&self) -> Result<(), sqlx::Error> {
        loop {
            let reached = self.known().reached;
            let changed = web_shops_since(&self.reader, reached, PART.into()).await?;
            let is_last = changed.len() < usize::from(PART);
            let mut known = self.known_to_change();
            for shops in changed {
                known.reached = known.reached.max(shops.position);
                known.take(shops.store_id, shops.version, shops.web_origins);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_to_change(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Read models run behind: what is older than what is known says nothing.
    fn take(&mut self, store_id: StoreId, version: u64, origins: BTreeSet<WebOrigin>) {
        let known = self.stores.get(&store_id);
        if known.is_some_and(|known| known.version >= version) {
            return;
        }
        for origin in &origins {
            *self.origins.entry(origin.to_string()).or_default() += 1;
        }
        let shops = WebShops { version, origins };
        let Some(before) = self.stores.insert(store_id, shops) else {
            return;
        };
        for origin in before.origins {
            if let Some(count) = self.origins.get_mut(origin.as_str()) {
                *count -= 1;
                if *count == 0 {
                    self.origins.remove(origin.as_str());
                }
            }
        }
    }
}

impl App {
    /// What this node has just changed counts here at once. If it cannot be read it counts a little
    /// later, as on the others.
    pub(crate) async fn learn_web_origins(&self, store_id: StoreId) {
        let Ok(store) = self.engine().read::<Store>(store_id).await else {
            return;
        };
        let origins = match store.state.open() {
            Ok(shop) => shop.web_origins().clone(),
            Err(_) => BTreeSet::new(),
        };
        let known = self.web_origins();
        let mut known = known.known_to_change();
        if !origins.is_empty() || known.stores.contains_key(&store_id) {
            known.take(store_id, store.version, origins);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;
    use uuid::Uuid;

    const SHOP: &str = "https://shop.example";

    #[tokio::test]
    async fn an_origin_is_matched_as_a_whole_and_to_the_letter() {
        let origins = origins(Some("https://admin.example"));
        take(&origins, 1, 1, &[SHOP]);
        for named in [SHOP, "https://admin.example"] {
            assert_eq!(origins.readable_by(named), Readable::ByThisOrigin);
        }
        for other in [
            "",
            "*",
            "null",
            "https://shop.example.evil.example",
            "https://evilshop.example",
            "https://www.shop.example",
            "https://SHOP.example",
            "https://shop.example:443",
            "https://shop.example:8443",
            "https://shop.example.",
            "https://shop.example/",
            "https://shop.exampl",
            "http://shop.example",
            "https://shop.example,https://shop.example",
            "https://shop.example https://evil.example",
            "https://sh\u{43e}p.example",
            "https://admin.example.evil.example",
        ] {
            assert_eq!(origins.readable_by(other), Readable::Nowhere, "{other:?}");
        }
    }

    #[tokio::test]
    async fn an_origin_counts_for_as_long_as_one_store_has_it() {
        let origins = origins(None);
        take(&origins, 1, 1, &[SHOP]);
        take(&origins, 2, 1, &[SHOP, "https://other.example"]);
        take(&origins, 1, 2, &[]);
        assert_eq!(origins.readable_by(SHOP), Readable::ByThisOrigin);
        take(&origins, 2, 2, &["https://other.example"]);
        assert_eq!(origins.readable_by(SHOP), Readable::Nowhere);
        assert_eq!(
            origins.readable_by("https://other.example"),
            Readable::ByThisOrigin
        );
    }

    #[tokio::test]
    async fn what_is_older_than_what_is_known_says_nothing() {
        let origins = origins(None);
        take(&origins, 1, 3, &[]);
        take(&origins, 1, 2, &[SHOP]);
        assert_eq!(origins.readable_by(SHOP), Readable::Nowhere);
        take(&origins, 1, 4, &[SHOP]);
        take(&origins, 1, 4, &[SHOP]);
        assert_eq!(origins.known().origins[SHOP], 1);
    }

    #[tokio::test]
    async fn an_operator_may_let_every_page_read() {
        let all = origins(Some("*"));
        assert_eq!(all.readable_by("null"), Readable::ByAnyPage);
        assert!(!all.differ() && origins(None).differ());
    }

    fn origins(of_service: Option<&str>) -> WebOrigins {
        let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/nowhere").unwrap();
        let of_service = of_service.map(|text| text.parse().unwrap());
        WebOrigins::new(of_service, ScopedReader::new(pool))
    }

    fn take(origins: &WebOrigins, store: u128, version: u64, texts: &[&str]) {
        let store_id = StoreId::from_uuid(Uuid::from_u128(store));
        let shops = texts.iter().map(|text| text.parse().unwrap());
        origins
            .known_to_change()
            .take(store_id, version, shops.collect());
    }
}
