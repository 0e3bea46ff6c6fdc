//! Where a vendor's money goes.

use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use soko_commands::handlers::{SetPayoutAccount, set_payout_account};
use soko_domain::permission::Permission;
use soko_domain::vendor::VendorRole;
use soko_domain::vendor_account::{PayoutDetails, PayoutMethod};
use soko_domain::{PhoneNumber, Text, Vendor, VendorAccount, VendorId};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::Command;
use crate::found::Found;
use crate::messages::Notice;
use crate::problem::{Fault, Place as At, Problem, Result};
use crate::query::Path;
use crate::recorded::Recorded;
use crate::schema::{answer, body, words};

words! { PayoutMethod = "PayoutMethod" ["by_hand", "mpesa", "paystack"] }

body! {
    pub(crate) struct NewPayoutAccount {
        pub method: PayoutMethod,
        /// Whose account it is: by hand and by Paystack.
        pub name: Option<Text<120>>,
        /// By hand: such as a bank, its branch and the number of an account.
        pub account: Option<Text<200>>,
        /// By M-Pesa.
        pub phone: Option<PhoneNumber>,
        /// By Paystack, in its own words: such as `basa`.
        pub kind: Option<Text<50>>,
        /// By Paystack.
        pub account_number: Option<Text<50>>,
        /// By Paystack.
        pub bank_code: Option<Text<50>>,
    }
}

