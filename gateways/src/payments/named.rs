//! Which payment a callback says that it is about, before anything of it is believed: to find the
//! account by whose secrets it is then checked, and for nothing else.

use serde_json::Value;
use soko_domain::PaymentId;

/// Where providers repeat what we gave them.
const PLACES: [&str; 6] = [
    "/data/object/metadata/payment_id",
    "/data/object/client_reference_id",
    "/data/reference",
    "/data/transaction/reference",
    "/data/transaction_reference",
    "/data/metadata/payment_id",
];

/// Where they tell of money that came, by their own reference, and repeat nothing of ours: a refund or
/// a dispute of Stripe's.
const REFERENCES: [&str; 1] = ["/data/object/payment_intent"];

/// Longer than any.
const REFERENCE_CHARS_MAX: usize = 200;

/// What a callback says that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Payment(PaymentId),
    /// The provider's reference of money that came.
    Captured(String),
}

/// `None` if it names none of ours.
pub fn named_in(body: &[u8]) -> Option<Named> {
    if body.len() > super::callback::BODY_BYTES_MAX {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let told = |place: &str| body.pointer(place)?.as_str();
    let mut told_places = PLACES.into_iter().filter_map(told);
    if let Some(payment_id) = told_places.find_map(|text| text.parse().ok()) {
        return Some(Named::Payment(payment_id));
    }
    let reference = REFERENCES.into_iter().find_map(told)?;
    (reference.len() <= REFERENCE_CHARS_MAX).then(|| Named::Captured(reference.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_found_where_providers_repeat_it() {
        let id = "0192f0c1-2233-7abc-8def-001122334455";
        for body in [
            format!(r#"{{"data":{{"object":{{"metadata":{{"payment_id":"{id}"}}}}}}}}"#),
            format!(r#"{{"data":{{"reference":"{id}"}}}}"#),
            format!(r#"{{"data":{{"transaction":{{"reference":"{id}"}}}}}}"#),
        ] {
            let found = named_in(body.as_bytes());
            assert_eq!(found, Some(Named::Payment(id.parse().unwrap())), "{body}");
        }
        let dispute = r#"{"data":{"object":{"payment_intent":"pi_1","metadata":{}}}}"#;
        let found = named_in(dispute.as_bytes());
        assert_eq!(found, Some(Named::Captured("pi_1".to_owned())));
        for body in ["", "{}", "[]", r#"{"data":{"reference":"1"}}"#] {
            assert_eq!(named_in(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn whatever_comes_is_read_without_harm() {
        bolero::check!().for_each(|body| {
            let _ = named_in(body);
        });
    }
}
