//! What an aggregate of any kind was after some of its events, for who looks at all kinds alike.

use crate::{
    Account, AnyEvent, Cart, Category, Order, Payment, Product, Promotion, Statement, Stock, Store,
    Tenant, Vendor, VendorAccount,
};
use cqrs_es::Aggregate;
use serde_json::Value;

/// The state after these events of one stream, in the form in which snapshots keep it; `None` if no
/// aggregate is called that.
///
/// # Errors
/// A state that is not JSON; none is.
pub fn state_after<'a>(
    stream_type: &str,
    events: impl IntoIterator<Item = &'a AnyEvent>,
) -> Result<Option<Value>, serde_json::Error> {
    macro_rules! fold {
        ($($aggregate:ident),+) => {
            match stream_type {
                $($aggregate::TYPE => {
                    let mut state = $aggregate::default();
                    for event in events {
                        if let AnyEvent::$aggregate(_, event) = event {
                            state.apply(event.clone());
                        }
                    }
                    serde_json::to_value(state).map(Some)
                })+
                _ => Ok(None),
            }
        };
    }
    fold!(
        Account,
        Tenant,
        Store,
        Vendor,
        Category,
        Product,
        Stock,
        Cart,
        Order,
        Payment,
        Statement,
        VendorAccount,
        Promotion
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_type_has_a_state() {
        for stream_type in AnyEvent::STREAM_TYPES {
            let state = state_after(stream_type, []).unwrap();
            assert!(state.is_some(), "{stream_type}");
        }
        assert_eq!(state_after("nonsense", []).unwrap(), None);
    }
}
