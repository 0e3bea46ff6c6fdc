//! What happened to a coupon.

use super::Sentence;
use soko_domain::promotion::{Discount, Funder, PromotionEvent, Terms};

pub(super) fn promotion(event: &PromotionEvent) -> Sentence {
    let what = match event {
        PromotionEvent::Created {
            code,
            vendor_id,
            funder,
            terms,
            ..
        } => {
            let goods = vendor_id
                .map(|vendor_id| format!(" goods of vendor {vendor_id}"))
                .unwrap_or_default();
            let funder = match funder {
                Funder::Store => "the store",
                Funder::Vendor => "the vendor",
            };
            format!(
                "coupon {code} made: {}{goods}, at the cost of {funder}",
                given(terms)
            )
        }
        PromotionEvent::TermsChanged { terms } => format!("from now on {}", given(terms)),
        PromotionEvent::Ended { .. } => "ended".to_owned(),
        PromotionEvent::Redeemed {
            order_id,
            account_id,
            discount,
        } => {
            let by = match account_id {
                Some(account_id) => format!("account {account_id}"),
                None => "a guest".to_owned(),
            };
            format!("given to order {order_id} of {by}: {discount} minor units off")
        }
        PromotionEvent::Released { order_id, .. } => {
            format!("given back by order {order_id}")
        }
    };
    Sentence { what, amount: None }
}

fn given(terms: &Terms) -> String {
    match terms.discount {
        Discount::Percentage { bps, .. } => {
            format!("{}.{:02} % off", bps.bps() / 100, bps.bps() % 100)
        }
        Discount::Fixed { amount } => format!("{amount} minor units off"),
    }
}
