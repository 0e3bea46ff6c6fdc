use super::*;
use proptest::prelude::*;
use std::hash::DefaultHasher;

#[test]
fn the_domain_has_one_form_and_what_stands_before_it_stays_as_typed() {
    for (typed, kept) in [
        (" Amina.W+shop@Example.CO.KE ", "Amina.W+shop@example.co.ke"),
        ("amina@BÜCHER.example", "amina@xn--bcher-kva.example"),
        ("amina@xn--bcher-kva.example", "amina@xn--bcher-kva.example"),
        // Full-width letters and an ideographic full stop: IDNA maps them to an ASCII domain.
        ("amina@ｅｘａｍｐｌｅ。com", "amina@example.com"),
        ("amina@例え.jp", "amina@xn--r8jz45g.jp"),
        // A Kelvin sign is a K; two code points become one.
        ("\u{212a}amau@example.com", "Kamau@example.com"),
        ("Ame\u{301}lie@example.com", "Amélie@example.com"),
        ("संजय@example.com", "संजय@example.com"),
        ("o'neill/x=y@example.com", "o'neill/x=y@example.com"),
        ("amina@r3---sn.example.com", "amina@r3---sn.example.com"),
    ] {
        assert_eq!(parse(typed).as_str(), kept, "{typed}");
    }
}

#[test]
fn case_does_not_tell_two_addresses_apart() {
    for (one, other) in [
        ("Amina@Example.com", "aMINA@eXAMPLE.COM"),
        ("ÉLODIE@example.com", "e\u{301}lodie@example.com"),
        ("ПЁТР@пример.рф", "пётр@ПРИМЕР.РФ"),
    ] {
        let (one, other) = (parse(one), parse(other));
        assert_eq!(one, other);
        assert_eq!(one.comparison_form(), other.comparison_form());
        assert_eq!(hash(&one), hash(&other));
    }
    assert_ne!(parse("mıke@example.com"), parse("mike@example.com"));
    assert_ne!(parse("a.mina@example.com"), parse("amina@example.com"));
    assert_ne!(parse("amina+1@example.com"), parse("amina@example.com"));
}

#[test]
fn what_is_not_an_address_is_refused() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_domain = format!("a@{}.com", "b".repeat(250));
    let long_label = format!("a@{}.com", "b".repeat(64));
    let too_long = format!("{}@{}example.com", "a".repeat(64), "b.".repeat(90));
    for text in [
        "",
        "amina",
        "@example.com",
        "amina@",
        "amina@localhost",
        "amina@example..com",
        "amina@.example.com",
        "amina@example.com.",
        "amina@-example.com",
        "amina@example-.com",
        "amina@exa mple.com",
        "amina@exa_mple.com",
        "amina@example.com@example.com",
        "amina@@example.com",
        "amina w@example.com",
        ".amina@example.com",
        "amina.@example.com",
        "amina..w@example.com",
        "amina,juma@example.com",
        "<amina>@example.com",
        "Amina <amina@example.com>",
        "\"amina\"@example.com",
        "\"amina w\"@example.com",
        "amina(shop)@example.com",
        "amina@example.com(shop)",
        "amina@(shop)example.com",
        "amina@[192.168.0.1]",
        "amina@[IPv6:::1]",
        "amina@192.168.0.1",
        "amina\n@example.com",
        "amina@example.com\r\nBcc: juma@example.com",
        "amina\0@example.com",
        "amina\u{7f}@example.com",
        "amina@example.com\u{0}",
        "amina%0d%0a@example.com\r\n.",
        "amina@xn--.com",
        "amina@xn--a-ecp.ru--",
        long_local.as_str(),
        long_domain.as_str(),
        long_label.as_str(),
        too_long.as_str(),
    ] {
        assert_eq!(
            text.parse::<EmailAddress>(),
            Err(EmailAddressError),
            "{text:?}"
        );
    }
}

