//! What the store keeps of each line, by its rules at this moment: it is agreed with the order, and
//! no later change of the rules reaches it.

use super::PlaceOrderError;
use super::bill::Bill;
use crate::UnitOfWork;
use soko_domain::category::Section;
use soko_domain::commission::CommissionRules;
use soko_domain::{Category, CategoryId, Product, ProductId};
use std::collections::BTreeSet;

pub(super) fn keep(
    unit: &UnitOfWork<'_>,
    rules: &CommissionRules,
    bill: &mut Bill,
) -> Result<(), PlaceOrderError> {
    for line in &mut bill.lines {
        let categories = if rules.asks_for_categories(line.vendor_id) {
            nearest_first(unit, line.product_id)
        } else {
            vec![]
        };
        let rule = rules.rule(line.vendor_id, categories);
        line.keep_commission(rule, rules.tax_rate_bps, bill.currency)?;
    }
    Ok(())
}

/// The categories that a product lies in, then those above these, and so on; those on one level in
/// the order of their ids. One that was removed meanwhile counts as none, and so do those above it.
fn nearest_first(unit: &UnitOfWork<'_>, product_id: ProductId) -> Vec<CategoryId> {
    let mut found = Vec::new();
    let listing = unit.state::<Product>(product_id).listing();
    let mut level = listing
        .map(|listing| listing.description().category_ids.clone())
        .unwrap_or_default();
    // Nothing lies deeper, and a ring cannot come about.
    for _ in 0..Category::DEPTH_MAX {
        unit.require::<Category>(level.iter().copied());
        let sections = level.iter().filter_map(|category_id| {
            let section = unit.state::<Category>(*category_id).section();
            section.ok().map(|section| (*category_id, section))
        });
        let (listed, above): (Vec<_>, BTreeSet<_>) = sections
            .map(|(category_id, section)| (category_id, Section::parent(section)))
            .unzip();
        found.extend(listed);
        level = above.into_iter().flatten().collect();
    }
    found
}
