//! Paying an order once more or another way, and what people of the store do with a payment that a
//! provider carries.

use actix_web::web::Data;
use soko_commands::handlers::{
    AttemptPayment, AttemptPaymentError, AttemptedPayment, CompleteRefund, CompleteRefundError,
    TakePayment, TakePaymentError, attempt_payment, complete_refund, take_payment,
};
use soko_commands::payments::{Cause, Next, StepError};
use soko_domain::payment::{
    PaymentCommand, PaymentProvider, PaymentStatus, ReferenceSource, Wallet,
};
use soko_domain::{
    EmailAddress, Money, Order, OrderId, Payment, PaymentId, PhoneNumber, RefundId, Text,
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Permit};
use crate::command::{Command, NoBody};
use crate::problem::{Code, Problem, Result};
use crate::query::Path;
use crate::recorded::{New, Recorded};
use crate::resources::order_details::NextAction;
use crate::resources::orders::{is_customer, place_of};
use crate::resources::payers::{Paying, email_of};
use crate::resources::payment_with_order;
use crate::schema::{answer, body};

body! {
    pub(crate) struct NewPayment {
        pub order_id: OrderId,
        pub provider: PaymentProvider,
        /// Whom a provider of mobile money asks.
        pub phone: Option<PhoneNumber>,
        /// Of a guest, if the provider needs one; an account has one.
        pub email: Option<EmailAddress>,
        /// Where a provider's page leads back to.
        pub return_url: Option<Text<500>>,
        /// Which wallet is prompted, where the provider serves several; its page if left out.
        pub wallet: Option<Wallet>,
        /// The payer only agrees now, and the store takes the money later.
        pub capture_later: Option<bool>,
    }

    pub(crate) struct CaptureOf {
        /// All that was agreed to if left out.
        pub amount: Option<Money>,
    }

    pub(crate) struct PayersCode {
        /// As the wallet sent it to the payer.
        pub code: Text<20>,
    }

    /// Either money that came, or that none did.
    pub(crate) struct Settlement {
        pub amount: Option<Money>,
        /// The provider's own; needed with an amount.
        pub reference: Option<Text<200>>,
        /// What the same money has gone by until now, if a callback called it wrongly.
        pub instead_of: Option<Text<200>>,
        /// Why it is known, such as the statement that shows it.
        pub reason: Text<100>,
    }

    /// Either that it was sent, or that it was not.
    pub(crate) struct RefundSettlement {
        /// The provider's own, of what it sent; nothing was sent if left out.
        pub reference: Option<Text<200>>,
        /// Why it is known, such as the statement that shows it.
        pub reason: Text<100>,
    }
}

answer! {
    pub(crate) struct PaymentStarted {
        pub payment_id: PaymentId,
        pub order_id: OrderId,
        pub provider: PaymentProvider,
        pub status: PaymentStatus,
        /// What is asked for.
        pub amount: Money,
        pub next_action: NextAction,
    }

    pub(crate) struct PaymentNow {
        pub payment_id: PaymentId,
        pub status: PaymentStatus,
    }
}

pub(crate) async fn start(
    app: Data<App>,
    caller: Caller,
    command: Command<NewPayment>,
) -> Result<New<PaymentStarted>> {
    let order_id = command.body.order_id;
    let order = app.engine().read::<Order>(order_id).await?;
    let progress = order.state.progress().map_err(|_| nothing())?;
    let permit = caller.permit(place_of(&caller, progress)).await?;
    let is_payer = is_customer(&caller, &progress.placement().customer);
    let (currency, account_id) = (progress.placement().currency, caller.account_id());
    // Given back before the command needs it.
    drop(order);
    let context = permit.context(&command);
    let asked = command.body;
    let email = match asked.email {
        Some(email) => Some(email),
        None => email_of(&app, account_id).await?,
    };
    let paying = Paying {
        provider: asked.provider,
        phone: asked.phone,
        email,
        return_url: asked.return_url,
        wallet: asked.wallet,
        capture_later: asked.capture_later.unwrap_or(false),
    };
    let request = AttemptPayment {
        payment_id: PaymentId::from_uuid(Uuid::now_v7()),
        order_id,
        provider: asked.provider,
        ask: paying.ask(&app, currency, context.now, "")?,
    };
    let payment_id = request.payment_id;
    let attempted = attempt_payment(app.engine(), request, &context).await;
    if let (Ok(attempted), false) = (&attempted, context.dry_run) {
        app.payments()
            .begin(attempted.value.payment_id, attempted.replayed, &context)
            .await;
    }
    let recorded: New<AttemptedPayment> = app
        .recorded_of::<Payment, _, _, _>(payment_id, attempted, &context)
        .await?;
    let recorded = recorded.up_to(*app.head().borrow());
    let (status, next_action) = standing(&app, recorded.body().payment_id, is_payer).await?;
    Ok(recorded
        .map(|attempted| PaymentStarted {
            payment_id: attempted.payment_id,
            order_id: attempted.order_id,
            provider: attempted.provider,
            status,
            amount: attempted.amount,
            next_action,
        })
        .at(|started| format!("/payments/{}", started.payment_id)))
}

