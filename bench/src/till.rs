//! Providers of payments, all of whom the sandbox plays within this process, and a store's accounts
//! with them.

use crate::market::Market;
use serde_json::json;
use soko_gateways::sandbox::{Customer, Merchants, Options, Running, Sandbox};
use std::error::Error;

/// A customer looks at the phone and pays at once: what is measured is what we do.
const PAYS_AFTER_MS: u64 = 0;

pub(crate) struct Till {
    sandbox: Running,
    merchants: Merchants,
}

impl Till {
    pub(crate) fn open() -> Result<Self, Box<dyn Error>> {
        let merchants = Merchants::demo();
        let options = Options {
            customer: Customer::pays_after_ms(PAYS_AFTER_MS),
            merchants: merchants.clone(),
            ..Options::new(20_26)
        };
        let sandbox = Sandbox::start(&options)?;
        Ok(Self { sandbox, merchants })
    }

    /// With which a `soko` calls the sandbox.
    pub(crate) fn settings(&self) -> [(&str, &str); 1] {
        [("SOKO_PAYMENT_SANDBOX", self.sandbox.origin())]
    }

    /// Opens the store's accounts with M-Pesa and Paystack.
    pub(crate) async fn serve(&self, market: &mut Market) -> Result<(), Box<dyn Error>> {
        let mpesa = &self.merchants.mpesa[0];
        let account = json!({
            "consumer_key": mpesa.consumer_key, "consumer_secret": mpesa.consumer_secret,
            "short_code": mpesa.short_code, "passkey": mpesa.passkey,
        });
        let accounts = format!("/stores/{}/payment-accounts", market.store_id);
        let owner = &mut market.vendor;
        owner.put(&format!("{accounts}/mpesa"), &account).await?;
        let account = json!({ "secret_key": self.paystack_key() });
        owner.put(&format!("{accounts}/paystack"), &account).await?;
        Ok(())
    }

    /// What Paystack signs with.
    pub(crate) fn paystack_key(&self) -> &str {
        &self.merchants.paystack[0].secret_key
    }

    /// From now on nobody pays by themselves.
    pub(crate) fn let_nobody_pay(&self) {
        self.sandbox.set_customer(Customer::never_answers());
    }

    pub(crate) async fn close(self) {
        self.sandbox.stop().await;
    }
}
