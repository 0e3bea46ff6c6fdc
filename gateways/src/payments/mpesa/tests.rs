//! The wire, end to end: what we send, and what we make of each answer.

mod callbacks;
mod moves;
mod prompts;
mod seals;
mod tokens;

use soko_domain::StoreId;
use uuid::Uuid;

use super::super::testing::{Heard, Provider, Say, ok};
use super::super::{MpesaAccount, MpesaInitiator, MpesaTill};
use super::Mpesa;

pub(super) const TOKEN: &str = r#"{"access_token":"token-1","expires_in":"3599"}"#;

pub(super) fn token() -> Say {
    ok(TOKEN)
}

pub(super) fn store() -> StoreId {
    Uuid::from_u128(0x5).into()
}

/// Their sandbox's.
pub(super) fn account() -> MpesaAccount {
    MpesaAccount {
        store_id: store(),
        consumer_key: "ck_demo".into(),
        consumer_secret: "cs_demo".into(),
        short_code: "174379".to_owned(),
        passkey: "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919".into(),
        till: MpesaTill::PayBill,
        initiator: Some(MpesaInitiator {
            name: "testapi".to_owned(),
            security_credential: "c2VhbGVk".into(),
        }),
        callback_secrets: vec!["path secret".into()],
    }
}

pub(super) fn mpesa(provider: &Provider) -> Mpesa {
    provider.providers().mpesa(account())
}

/// The last part of the address that it was told to call.
pub(super) fn path_in(heard: &Heard, field: &str) -> String {
    let url = heard.json()[field].as_str().unwrap().to_owned();
    let (base, path) = url.rsplit_once('/').unwrap();
    assert_eq!(base, "https://shop.example/webhooks/mpesa");
    path.to_owned()
}
