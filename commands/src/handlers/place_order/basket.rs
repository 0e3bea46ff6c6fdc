//! What is wanted, and whether and at what price it is on sale.

use super::{OrderSource, PlaceOrderError};
use crate::UnitOfWork;
use crate::handlers::shelf;
use soko_domain::cart::CartError;
use soko_domain::order::{OrderError, OrderItem, Placement};
use soko_domain::{Cart, Product, Quantity, Stock, StoreId, VariantId, Vendor};

/// Every variant once, in the order in which they were first named.
pub(super) struct Wanted(Vec<(VariantId, Quantity)>);

impl Wanted {
    pub(super) fn of(
        unit: &UnitOfWork<'_>,
        source: &OrderSource,
        store_id: StoreId,
    ) -> Result<Self, PlaceOrderError> {
        match source {
            OrderSource::Lines(lines) => Self::merge(lines),
            OrderSource::Cart(cart_id) => {
                let basket = unit.state::<Cart>(*cart_id).basket();
                let basket = basket.ok_or(CartError::Empty)?;
                if basket.store_id() != store_id {
                    return Err(CartError::AnotherCart.into());
                }
                let items = basket.items().iter();
                let lines: Vec<_> = items.map(|item| (item.variant_id, item.quantity)).collect();
                if lines.is_empty() {
                    return Err(CartError::Empty.into());
                }
                Ok(Self(lines))
            }
        }
    }

    fn merge(lines: &[(VariantId, Quantity)]) -> Result<Self, PlaceOrderError> {
        let mut merged: Vec<(VariantId, Quantity)> = Vec::new();
        for (variant_id, quantity) in lines {
            let present = merged.iter_mut().find(|(present, _)| present == variant_id);
            if let Some((_, sum)) = present {
                *sum = sum.plus(*quantity).ok_or(PlaceOrderError::TooManyOfOne {
                    variant_id: *variant_id,
                })?;
            } else if merged.len() < Placement::LINES_MAX {
                merged.push((*variant_id, *quantity));
            } else {
                return Err(OrderError::TooManyLines.into());
            }
        }
        if merged.is_empty() {
            return Err(OrderError::NoLines.into());
        }
        Ok(Self(merged))
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (VariantId, Quantity)> {
        self.0.iter().copied()
    }

    /// The lines with their prices. Names every line that is not on sale, not only the first.
    pub(super) fn items(
        &self,
        unit: &UnitOfWork<'_>,
        store_id: StoreId,
    ) -> Result<Vec<OrderItem>, PlaceOrderError> {
        self.require_all(unit);
        let mut items = Vec::with_capacity(self.0.len());
        let mut not_on_sale = Vec::new();
        for (variant_id, quantity) in self.lines() {
            match item(unit, store_id, variant_id, quantity) {
                Some(item) => items.push(item),
                None => not_on_sale.push(variant_id),
            }
        }
        if not_on_sale.is_empty() {
            Ok(items)
        } else {
            Err(PlaceOrderError::NotOnSale {
                variant_ids: not_on_sale,
            })
        }
    }

    /// A stock knows its product and its vendor: so all that is needed is known at once.
    fn require_all(&self, unit: &UnitOfWork<'_>) {
        unit.require::<Stock>(self.lines().map(|(variant_id, _)| variant_id));
        for (variant_id, _) in self.lines() {
            if let Ok(levels) = unit.state::<Stock>(variant_id).levels() {
                unit.require::<Product>([levels.product_id()]);
                unit.require::<Vendor>([levels.vendor_id()]);
            }
        }
    }
}

fn item(
    unit: &UnitOfWork<'_>,
    store_id: StoreId,
    variant_id: VariantId,
    quantity: Quantity,
) -> Option<OrderItem> {
    let levels = unit.state::<Stock>(variant_id).levels().ok()?;
    let product_id = levels.product_id();
    let (variant, vendor_id) = shelf::on_sale(unit, store_id, product_id, variant_id)?;
    Some(OrderItem {
        variant_id,
        product_id,
        vendor_id,
        sku: variant.sku.clone(),
        name: variant.name.clone(),
        quantity,
        unit_price: variant.price,
    })
}
