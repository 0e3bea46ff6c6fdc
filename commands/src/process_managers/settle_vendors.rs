//! What orders tell of whose their money is, the accounts of the vendors hear.

use super::{Desk, Effect, FireError, Fired, ProcessManager};
use crate::error::CommandError;
use crate::handlers::{CreditVendors, DebitVendors, credit_vendors, debit_vendors};
use crate::timers::Timer;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use soko_domain::order::{OrderEvent, Shares};
use soko_domain::{AnyEvent, OrderId, RefundId};
use soko_event_log::{ClaimKind, RecordedEvent};

const CREDIT: &str = "credit";
const DEBIT: &str = "debit";

/// Credits vendors for what was paid, and debits them for what went back, each once: the order, or
/// the refund, is claimed with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettleVendors;

/// What a timer remembers of an order that was paid.
#[derive(Debug, Serialize, Deserialize)]
struct Paid {
    shares: Option<Shares>,
    paid_at: DateTime<Utc>,
}

/// What a timer remembers of money that went back.
#[derive(Debug, Serialize, Deserialize)]
struct Refunded {
    refund_id: RefundId,
    amount: i64,
    shares: Option<Shares>,
}

#[async_trait]
impl ProcessManager for SettleVendors {
    const NAME: &'static str = "settle_vendors";
    const STREAMS: &'static [&'static str] = &["order"];

    fn react(&self, recorded: &RecordedEvent) -> Vec<Effect> {
        let AnyEvent::Order(order_id, event) = &recorded.event else {
            return vec![];
        };
        let order_id = order_id.as_uuid();
        match event {
            OrderEvent::Paid { shares, .. } => {
                let paid = json!(Paid {
                    shares: shares.clone(),
                    paid_at: recorded.recorded_at,
                });
                vec![Effect::at_once(CREDIT, order_id).with_details(paid)]
            }
            OrderEvent::Refunded {
                refund_id,
                amount,
                shares,
                ..
            } => {
                let refunded = json!(Refunded {
                    refund_id: *refund_id,
                    amount: *amount,
                    shares: shares.clone(),
                });
                vec![Effect::at_once(DEBIT, order_id).with_details(refunded)]
            }
            OrderEvent::Placed(_)
            | OrderEvent::PaymentAttempted { .. }
            | OrderEvent::PartlyPaid { .. }
            | OrderEvent::Packed { .. }
            | OrderEvent::Shipped { .. }
            | OrderEvent::Delivered { .. }
            | OrderEvent::Completed {}
            | OrderEvent::Cancelled { .. }
            | OrderEvent::Expired { .. } => vec![],
        }
    }

    async fn fire(&self, timer: &Timer, desk: &Desk) -> Result<Fired, FireError> {
        let order_id = OrderId::from_uuid(timer.stream_id);
        let context = desk.context(timer, 0);
        let settled = if timer.kind == CREDIT {
            let Paid { shares, paid_at } = timer.details()?;
            let request = CreditVendors {
                order_id,
                shares,
                paid_at,
            };
            credit_vendors(&desk.engine, request, &context).await
        } else {
            let Refunded {
                refund_id,
                amount,
                shares,
            } = timer.details()?;
            let request = DebitVendors {
                order_id,
                refund_id,
                amount,
                shares,
            };
            debit_vendors(&desk.engine, request, &context).await
        };
        match settled {
            // What is claimed was done before, perhaps by a manager that had started over.
            Ok(_)
            | Err(CommandError::ClaimTaken {
                kind: ClaimKind::Settlement,
                ..
            }) => Ok(Fired::Done),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use soko_domain::{Currency, PaymentId, TenantId};
    use soko_event_log::{Actor, Metadata, Position};
    use uuid::Uuid;

    #[test]
    fn a_paid_order_and_a_refund_are_settled_at_once() {
        let order_id = Uuid::from_u128(50);
        let shares = Some(Shares {
            store_id: Uuid::from_u128(10).into(),
            currency: Currency::Kes,
            shipping: 0,
            vendors: vec![],
        });
        let payment_id = PaymentId::from_uuid(Uuid::from_u128(40));
        let paid = OrderEvent::Paid {
            payment_id,
            amount: 100,
            shares: shares.clone(),
        };
        let remembered = json!({ "shares": shares, "paid_at": at() });
        assert_eq!(
            SettleVendors.react(&recorded(order_id, paid)),
            [Effect::at_once("credit", order_id).with_details(remembered)]
        );
        let refund_id = RefundId::from_uuid(Uuid::from_u128(41));
        let refunded = OrderEvent::Refunded {
            payment_id,
            refund_id,
            amount: 30,
            kept: 70,
            shares: None,
        };
        let remembered = json!({ "refund_id": refund_id, "amount": 30, "shares": null });
        assert_eq!(
            SettleVendors.react(&recorded(order_id, refunded)),
            [Effect::at_once("debit", order_id).with_details(remembered)]
        );
    }

    #[test]
    fn nothing_else_of_an_order_moves_money() {
        let completed = recorded(Uuid::from_u128(50), OrderEvent::Completed {});
        assert_eq!(SettleVendors.react(&completed), []);
    }

    fn at() -> DateTime<Utc> {
        "2026-03-01T10:00:00Z".parse().unwrap()
    }

    fn recorded(order_id: Uuid, event: OrderEvent) -> RecordedEvent {
        RecordedEvent {
            position: Position::new(100),
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            sequence: 2,
            event: AnyEvent::Order(order_id.into(), event),
            metadata: Metadata {
                actor: Actor::Guest,
                api_key: None,
                correlation: Uuid::from_u128(1),
                causation: None,
                command_id: Uuid::from_u128(2),
                request_id: None,
            },
            recorded_at: at(),
        }
    }
}
