//! Giving back.

use serde::Deserialize;
use serde_json::value::RawValue;

use std::sync::Arc;

use super::{Ecocash, EcocashMerchant, harare, iso, refused};
use crate::sandbox::major::{major, minor};
use crate::sandbox::wire::{Reply, Request, quoted};
use crate::sandbox::world::{World, held};

/// Two names are misspelt by EcoCash.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    origional_ecocash_transaction_reference: String,
    refund_corelator: String,
    source_mobile_number: String,
    #[serde(borrow)]
    amount: &'a RawValue,
    client_name: String,
    currency: String,
    reason_for_refund: String,
}

impl Ecocash {
    /// The original is named by EcoCash's reference or by the merchant's: the documentation asks
    /// for both.
    pub(super) fn refund(
        &self,
        world: &Arc<World>,
        merchant: &EcocashMerchant,
        request: &Request<'_>,
    ) -> Result<Reply, Reply> {
        let asked: Asked<'_> = serde_json::from_slice(request.body)
            .map_err(|_| refused(400, "Missing or invalid parameters"))?;
        let amount = minor(asked.amount.get()).filter(|amount| *amount > 0);
        let amount = amount.ok_or_else(|| refused(400, "Invalid amount"))?;
        let correlator = asked.refund_corelator;
        if correlator.is_empty() || asked.client_name.is_empty() {
            return Err(refused(400, "Missing or invalid parameters"));
        }
        let mut guard = held(&self.0);
        let state = &mut *guard;
        let named = &asked.origional_ecocash_transaction_reference;
        let id = state.references.get(named).unwrap_or(named);
        let found = state
            .charges
            .get_mut(id)
            .filter(|found| found.deal.account == merchant.account)
            .ok_or_else(|| refused(404, "Transaction not found").about(&correlator))?;
        let key = (merchant.account.clone(), correlator.clone());
        if state.refund_correlators.contains(&key) {
            return Err(refused(409, "Conflict").about(&correlator));
        }
        if asked.source_mobile_number != found.phone
            || iso(&asked.currency) != Some(&*found.deal.currency)
        {
            return Err(refused(402, "Refund does not match the payment").about(&correlator));
        }
        let number = world.dice.number();
        let own = format!("MP{}.R{number:05}", harare(request.now, "%y%m%d.%H%M"));
        if found
            .deal
            .give_back(&world.book, request.now, amount, &own)
            .is_err()
        {
            return Err(refused(402, "Refund is more than is left").about(&correlator));
        }
        state.refund_correlators.insert(key);
        let at = harare(request.now, "%Y-%m-%d %H:%M:%S");
        let body = format!(
            r#"{{"sourceReference":{},"transactionStatus":"COMPLETED","responseMessage":"Transaction completed","amount":{amount},"paymentAmount":{amount},"currency":"{}","ecocashReference":"{own}","destinationEcocashReference":"{}","destinationReferenceCode":{},"sourceMobileNumber":"{}","clientMerchantCode":"","clientMerchantNumber":"","clienttransactionDate":"{at}","transactionstartTime":"{at}","transactionEndTime":"{at}","callbackUrl":"","description":{}}}"#,
            quoted(&found.deal.payment),
            asked.currency,
            found.ecocash_reference.as_deref().unwrap_or_default(),
            quoted(&correlator),
            found.phone,
            quoted(&asked.reason_for_refund),
            amount = major(amount),
        );
        Ok(Reply::json(200, body).about(&correlator))
    }
}
