//! Given, when, then.

use super::*;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

const ANNA: VendorId = VendorId::from_uuid(Uuid::from_u128(11));
const BILL: VendorId = VendorId::from_uuid(Uuid::from_u128(12));
const JUNE: &str = "2026-06-01T00:00:00Z";
const JULY: &str = "2026-07-01T00:00:00Z";

#[test]
fn a_promotion_is_created_once_for_each_code() {
    TestFramework::<Promotion>::with(())
        .given_no_previous_events()
        .when(create(Funder::Store, None, terms()))
        .then_expect_events(vec![created(terms())]);
    given([])
        .when(create(Funder::Store, None, terms()))
        .then_expect_error(PromotionError::CodeTaken { code: code() });
}

#[test]
fn a_vendor_pays_for_its_own_goods_only() {
    TestFramework::<Promotion>::with(())
        .given_no_previous_events()
        .when(create(Funder::Vendor, None, terms()))
        .then_expect_error(PromotionError::NobodyToFund);
}

#[test]
fn terms_that_cannot_be_kept_are_refused() {
    let percentage = |bps: u32, at_most| Discount::Percentage {
        bps: bps.try_into().unwrap(),
        at_most,
    };
    let discount = |discount| Terms {
        discount,
        ..terms()
    };
    let out_of = |what, max| PromotionError::OutOfRange { what, max };
    let most = Terms::AMOUNT_MAX;
    let fixed = |amount| discount(Discount::Fixed { amount });
    for (bad, error) in [
        (
            discount(percentage(0, None)),
            out_of(Limited::Percentage, 10_000),
        ),
        (
            discount(percentage(1, Some(0))),
            out_of(Limited::AtMost, most),
        ),
        (fixed(0), out_of(Limited::Amount, most)),
        (fixed(most + 1), out_of(Limited::Amount, most)),
        (
            Terms {
                minimum: -1,
                ..terms()
            },
            out_of(Limited::Minimum, most),
        ),
        (
            Terms {
                uses_max: Some(0),
                ..terms()
            },
            out_of(Limited::Uses, 10_000_000),
        ),
        (
            Terms {
                uses_per_customer: Some(11),
                ..terms()
            },
            out_of(Limited::UsesOfCustomer, 10),
        ),
        (
            Terms {
                starts_at: Some(at(JULY)),
                ends_at: Some(at(JULY)),
                ..terms()
            },
            PromotionError::EndsBeforeItStarts,
        ),
    ] {
        TestFramework::<Promotion>::with(())
            .given_no_previous_events()
            .when(create(Funder::Store, None, bad.clone()))
            .then_expect_error(error.clone());
        given([])
            .when(PromotionCommand::ChangeTerms { terms: bad })
            .then_expect_error(error);
    }
}

#[test]
fn it_is_given_as_often_as_it_may_be() {
    given([redeemed(1)])
        .when(redeem(2, JUNE))
        .then_expect_events(vec![redeemed(2)]);
    given([redeemed(1), redeemed(2)])
        .when(redeem(3, JUNE))
        .then_expect_error(PromotionError::Exhausted);
}

#[test]
fn what_an_order_gives_back_another_may_have() {
    given([redeemed(1), redeemed(2)])
        .when(release(1))
        .then_expect_events(vec![released(1)]);
    given([redeemed(1), redeemed(2), released(1)])
        .when(redeem(3, JUNE))
        .then_expect_events(vec![redeemed(3)]);
    given([]).when(release(1)).then_expect_events(vec![]);
}

#[test]
fn it_is_given_from_its_first_moment_to_before_its_last() {
    let window = Terms {
        starts_at: Some(at(JUNE)),
        ends_at: Some(at(JULY)),
        ..terms()
    };
    let changed = PromotionEvent::TermsChanged { terms: window };
    for (now, expected) in [
        ("2026-05-31T23:59:59Z", Err(PromotionError::NotStarted)),
        (JUNE, Ok(vec![redeemed(1)])),
        ("2026-06-30T23:59:59Z", Ok(vec![redeemed(1)])),
        (JULY, Err(PromotionError::Ended)),
    ] {
        let result = given([changed.clone()])
            .when(redeem(1, now))
            .inspect_result();
        assert_eq!(result, expected, "{now}");
    }
}

#[test]
fn once_ended_it_is_over_until_new_terms_say_otherwise() {
    let ended = PromotionEvent::Ended { ended_at: at(JUNE) };
    given([])
        .when(PromotionCommand::End { now: at(JUNE) })
        .then_expect_events(vec![ended.clone()]);
    given([ended.clone()])
        .when(PromotionCommand::End { now: at(JULY) })
        .then_expect_events(vec![]);
    given([ended.clone()])
        .when(redeem(1, JULY))
        .then_expect_error(PromotionError::Ended);
    // With another name it is still over.
    let renamed = Terms {
        name: "Karibu tena".parse().unwrap(),
        ends_at: Some(at(JUNE)),
        ..terms()
    };
    let changed = PromotionEvent::TermsChanged { terms: renamed };
    given([ended.clone(), changed])
        .when(redeem(1, JULY))
        .then_expect_error(PromotionError::Ended);
    let changed = PromotionEvent::TermsChanged { terms: terms() };
    given([ended, changed])
        .when(redeem(1, JULY))
        .then_expect_events(vec![redeemed(1)]);
}

