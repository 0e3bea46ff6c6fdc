//! What clients ask, and how it is decided.

use crate::world::{receive, reserve};
use proptest::collection::vec;
use proptest::prelude::*;
use soko_commands::{Lanes, UnitOfWork};
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::{Decide, OrderId, Stock, VariantId};
use soko_event_log::{Claim, ClaimKind};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    pub(super) act: Act,
    /// Requests with the same key are the same request.
    pub(super) key: Option<u8>,
}

/// Variants, orders and coupons are counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    Receive(usize, u32),
    /// Several variants for one order, which may use a coupon.
    Reserve(u8, Vec<(usize, u32)>, Option<u8>),
    Release(u8, usize),
    Commit(u8, usize),
    /// Receives one of the second variant if there is at least as much of the first.
    KeepUp(usize, usize),
    /// Only looks, and refuses if there is less than this.
    Expect(usize, u32),
}

pub(super) fn programs(
    clients: usize,
    requests_max: usize,
    variants: usize,
) -> impl Strategy<Value = Vec<Vec<Request>>> {
    vec(vec(request(variants), 1..=requests_max), clients).prop_map(one_act_per_key)
}

/// The first request with a key is what the key stands for.
fn one_act_per_key(mut programs: Vec<Vec<Request>>) -> Vec<Vec<Request>> {
    let mut acts = HashMap::new();
    for request in programs.iter_mut().flatten() {
        if let Some(key) = request.key {
            let act = acts.entry(key).or_insert_with(|| request.act.clone());
            request.act = act.clone();
        }
    }
    programs
}

fn request(variants: usize) -> impl Strategy<Value = Request> {
    let variant = 0..variants;
    let order = 0..12_u8;
    let lines = vec((variant.clone(), 1..4_u32), 1..=variants);
    let act = prop_oneof![
        2 => (variant.clone(), 1..4_u32).prop_map(|(v, n)| Act::Receive(v, n)),
        6 => (order.clone(), lines, proptest::option::weighted(0.2, 0..4_u8))
            .prop_map(|(order, lines, coupon)| Act::Reserve(order, lines, coupon)),
        2 => (order.clone(), variant.clone()).prop_map(|(o, v)| Act::Release(o, v)),
        1 => (order, variant.clone()).prop_map(|(o, v)| Act::Commit(o, v)),
        2 => (variant.clone(), variant.clone()).prop_map(|(a, b)| Act::KeepUp(a, b)),
        1 => (variant, 0..8_u32).prop_map(|(v, n)| Act::Expect(v, n)),
    ];
    (act, proptest::option::weighted(0.4, 0..6_u8)).prop_map(|(act, key)| Request { act, key })
}

impl Act {
    pub(super) fn lanes(&self, variants: &[VariantId]) -> Lanes {
        let touched: Vec<usize> = match self {
            Self::Reserve(_, lines, _) => lines.iter().map(|(variant, _)| *variant).collect(),
            Self::Receive(variant, _)
            | Self::Release(_, variant)
            | Self::Commit(_, variant)
            | Self::Expect(variant, _) => vec![*variant],
            // The second is left for the engine to find.
            Self::KeepUp(first, _) => vec![*first],
        };
        Lanes::new().with_all::<Stock>(touched.into_iter().map(|variant| variants[variant]))
    }

    pub(super) fn decide(
        &self,
        variants: &[VariantId],
        unit: &mut UnitOfWork<'_>,
    ) -> Result<i64, StockError> {
        if let Some(coupon) = self.coupon() {
            unit.claim(Claim {
                kind: ClaimKind::CouponUse,
                value: coupon.to_string(),
                owner: None,
                digest: None,
                outcome: None,
            });
        }
        let mut states = |variant: usize| unit.state::<Stock>(variants[variant]).clone();
        for (variant, command) in self.commands(&mut states)? {
            unit.execute::<Stock>(variants[variant], command)?;
        }
        Ok(unit.state::<Stock>(variants[0]).levels()?.available())
    }

    /// The same rule for the engine and for the clerk.
    pub(super) fn commands(
        &self,
        state: &mut dyn FnMut(usize) -> Stock,
    ) -> Result<Vec<(usize, StockCommand)>, StockError> {
        Ok(match self {
            Self::Receive(variant, quantity) => vec![(*variant, receive(*quantity))],
            Self::Reserve(order, lines, _) => lines
                .iter()
                .map(|(variant, quantity)| (*variant, reserve(order_id(*order), *quantity)))
                .collect(),
            Self::Release(order, variant) => {
                let order_id = order_id(*order);
                vec![(*variant, StockCommand::Release { order_id })]
            }
            Self::Commit(order, variant) => {
                let order_id = order_id(*order);
                vec![(*variant, StockCommand::Commit { order_id })]
            }
            Self::KeepUp(first, second) => {
                let is_behind = available(&state(*first))? >= available(&state(*second))?;
                if is_behind {
                    vec![(*second, receive(1))]
                } else {
                    vec![]
                }
            }
            Self::Expect(variant, quantity) => {
                let available = available(&state(*variant))?;
                if available < i64::from(*quantity) {
                    return Err(StockError::BelowReserved {
                        reserved: *quantity,
                        on_hand: available,
                    });
                }
                vec![]
            }
        })
    }

    pub(super) fn coupon(&self) -> Option<u8> {
        match self {
            Self::Reserve(_, _, coupon) => *coupon,
            _ => None,
        }
    }

    /// Decides on states of one's own, and applies it to them.
    pub(super) fn decide_alone(&self, states: &mut [Stock]) -> Result<i64, StockError> {
        use cqrs_es::Aggregate;
        let before = states.to_vec();
        let mut act = || {
            for (variant, command) in self.commands(&mut |variant| before[variant].clone())? {
                for event in states[variant].decide(command)? {
                    states[variant].apply(event);
                }
            }
            available(&states[0])
        };
        let answer = act();
        if answer.is_err() {
            states.clone_from_slice(&before);
        }
        answer
    }
}

fn available(stock: &Stock) -> Result<i64, StockError> {
    Ok(stock.levels()?.available())
}

fn order_id(order: u8) -> OrderId {
    Uuid::from_u128(0x0a_0000 + u128::from(order)).into()
}