/// How a payment stands, and what its payer has to do.
pub(crate) async fn standing(
    app: &App,
    payment_id: PaymentId,
    is_payer: bool,
) -> Result<(PaymentStatus, NextAction)> {
    let payment = app.engine().read::<Payment>(payment_id).await?;
    Ok(match payment.state.demand() {
        Ok(demand) => {
            let next = NextAction::of(demand.next_action(), is_payer);
            (demand.status(), next)
        }
        // Only tried.
        Err(_) => (PaymentStatus::Initiated, NextAction::none()),
    })
}

/// Takes what a payer agreed to.
pub(crate) async fn capture(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<CaptureOf>,
) -> Result<Recorded<PaymentNow>> {
    let (permit, amount) = permit(&app, &caller, *payment_id).await?;
    let context = permit.context(&command);
    refuse_dry_run(context.dry_run)?;
    let amount = command.body.amount.unwrap_or(amount);
    if amount.amount() <= 0 {
        return Err(Problem::invalid_at("/amount", "must be more than nothing"));
    }
    let cause = Cause::from(&context);
    let taken = app
        .payments()
        .teller
        .capture(*payment_id, amount, &cause)
        .await;
    after_step(&app, *payment_id, taken).await
}

/// Ends a payment that nobody has paid.
pub(crate) async fn void(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<NoBody>,
) -> Result<Recorded<PaymentNow>> {
    let (permit, _) = permit(&app, &caller, *payment_id).await?;
    let context = permit.context(&command);
    let cancel = PaymentCommand::Cancel { reason: CALLED_OFF };
    // The provider is told by the process manager that follows the payment.
    let done = app
        .engine()
        .execute::<Payment>(*payment_id, cancel, &context)
        .await;
    let recorded: Recorded<()> = app
        .recorded_of::<Payment, _, _, _>(*payment_id, done, &context)
        .await?;
    now(&app, *payment_id, recorded).await
}

const CALLED_OFF: Text<500> = Text::literal("the store called the payment off");

/// The code that the payer's wallet has sent them.
pub(crate) async fn enter_code(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<PayersCode>,
) -> Result<Recorded<PaymentNow>> {
    let (permit, _) = permit(&app, &caller, *payment_id).await?;
    let context = permit.context(&command);
    refuse_dry_run(context.dry_run)?;
    let cause = Cause::from(&context);
    let code = command.body.code.as_str().into();
    let taken = app
        .payments()
        .teller
        .submit_code(*payment_id, &code, &cause)
        .await;
    after_step(&app, *payment_id, taken).await
}

async fn after_step(
    app: &App,
    payment_id: PaymentId,
    step: std::result::Result<Next, StepError>,
) -> Result<Recorded<PaymentNow>> {
    match step {
        Ok(_) => (),
        Err(StepError::Teller(error)) => return Err(error.into()),
        Err(error @ (StepError::NoSuchStep | StepError::NotWaiting | StepError::Refused(_))) => {
            return Err(Problem::new(Code::StateConflict).with_detail(error));
        }
        Err(error @ (StepError::NotNow | StepError::Unknown)) => {
            return Err(Problem::new(Code::Unavailable).with_detail(error));
        }
    }
    let (status, _) = standing(app, payment_id, false).await?;
    let head = soko_event_log::LogReader::new(app.pool().clone())
        .head()
        .await?;
    Ok(Recorded::without_position(PaymentNow { payment_id, status }).at_position(head))
}