#[test]
fn one_that_was_ended_before_it_began_can_be_named_anew() {
    let july = Terms {
        starts_at: Some(at(JULY)),
        ..terms()
    };
    let history = [
        PromotionEvent::TermsChanged {
            terms: july.clone(),
        },
        PromotionEvent::Ended { ended_at: at(JUNE) },
    ];
    let renamed = Terms {
        name: "Never".parse().unwrap(),
        ends_at: Some(at(JUNE)),
        ..july
    };
    given(history)
        .when(PromotionCommand::ChangeTerms {
            terms: renamed.clone(),
        })
        .then_expect_events(vec![PromotionEvent::TermsChanged { terms: renamed }]);
}

#[test]
fn the_same_terms_again_change_nothing() {
    given([])
        .when(PromotionCommand::ChangeTerms { terms: terms() })
        .then_expect_events(vec![]);
}

#[test]
fn of_what_was_never_created_nothing_can_be_asked() {
    for command in [
        PromotionCommand::ChangeTerms { terms: terms() },
        PromotionCommand::End { now: at(JUNE) },
        redeem(1, JUNE),
        release(1),
    ] {
        TestFramework::<Promotion>::with(())
            .given_no_previous_events()
            .when(command)
            .then_expect_error(PromotionError::NotCreated);
    }
}

#[test]
fn a_percentage_is_rounded_half_up_and_capped() {
    let off = |bps: u32, at_most, goods| {
        let discount = Discount::Percentage {
            bps: bps.try_into().unwrap(),
            at_most,
        };
        discount.off(goods, Currency::Kes).unwrap()
    };
    assert_eq!(off(1_000, None, 1_000), 100);
    assert_eq!(off(1_000, None, 15), 2, "1.5");
    assert_eq!(off(1_000, Some(70), 1_000), 70);
    assert_eq!(off(10_000, None, 7), 7);
    assert_eq!(
        Discount::Fixed { amount: 50 }.off(30, Currency::Kes),
        Ok(30)
    );
}

#[test]
fn only_the_goods_that_it_is_for_are_cheaper_and_count() {
    let lines = [(ANNA, kes(1_000)), (BILL, kes(500)), (ANNA, kes(500))];
    let with = |vendor_id, minimum, discount| Campaign {
        store_id: Uuid::from_u128(10).into(),
        code: code(),
        vendor_id,
        funder: Funder::Store,
        currency: Currency::Kes,
        terms: Terms {
            discount,
            minimum,
            ..terms()
        },
        uses: 0,
        discounted: 0,
    };
    let fixed = Discount::Fixed { amount: 100 };
    let discounts = |campaign: Campaign| campaign.discounts(&lines);
    let amounts = |campaign| {
        let discounts = discounts(campaign).unwrap().into_iter();
        discounts.map(Money::amount).collect::<Vec<_>>()
    };
    assert_eq!(amounts(with(None, 2_000, fixed)), [50, 25, 25]);
    assert_eq!(amounts(with(Some(ANNA), 1_500, fixed)), [67, 0, 33]);
    let error = PromotionError::BelowMinimum {
        minimum: kes(501),
        found: kes(500),
    };
    assert_eq!(discounts(with(Some(BILL), 501, fixed)), Err(error));
    let stranger = Some(Uuid::from_u128(13).into());
    let error = PromotionError::NothingToDiscount;
    assert_eq!(discounts(with(stranger, 0, fixed)), Err(error));
}

fn given<const N: usize>(events: [PromotionEvent; N]) -> AggregateTestExecutor<Promotion> {
    let events = std::iter::once(created(terms())).chain(events).collect();
    TestFramework::with(()).given(events)
}

fn create(funder: Funder, vendor_id: Option<VendorId>, terms: Terms) -> PromotionCommand {
    PromotionCommand::Create {
        store_id: Uuid::from_u128(10).into(),
        code: code(),
        vendor_id,
        funder,
        currency: Currency::Kes,
        terms,
    }
}

fn created(terms: Terms) -> PromotionEvent {
    PromotionEvent::Created {
        store_id: Uuid::from_u128(10).into(),
        code: code(),
        vendor_id: None,
        funder: Funder::Store,
        currency: Currency::Kes,
        terms,
    }
}

fn redeem(order: u128, now: &str) -> PromotionCommand {
    PromotionCommand::Redeem {
        order_id: Uuid::from_u128(order).into(),
        account_id: Some(Uuid::from_u128(30).into()),
        discount: 100,
        now: at(now),
    }
}

fn redeemed(order: u128) -> PromotionEvent {
    PromotionEvent::Redeemed {
        order_id: Uuid::from_u128(order).into(),
        account_id: Some(Uuid::from_u128(30).into()),
        discount: 100,
    }
}

fn release(order: u128) -> PromotionCommand {
    PromotionCommand::Release {
        order_id: Uuid::from_u128(order).into(),
        discount: 100,
    }
}

fn released(order: u128) -> PromotionEvent {
    PromotionEvent::Released {
        order_id: Uuid::from_u128(order).into(),
        discount: 100,
    }
}

/// A hundred off, twice.
pub(super) fn terms() -> Terms {
    Terms {
        name: "Karibu".parse().unwrap(),
        discount: Discount::Fixed { amount: 100 },
        minimum: 0,
        starts_at: None,
        ends_at: None,
        uses_max: Some(2),
        uses_per_customer: None,
    }
}

fn code() -> CouponCode {
    "KARIBU".parse().unwrap()
}

fn kes(amount: i64) -> Money {
    Money::new(amount, Currency::Kes)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
