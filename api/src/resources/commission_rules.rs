//! What a store keeps of its vendors' sales. What was kept of an order stays so, whatever the rules
//! become.

use std::collections::BTreeMap;

use actix_web::web::Data;
use soko_commands::handlers::{SetCommissionRulesError, set_commission_rules};
use soko_domain::commission::{CommissionError, CommissionRule, CommissionRules};
use soko_domain::{CategoryId, Store, StoreId, TaxRate, VendorId};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::Command;
use crate::found::Found;
use crate::problem::{Problem, Result};
use crate::query::Path;
use crate::recorded::Recorded;
use crate::schema::{answer, body};

body! {
    pub(crate) struct NewCommissionRules {
        /// What counts where no other rule does.
        pub standard: NewCommissionRule,
        /// The tax that a vendor owes on the commission, in basis points: 1600 is 16 %.
        pub tax_rate_bps: TaxRate,
        /// Of single vendors; each comes before all others.
        pub vendors: Option<Vec<NewVendorRule>>,
        /// Of categories, and of those below them that have none; each comes before the standard.
        pub categories: Option<Vec<NewCategoryRule>>,
    }

    pub(crate) struct NewCommissionRule {
        /// Of what the buyer pays for a line, tax included, and what the store makes up for, in basis points.
        pub bps: TaxRate,
        /// For each line, in minor units of the store's currency.
        pub fixed: Option<i64>,
        /// At most so much for a line, in minor units of the store's currency.
        pub cap: Option<i64>,
    }

    pub(crate) struct NewVendorRule {
        pub vendor_id: VendorId,
        pub rule: NewCommissionRule,
    }

    pub(crate) struct NewCategoryRule {
        pub category_id: CategoryId,
        pub rule: NewCommissionRule,
    }
}

answer! {
    pub(crate) struct StoreCommissionRules {
        pub standard: RuleOfCommission,
        pub tax_rate_bps: TaxRate,
        pub vendors: Vec<VendorRule>,
        pub categories: Vec<CategoryRule>,
    }

    pub(crate) struct RuleOfCommission {
        pub bps: TaxRate,
        pub fixed: i64,
        pub cap: Option<i64>,
    }

    pub(crate) struct VendorRule {
        pub vendor_id: VendorId,
        pub rule: RuleOfCommission,
    }

    pub(crate) struct CategoryRule {
        pub category_id: CategoryId,
        pub rule: RuleOfCommission,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
) -> Result<Found<StoreCommissionRules>> {
    caller.permit(Place::store(*store_id)).await?;
    let store = app.engine().read::<Store>(*store_id).await?;
    let rules = told(store.state.shop()?.commission());
    Ok(Found::new(rules).with_version(store.version))
}

/// All of them, in place of those that there were.
pub(crate) async fn set(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<NewCommissionRules>,
) -> Result<Recorded<()>> {
    let context = caller
        .permit(Place::store(*store_id))
        .await?
        .context(&command);
    let rules = asked(&command.body)?;
    let set = set_commission_rules(app.engine(), *store_id, rules, &context).await;
    app.recorded_of::<Store, _, _, _>(*store_id, set, &context)
        .await
}

fn asked(body: &NewCommissionRules) -> Result<CommissionRules> {
    let mut rules = CommissionRules {
        standard: rule(&body.standard, "/standard")?,
        tax_rate_bps: body.tax_rate_bps,
        vendors: BTreeMap::new(),
        categories: BTreeMap::new(),
    };
    for (n, of) in body.vendors.iter().flatten().enumerate() {
        let rule = rule(&of.rule, &format!("/vendors/{n}/rule"))?;
        let earlier = rules.vendors.insert(of.vendor_id, rule);
        once(earlier, || format!("/vendors/{n}/vendor_id"))?;
    }
    for (n, of) in body.categories.iter().flatten().enumerate() {
        let rule = rule(&of.rule, &format!("/categories/{n}/rule"))?;
        let earlier = rules.categories.insert(of.category_id, rule);
        once(earlier, || format!("/categories/{n}/category_id"))?;
    }
    Ok(rules)
}

/// Of two rules for the same, nobody could tell which one counts.
fn once(earlier: Option<CommissionRule>, pointer: impl Fn() -> String) -> Result<()> {
    match earlier {
        None => Ok(()),
        Some(_) => Err(Problem::invalid_at(pointer(), "has a rule already")),
    }
}

fn rule(body: &NewCommissionRule, pointer: &str) -> Result<CommissionRule> {
    let fixed = body.fixed.unwrap_or_default();
    in_range(fixed, || format!("{pointer}/fixed"))?;
    in_range(body.cap.unwrap_or_default(), || format!("{pointer}/cap"))?;
    Ok(CommissionRule {
        bps: body.bps,
        fixed,
        cap: body.cap,
    })
}

/// As the store would say, but of which amount.
fn in_range(amount: i64, pointer: impl Fn() -> String) -> Result<()> {
    let max = CommissionRules::AMOUNT_MAX;
    if (0..=max).contains(&amount) {
        Ok(())
    } else {
        let message = format!("must be from 0 to {max} minor units");
        Err(Problem::invalid_at(pointer(), message))
    }
}

fn told(rules: &CommissionRules) -> StoreCommissionRules {
    let vendors = rules.vendors.iter();
    let categories = rules.categories.iter();
    StoreCommissionRules {
        standard: told_rule(&rules.standard),
        tax_rate_bps: rules.tax_rate_bps,
        vendors: vendors
            .map(|(vendor_id, rule)| VendorRule {
                vendor_id: *vendor_id,
                rule: told_rule(rule),
            })
            .collect(),
        categories: categories
            .map(|(category_id, rule)| CategoryRule {
                category_id: *category_id,
                rule: told_rule(rule),
            })
            .collect(),
    }
}

fn told_rule(rule: &CommissionRule) -> RuleOfCommission {
    RuleOfCommission {
        bps: rule.bps,
        fixed: rule.fixed,
        cap: rule.cap,
    }
}

impl From<SetCommissionRulesError> for Problem {
    fn from(error: SetCommissionRulesError) -> Self {
        match error {
            SetCommissionRulesError::Store(store) => store.into(),
            SetCommissionRulesError::NoSuchVendor { .. } => Self::invalid_at("/vendors", error),
            SetCommissionRulesError::NoSuchCategory { .. } => {
                Self::invalid_at("/categories", error)
            }
        }
    }
}

impl From<CommissionError> for Problem {
    fn from(error: CommissionError) -> Self {
        let pointer = match error {
            CommissionError::OutOfRange { .. } => "/standard",
            CommissionError::TooManyRules { .. } => "/vendors",
        };
        Self::invalid_at(pointer, error)
    }
}