/// What a person knows of a payment of which nobody else can tell.
pub(crate) async fn settle(
    app: Data<App>,
    caller: Caller,
    payment_id: Path<PaymentId>,
    command: Command<Settlement>,
) -> Result<Recorded<PaymentNow>> {
    let (permit, _) = permit(&app, &caller, *payment_id).await?;
    let context = permit.context(&command);
    let payment_id = *payment_id;
    let recorded: Recorded<()> = match (command.body.amount, command.body.reference) {
        (Some(amount), Some(reference)) => {
            let request = TakePayment {
                payment_id,
                amount,
                reference,
                fee: None,
                source: ReferenceSource::Person {
                    instead_of: command.body.instead_of,
                },
            };
            let taken = take_payment(app.engine(), request, &context).await;
            let taken: Recorded<_> = app
                .recorded_of::<Payment, _, _, _>(payment_id, taken, &context)
                .await?;
            taken.map(|_| ())
        }
        (None, None) => {
            let fail = PaymentCommand::Fail {
                reason: command.body.reason,
                words: None,
            };
            let failed = app
                .engine()
                .execute::<Payment>(payment_id, fail, &context)
                .await;
            app.recorded_of::<Payment, _, _, _>(payment_id, failed, &context)
                .await?
        }
        (Some(_), None) => {
            return Err(Problem::invalid_at(
                "/reference",
                "is needed with an amount",
            ));
        }
        (None, Some(_)) => {
            return Err(Problem::invalid_at("/amount", "is needed with a reference"));
        }
    };
    now(&app, payment_id, recorded).await
}

/// What a person knows of a refund of which nobody else can tell.
pub(crate) async fn settle_refund(
    app: Data<App>,
    caller: Caller,
    path: Path<(PaymentId, RefundId)>,
    command: Command<RefundSettlement>,
) -> Result<Recorded<PaymentNow>> {
    let (payment_id, refund_id) = path.0;
    let (permit, _) = permit(&app, &caller, payment_id).await?;
    let context = permit.context(&command);
    let recorded: Recorded<()> = if let Some(reference) = command.body.reference {
        let request = CompleteRefund {
            payment_id,
            refund_id,
            reference,
        };
        let done = complete_refund(app.engine(), request, &context).await;
        app.recorded_of::<Payment, _, _, _>(payment_id, done, &context)
            .await?
    } else {
        let fail = PaymentCommand::FailRefund {
            refund_id,
            reason: command.body.reason,
            words: None,
        };
        let failed = app
            .engine()
            .execute::<Payment>(payment_id, fail, &context)
            .await;
        app.recorded_of::<Payment, _, _, _>(payment_id, failed, &context)
            .await?
    };
    now(&app, payment_id, recorded).await
}

/// Answers with where the payment stands after it.
async fn now(
    app: &App,
    payment_id: PaymentId,
    recorded: Recorded<()>,
) -> Result<Recorded<PaymentNow>> {
    let (status, _) = standing(app, payment_id, false).await?;
    Ok(recorded.map(|()| PaymentNow { payment_id, status }))
}

/// Where the payment's order lies; and what was asked for.
async fn permit(app: &App, caller: &Caller, payment_id: PaymentId) -> Result<(Permit, Money)> {
    let (place, amount) = payment_with_order::seen(app, payment_id, |demand, progress| {
        (place_of(caller, progress), demand.amount())
    })
    .await?;
    Ok((caller.permit(place).await?, amount))
}

fn nothing() -> Problem {
    Problem::new(Code::NotFound)
}

/// The provider decides: nobody can tell what would happen.
fn refuse_dry_run(is_dry_run: bool) -> Result<()> {
    if is_dry_run {
        return Err(Problem::new(Code::StateConflict)
            .with_detail("what a provider would answer cannot be tried"));
    }
    Ok(())
}

impl From<AttemptPaymentError> for Problem {
    fn from(error: AttemptPaymentError) -> Self {
        match error {
            AttemptPaymentError::Order(error) => error.into(),
            AttemptPaymentError::Store(error) => error.into(),
            AttemptPaymentError::Payment(error) => error.into(),
            AttemptPaymentError::ProviderNotOffered { .. }
            | AttemptPaymentError::ProviderNotCarried { .. } => {
                Self::invalid_at("/provider", error)
            }
            AttemptPaymentError::NothingDue => Self::new(Code::StateConflict).with_detail(error),
        }
    }
}

impl From<CompleteRefundError> for Problem {
    fn from(error: CompleteRefundError) -> Self {
        match error {
            CompleteRefundError::Payment(error) => error.into(),
            CompleteRefundError::Order(error) => error.into(),
        }
    }
}

impl From<TakePaymentError> for Problem {
    fn from(error: TakePaymentError) -> Self {
        match error {
            TakePaymentError::Payment(error) => error.into(),
            TakePaymentError::Order(error) => error.into(),
        }
    }
}
