//! What was agreed when an order was placed.

use super::{Audience, Fulfilment, Order};
use crate::row::RenderedJson;
use serde::{Deserialize, Serialize};
use soko_domain::order::{Customer, OrderLine, Placement, Totals};
use soko_domain::{Address, CouponCode, EmailAddress, Personal, Tax, VendorId};

/// What the column `terms` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Of a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<EmailAddress>>,
    pub lines: Vec<OrderLine>,
    pub totals: Totals,
    pub tax: Tax,
    pub shipping_address: Personal<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponCode>,
}

/// An order as somebody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOrder {
    pub order: Order,
    pub terms: Terms,
}

impl FoundOrder {
    /// What of an order the audience may see; `None` if nothing.
    ///
    /// # Errors
    /// The row was written by another version of this program.
    pub fn seen_by(audience: &Audience, order: Order) -> Result<Option<Self>, serde_json::Error> {
        if !audience.may_see(&order) {
            return Ok(None);
        }
        let terms = serde_json::from_str(order.terms.as_str())?;
        let mut found = Self { order, terms };
        if let Some(vendor_id) = audience.vendor() {
            found.cut_to_part_of(vendor_id);
            found.order.terms = RenderedJson::of(&found.terms)?;
        }
        Ok(Some(found))
    }

    /// Leaves what concerns one vendor: where to send what, and what it comes to.
    fn cut_to_part_of(&mut self, vendor_id: VendorId) {
        let Self { order, terms } = self;
        order.vendor_ids.retain(|other| *other == vendor_id);
        order
            .fulfilments
            .0
            .retain(|part| part.vendor_id == vendor_id);
        terms.email = None;
        terms.lines.retain(|line| line.vendor_id == vendor_id);
        let sum = |amount: fn(&OrderLine) -> i64| terms.lines.iter().map(amount).sum::<i64>();
        terms.totals = Totals {
            subtotal: sum(|line| line.unit_price * line.quantity.units()),
            discount: sum(|line| line.discount),
            shipping: 0,
            tax: sum(|line| line.tax),
            total: sum(|line| line.total),
        };
        order.total = terms.totals.total;
        if !order.is_final {
            order.waiting_for = order.fulfilments.0.iter().find_map(Fulfilment::next_step);
        }
    }
}

impl Terms {
    /// The same without a copy of each text.
    pub(super) fn render(placement: &Placement) -> RenderedJson {
        #[derive(Serialize)]
        struct Agreed<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            email: Option<&'a Personal<EmailAddress>>,
            lines: &'a [OrderLine],
            totals: Totals,
            tax: Tax,
            shipping_address: &'a Personal<Address>,
            #[serde(skip_serializing_if = "Option::is_none")]
            coupon: Option<&'a CouponCode>,
        }
        let agreed = Agreed {
            email: match &placement.customer {
                Customer::Account(_) => None,
                Customer::Guest { email, .. } => Some(email),
            },
            lines: &placement.lines,
            totals: placement.totals,
            tax: placement.tax,
            shipping_address: &placement.shipping_address,
            coupon: placement.coupon.as_ref().map(|coupon| &coupon.code),
        };
        #[expect(
            clippy::expect_used,
            reason = "structs of texts and numbers, which came out of JSON"
        )]
        RenderedJson::of(&agreed).expect("an order is JSON")
    }
}
