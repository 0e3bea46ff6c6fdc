//! A store keeps of its vendors' sales by other rules, which name its own vendors and categories.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::commission::CommissionRules;
use soko_domain::store::{StoreCommand, StoreError};
use soko_domain::{Category, CategoryId, Store, StoreId, Vendor, VendorId};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetCommissionRulesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store has no vendor {vendor_id}")]
    NoSuchVendor { vendor_id: VendorId },
    #[error("the store has no category {category_id}")]
    NoSuchCategory { category_id: CategoryId },
}

/// # Errors
/// [`SetCommissionRulesError`], and every other [`CommandError`].
pub async fn set_commission_rules(
    engine: &Engine,
    store_id: StoreId,
    rules: CommissionRules,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<SetCommissionRulesError>> {
    let lanes = Lanes::new().with::<Store>(store_id);
    engine
        .transact(context, lanes, |unit| {
            let present = shelf::open_store(unit, store_id, context.tenant_id)?;
            let present = present.commission().clone();
            let change = StoreCommand::ChangeCommissionRules(Box::new(rules.clone()));
            // It says how many there may be, which are then looked for.
            unit.execute::<Store>(store_id, change)?;
            vendors_exist(unit, store_id, &rules)?;
            categories_exist(unit, store_id, &rules, &present)
        })
        .await
}

/// A vendor never goes for good, so every one that is named is there.
fn vendors_exist(
    unit: &UnitOfWork<'_>,
    store_id: StoreId,
    rules: &CommissionRules,
) -> Result<(), SetCommissionRulesError> {
    unit.require::<Vendor>(rules.vendors.keys().copied());
    for vendor_id in rules.vendors.keys().copied() {
        let seller = unit.state::<Vendor>(vendor_id).seller();
        if seller.map_or(true, |seller| seller.store_id() != store_id) {
            return Err(SetCommissionRulesError::NoSuchVendor { vendor_id });
        }
    }
    Ok(())
}

/// A category that was removed since does not stand in the way of another change.
fn categories_exist(
    unit: &UnitOfWork<'_>,
    store_id: StoreId,
    rules: &CommissionRules,
    present: &CommissionRules,
) -> Result<(), SetCommissionRulesError> {
    let named = rules.categories.keys();
    let new: Vec<_> = named
        .filter(|category_id| !present.categories.contains_key(category_id))
        .collect();
    unit.require::<Category>(new.iter().map(|category_id| **category_id));
    for category_id in new {
        shelf::categories_exist(unit, store_id, [category_id]).map_err(|_| {
            SetCommissionRulesError::NoSuchCategory {
                category_id: *category_id,
            }
        })?;
    }
    Ok(())
}
