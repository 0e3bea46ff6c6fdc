//! The hash over the values, in the order in which they stand.

use sha2::{Digest, Sha512};

use crate::sandbox::form::encoded;
use crate::sandbox::merchants::PaynowMerchant;

pub(super) fn hash<'a>(values: impl Iterator<Item = &'a str>, key: &str) -> String {
    let mut digest = Sha512::new();
    values.for_each(|value| digest.update(value));
    digest.update(key.to_lowercase());
    hex::encode_upper(digest.finalize())
}

pub(super) fn hashed(merchant: &PaynowMerchant, pairs: &[(&str, &str)]) -> String {
    let hash = hash(pairs.iter().map(|(_, value)| *value), &merchant.key);
    let capitalised: Vec<String>;
    let mut all: Vec<(&str, &str)> = pairs.to_vec();
    all.push(("hash", &hash));
    if merchant.capitalised_names {
        capitalised = all.iter().map(|(name, _)| capital(name)).collect();
        let named = capitalised
            .iter()
            .zip(&all)
            .map(|(name, (_, value))| (&**name, *value));
        return encoded(&named.collect::<Vec<_>>());
    }
    encoded(&all)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::hash;
    use crate::sandbox::form::Form;

    const KEY: &str = "3e9fed89-60e1-4ce5-ab6e-6b1eb2d4f977";

    fn of(body: &str, key: &str) -> String {
        let form = Form::parse(body);
        hash(form.pairs().map(|(_, value)| value), key)
    }

    #[test]
    fn an_outbound_message_has_the_hash_of_the_published_sample() {
        let values = [
            "1201",
            "TEST REF",
            "99.99",
            "A test ticket transaction",
            "http://www.google.com/search?q=returnurl",
            "http://www.google.com/search?q=resulturl",
            "Message",
        ];
        assert_eq!(
            hash(values.into_iter(), KEY),
            "2A033FC38798D913D42ECB786B9B19645ADEDBDE788862032F1BD82CF3B92DEF84F316385D5B40DBB35F1A4FD7D5BFE73835174136463CDD48C9366B0749C689"
        );
    }

    #[test]
    fn an_inbound_message_has_the_hash_of_the_published_sample() {
        let body = "status=Ok&browserurl=https%3a%2f%2fstaging.paynow.co.zw%2fPayment%2fConfirmPayment%2f9510&pollurl=https%3a%2f%2fstaging.paynow.co.zw%2fInterface%2fCheckPayment%2f%3fguid%3dc7ed41da-0159-46da-b428-69549f770413&paynowreference=9510";
        assert_eq!(
            of(body, KEY),
            "750DD0B0DF374678707BB5AF915AF81C228B9058AD57BB7120569EC68BBB9C2EFC1B26C6375D2BC562AC909B3CD6B2AF1D42E1A5E479FFAC8F4FB3FDCE71DF4D"
        );
    }

    #[test]
    fn a_trace_has_the_hash_of_the_test_vector() {
        assert_eq!(
            of("id=1201&merchanttrace=trace-0001&status=Message", KEY),
            "B2D126C4E680430AA26BA522255BBD80BAB237446C629DE6B92C47B374D91708220DED5F8BFE58D6FEA6D5E2B59A2F80245E6B79BF0274F346FDE72377C07967"
        );
    }

    #[test]
    fn a_key_in_capitals_is_used_in_small_letters() {
        let body = "reference=ORD-1001&paynowreference=90211&amount=149.50&status=Awaiting+Delivery&pollurl=https%3A%2F%2Fwww.paynow.co.zw%2FInterface%2FCheckPayment%2F%3Fguid%3D2b7e";
        assert_eq!(
            of(body, "7E2A4C10-9F3B-4E55-8A1D-0C6B5D4E3F21"),
            "FCAE6488417635C79D5BA029CA63459096E6E9DAABE2286D9FD8B992FCF779242D75F6BC452A827E3912FDADB44BAB9F9FE677A9B1EB46E9402E43BE9AA72C4C"
        );
    }
}