#[test]
fn what_only_looks_like_an_address_is_refused() {
    for text in [
        // A full-width `@`, alone and beside the real one.
        "amina＠example.com",
        "amina＠example.com@example.org",
        // Characters that are other ones in a costume.
        "ａmina@example.com",
        "amina①@example.com",
        "ﬁnance@example.com",
        // A small s of old prints.
        "\u{17f}oko@example.com",
        // Nothing to see, and what turns the direction.
        "am\u{200b}ina@example.com",
        "am\u{ad}ina@example.com",
        "\u{202e}anima@example.com",
        "amina\u{feff}@example.com",
        "am\u{2028}ina@example.com",
        // A Cyrillic а in a Latin name, and a Greek ο; also written in Punycode.
        "amina@ex\u{430}mple.com",
        "amina@g\u{3bf}\u{3bf}gle.com",
        "amina@xn--exmple-4nf.com",
    ] {
        assert_eq!(
            text.parse::<EmailAddress>(),
            Err(EmailAddressError),
            "{text:?}"
        );
    }
}

#[test]
fn what_stood_in_the_log_before_is_read_as_it_was() {
    for stored in ["amina.w+shop@example.co.ke", "juma@xn--bcher-kva.example"] {
        let address = parse(stored);
        assert_eq!(address.as_str(), stored);
        assert_eq!(address.comparison_form(), stored);
    }
}

#[test]
fn json_is_parsed_like_any_other_text() {
    let address: EmailAddress = serde_json::from_str(r#""A@Example.com""#).unwrap();
    assert_eq!(
        serde_json::to_string(&address).unwrap(),
        r#""A@example.com""#
    );
    assert!(serde_json::from_str::<EmailAddress>(r#""nobody""#).is_err());
}

proptest! {
    #[test]
    fn whatever_is_taken_has_one_form(text in any_text()) {
        if let Ok(address) = text.parse::<EmailAddress>() {
            let again = parse(address.as_str());
            prop_assert_eq!(again.as_str(), address.as_str());
            prop_assert_eq!(again.comparison_form(), address.comparison_form());
            let compared = parse(address.comparison_form());
            prop_assert_eq!(&compared, &address);
            prop_assert_eq!(compared.as_str(), address.comparison_form());
            prop_assert!(address.as_str().len() <= BYTES_MAX);
            prop_assert_eq!(address.as_str().matches('@').count(), 1);
            prop_assert!(!address.as_str().chars().any(|c| c.is_whitespace() || c.is_control()));
            let (_, domain) = address.as_str().split_once('@').unwrap();
            prop_assert!(domain.is_ascii() && !domain.bytes().any(|byte| byte.is_ascii_uppercase()));
        }
    }

    #[test]
    fn json_gives_back_what_it_was_given(address in any_address()) {
        let address = parse(&address);
        let json = serde_json::to_string(&address).unwrap();
        let back: EmailAddress = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(back.as_str(), address.as_str());
        prop_assert_eq!(back, address);
    }

    #[test]
    fn in_capitals_and_in_small_letters_it_is_the_same(address in any_address()) {
        let typed = parse(&address);
        for other in [address.to_ascii_uppercase(), address.to_ascii_lowercase()] {
            let other = parse(&other);
            prop_assert_eq!(&other, &typed);
            prop_assert_eq!(hash(&other), hash(&typed));
            prop_assert_eq!(other.cmp(&typed), Ordering::Equal);
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any_address(),
        "\\PC{1,20}@\\PC{1,20}",
        "[a-zA-ZéÉßıİΣςа-я.+@-]{1,12}@[a-zA-ZéßА-Я例ｅ。.-]{1,12}\\.(com|рф|jp)",
        ".{0,40}",
    ]
}

fn any_address() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9éÉüñжЖ_+-]{1,10}(\\.[a-zA-Z0-9]{1,8}){0,2}@[a-zA-Z][a-zA-Z0-9]{0,9}(\\.[a-zA-Z]{2,6}){1,2}"
}

fn parse(text: &str) -> EmailAddress {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is an address"))
}

fn hash(address: &EmailAddress) -> u64 {
    let mut hasher = DefaultHasher::new();
    address.hash(&mut hasher);
    hasher.finish()
}
