//! From where the web shops of all stores may call.

use super::Stores;
use crate::ReadModel;
use crate::query::rows;
use crate::row::Json;
use soko_domain::{StoreId, WebOrigin};
use soko_event_log::{Position, Scope, ScopedReader};
use sqlx::{QueryBuilder, Row as _};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The web shops of one store, as they became by one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebShops {
    pub store_id: StoreId,
    /// None of a store that is closed.
    pub web_origins: BTreeSet<WebOrigin>,
    /// Of the store.
    pub version: u64,
    pub position: Position,
}

/// Stores whose web shops have changed after a position, in the order in which they did.
///
/// # Errors
/// The database failed.
pub async fn web_shops_since(
    reader: &ScopedReader,
    after: Position,
    limit: i64,
) -> Result<Vec<WebShops>, sqlx::Error> {
    let mut query = QueryBuilder::new(format!(
        "SELECT store_id, web_origins, is_open, version, web_origins_position \
         FROM read_models.{} WHERE web_origins_position > ",
        Stores::NAME
    ));
    query.push_bind(after.get());
    query.push(" ORDER BY web_origins_position LIMIT ");
    query.push_bind(limit);
    let found = reader.all(&Scope::Platform, query).await?;
    let shops = found.iter().map(|row| {
        let Json(web_origins) = rows::column::<Json<_>>(row, 1)?;
        let is_open: bool = row.try_get(2)?;
        let version: i64 = row.try_get(3)?;
        Ok(WebShops {
            store_id: StoreId::from_uuid(row.try_get::<Uuid, _>(0)?),
            web_origins: if is_open {
                web_origins
            } else {
                BTreeSet::new()
            },
            version: version.unsigned_abs(),
            position: Position::new(row.try_get(4)?),
        })
    });
    shops.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::given::{id, row, text};
    use soko_domain::payment::PaymentProvider;
    use soko_domain::store::{StoreEvent, Terms};
    use soko_domain::{AnyEvent, Currency, Tax};

    #[test]
    fn a_change_of_web_origins_is_known_by_its_position() {
        let store = fold([opened(), renamed(), pages_at(&["https://shop.example"])]);
        assert_eq!(store.web_origins_position, Some(3));
        assert_eq!(store.web_origins.0, origins(&["https://shop.example"]));
        let store = fold([opened(), pages_at(&["https://shop.example"]), renamed()]);
        assert_eq!(store.web_origins_position, Some(2));
    }

    #[test]
    fn a_web_shop_that_went_is_a_change_too() {
        let store = fold([opened(), pages_at(&["https://shop.example"]), pages_at(&[])]);
        assert_eq!(store.web_origins_position, Some(3));
        assert!(store.web_origins.0.is_empty());
    }

    #[test]
    fn the_web_shops_of_a_store_go_with_it() {
        let closed = || StoreEvent::Closed {};
        let store = fold([opened(), pages_at(&["https://shop.example"]), closed()]);
        assert_eq!(
            (store.web_origins_position, store.is_open),
            (Some(3), false)
        );
        assert_eq!(fold([opened(), closed()]).web_origins_position, None);
    }

    fn fold<const N: usize>(events: [StoreEvent; N]) -> Store {
        row::<Stores>(events.map(|event| AnyEvent::Store(id(10), event)))
    }

    fn opened() -> StoreEvent {
        StoreEvent::Opened(Box::new(Terms {
            tenant_id: id(1),
            slug: text("duka"),
            name: text("Duka"),
            currency: Currency::Kes,
            country: text("KE"),
            time_zone: text("Africa/Nairobi"),
            tax: Tax {
                prices_include_tax: true,
                rate: 1_600.try_into().unwrap(),
            },
            payment_methods: [PaymentProvider::CashOnDelivery].into(),
            commission_bps: 500.try_into().unwrap(),
            main_location: id(50),
        }))
    }

    fn renamed() -> StoreEvent {
        StoreEvent::Renamed { name: text("Duka") }
    }

    fn pages_at(texts: &[&str]) -> StoreEvent {
        StoreEvent::WebOriginsChanged {
            web_origins: origins(texts),
        }
    }

    fn origins(texts: &[&str]) -> BTreeSet<WebOrigin> {
        texts.iter().map(|origin| text(origin)).collect()
    }
}