answer! {
    pub(crate) struct PayoutAccountDetails {
        /// By hand until somebody has set another.
        pub method: PayoutMethod,
        /// Nothing is paid out before this.
        pub usable_from: Option<DateTime<Utc>>,
        pub name: Option<String>,
        /// For who may approve payouts, and so pays them. Others see how it ends.
        pub account: Option<String>,
        pub kind: Option<String>,
        pub bank_code: Option<String>,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
) -> Result<Found<PayoutAccountDetails>> {
    let place = Place::vendor(*vendor_id);
    caller.permit(place.clone()).await?;
    let sees_all = caller.holds(Permission::ApprovePayout, place).await?;
    let account = app.engine().read::<VendorAccount>(*vendor_id).await?;
    let purse = account.state.purse().ok();
    let Some(set) = purse.and_then(|purse| purse.payout_account()) else {
        let nothing = PayoutAccountDetails {
            method: PayoutMethod::ByHand,
            usable_from: None,
            name: None,
            account: None,
            kind: None,
            bank_code: None,
        };
        return Ok(Found::new(nothing).with_version_for_changes(account.version));
    };
    let shown = |text: &str| {
        if sees_all {
            text.to_owned()
        } else {
            ending(text)
        }
    };
    let mut details = PayoutAccountDetails {
        method: set.method,
        usable_from: Some(set.usable_from),
        name: None,
        account: None,
        kind: None,
        bank_code: None,
    };
    match set.details.value() {
        Some(PayoutDetails::ByHand { name, account }) => {
            details.name = Some(name.to_string());
            details.account = Some(shown(account.as_str()));
        }
        Some(PayoutDetails::Mpesa { phone }) => details.account = Some(shown(phone.as_str())),
        Some(PayoutDetails::Paystack {
            kind,
            name,
            account_number,
            bank_code,
        }) => {
            details.name = Some(name.to_string());
            details.account = Some(shown(account_number.as_str()));
            details.kind = Some(kind.to_string());
            details.bank_code = Some(bank_code.to_string());
        }
        None => (),
    }
    Ok(Found::new(details).with_version_for_changes(account.version))
}

/// Enough to tell one's own accounts apart.
fn ending(text: &str) -> String {
    const SHOWN: usize = 4;
    let characters: Vec<char> = text.chars().collect();
    let shown = characters
        .len()
        .saturating_sub(SHOWN)
        .max(characters.len() / 2);
    format!("…{}", characters[shown..].iter().collect::<String>())
}

/// Those who own the vendor are told: who took over the log-in of one of them would do this first.
pub(crate) async fn set(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<NewPayoutAccount>,
) -> Result<Recorded<()>> {
    let context = caller
        .permit(Place::vendor(*vendor_id))
        .await?
        .context(&command);
    let request = SetPayoutAccount {
        vendor_id: *vendor_id,
        details: details(command.body)?,
        set_by: caller.account()?,
        held_for: TimeDelta::hours(app.config().payout_account_hold_hours.into()),
    };
    let set = set_payout_account(app.engine(), request, &context).await;
    let is_changed = matches!(&set, Ok(set) if set.position.is_some() && !set.replayed);
    let recorded = app
        .recorded_of::<VendorAccount, _, _, _>(*vendor_id, set, &context)
        .await?;
    if is_changed {
        let vendor = app.engine().read::<Vendor>(*vendor_id).await?;
        let members = vendor.state.seller()?.team().members();
        let owners = members.filter(|(_, role)| *role == VendorRole::Owner);
        for (account_id, _) in owners {
            let notice = Notice::PayoutAccountSet { account_id };
            app.messages().post(&notice, caller.now()).await?;
        }
    }
    Ok(recorded)
}

/// What a way of paying needs, and nothing that another does.
fn details(body: NewPayoutAccount) -> Result<PayoutDetails> {
    let method = body.method;
    let mut needs = Needs {
        method,
        faults: vec![],
    };
    let NewPayoutAccount {
        name,
        account,
        phone,
        kind,
        account_number,
        bank_code,
        ..
    } = body;
    let details = match method {
        PayoutMethod::ByHand => {
            needs.none("/phone", phone.as_ref());
            needs.none("/kind", kind.as_ref());
            needs.none("/account_number", account_number.as_ref());
            needs.none("/bank_code", bank_code.as_ref());
            let (name, account) = (needs.one("/name", name), needs.one("/account", account));
            name.zip(account)
                .map(|(name, account)| PayoutDetails::ByHand { name, account })
        }
        PayoutMethod::Mpesa => {
            needs.none("/name", name.as_ref());
            needs.none("/account", account.as_ref());
            needs.none("/kind", kind.as_ref());
            needs.none("/account_number", account_number.as_ref());
            needs.none("/bank_code", bank_code.as_ref());
            let phone = needs.one("/phone", phone);
            phone.map(|phone| PayoutDetails::Mpesa { phone })
        }
        PayoutMethod::Paystack => {
            needs.none("/account", account.as_ref());
            needs.none("/phone", phone.as_ref());
            let (name, kind) = (needs.one("/name", name), needs.one("/kind", kind));
            let account_number = needs.one("/account_number", account_number);
            let bank_code = needs.one("/bank_code", bank_code);
            let all = name.zip(kind).zip(account_number.zip(bank_code));
            all.map(
                |((name, kind), (account_number, bank_code))| PayoutDetails::Paystack {
                    kind,
                    name,
                    account_number,
                    bank_code,
                },
            )
        }
    };
    match details {
        Some(details) if needs.faults.is_empty() => Ok(details),
        _ => Err(Problem::invalid(needs.faults)),
    }
}

struct Needs {
    method: PayoutMethod,
    faults: Vec<Fault>,
}

impl Needs {
    fn one<T>(&mut self, pointer: &str, given: Option<T>) -> Option<T> {
        if given.is_none() {
            self.fault(pointer, "is needed");
        }
        given
    }

    fn none<T>(&mut self, pointer: &str, given: Option<&T>) {
        if given.is_some() {
            self.fault(pointer, "has no meaning");
        }
    }

    fn fault(&mut self, pointer: &str, what: &str) {
        self.faults.push(Fault {
            place: At::Pointer(pointer.to_owned()),
            message: format!("{what} for {}", self.method),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_an_account_is_shown() {
        assert_eq!(ending("+254712345678"), "…5678");
        assert_eq!(ending("KCB 12"), "… 12");
        assert_eq!(ending("1"), "…1");
    }
}
