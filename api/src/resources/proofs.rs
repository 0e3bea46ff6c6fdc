//! Showing that an e-mail or a phone reaches who says so.

use actix_web::web::Data;
use soko_domain::account::{Account, AccountCommand};
use soko_domain::{EmailAddress, Personal};

use super::passwords::in_person;
use crate::app::App;
use crate::body::Body;
use crate::caller::Caller;
use crate::command::NoBody;
use crate::executing::unless_refused;
use crate::found::{Accepted, NoContent};
use crate::messages::Notice;
use crate::problem::{Code, Problem, Result};
use crate::proofs::{Proofs, Purpose};
use crate::schema::body;
use crate::secret::Secret;

body! {
    pub(crate) struct VerifyEmail {
        /// What the link in the e-mail carries.
        pub token: Secret,
    }

    pub(crate) struct SendVerification {
        pub email: EmailAddress,
    }

    pub(crate) struct VerifyPhone {
        /// The six digits of the text message.
        pub code: Secret,
    }
}

pub(crate) async fn verify_email(
    app: Data<App>,
    caller: Caller,
    verify: Body<VerifyEmail>,
) -> Result<NoContent> {
    let (token, purpose, now) = (verify.0.token, Purpose::VerifyEmail, caller.now());
    let account_id = app.proofs().account_of(purpose, &token, now).await?;
    let account_id = account_id.ok_or_else(|| not_good("/token"))?;
    let verify = AccountCommand::VerifyEmail;
    let context = in_person(account_id, now);
    unless_refused(
        app.engine()
            .execute::<Account>(account_id, verify, &context)
            .await,
    )?;
    // Last, so that whoever is cut off before can follow the link again.
    let mut connection = app.pool().acquire().await?;
    Proofs::spend(&mut connection, purpose, &token, now).await?;
    Ok(NoContent)
}

/// Whoever asks is told the same, whether or not the e-mail has an account.
pub(crate) async fn send_email(
    app: Data<App>,
    caller: Caller,
    send: Body<SendVerification>,
) -> Result<Accepted> {
    let email = send.0.email;
    let verify = Notice::VerifyEmail {
        email: email.clone(),
    };
    app.write_to_whoever_has(&email, &verify, &caller).await?;
    Ok(Accepted)
}

/// Sends a code to the phone of the account.
pub(crate) async fn send_phone(
    app: Data<App>,
    caller: Caller,
    _nothing: Body<NoBody>,
) -> Result<Accepted> {
    let account_id = caller.bearer()?.account_id;
    let account = app.engine().read::<Account>(account_id).await?;
    let profile = account.state.profile()?;
    let Some(phone) = profile.phone().and_then(Personal::value) else {
        return Err(refused("the account has no phone number"));
    };
    if profile.phone_is_verified() {
        return Err(refused("the phone number is verified already"));
    }
    app.login_throttle()
        .at_phone(account_id, phone)
        .count(app.pool(), caller.now())
        .await?;
    app.messages()
        .post(&Notice::VerifyPhone { account_id }, caller.now())
        .await?;
    Ok(Accepted)
}

pub(crate) async fn verify_phone(
    app: Data<App>,
    caller: Caller,
    verify: Body<VerifyPhone>,
) -> Result<NoContent> {
    let account_id = caller.bearer()?.account_id;
    let account = app.engine().read::<Account>(account_id).await?;
    let Some(phone) = account.state.profile()?.phone().cloned() else {
        return Err(refused("the account has no phone number"));
    };
    let number = phone.value().ok_or_else(|| not_good("/code"))?;
    let is_good = app
        .proofs()
        .spend_code(account_id, number, &verify.0.code, caller.now())
        .await?;
    if !is_good {
        return Err(not_good("/code"));
    }
    let verify = AccountCommand::VerifyPhone { phone };
    let context = in_person(account_id, caller.now());
    app.engine()
        .execute::<Account>(account_id, verify, &context)
        .await?;
    Ok(NoContent)
}

impl App {
    /// Takes as long whether or not anybody has that e-mail: it is looked up later.
    ///
    /// # Errors
    /// `rate-limited` if too many were sent to the mailbox, or asked for from the network.
    pub(super) async fn write_to_whoever_has(
        &self,
        email: &EmailAddress,
        notice: &Notice,
        caller: &Caller,
    ) -> Result<()> {
        let network = caller.client().network();
        let attempt = self.login_throttle().at_mailbox_from(email, network);
        attempt.count(self.pool(), caller.now()).await?;
        self.messages().post(notice, caller.now()).await
    }
}

/// The same for one that was used, is too old, or never was.
fn not_good(pointer: &str) -> Problem {
    Problem::invalid_at(pointer, "is not good, or not any more")
}

fn refused(why: &str) -> Problem {
    Problem::new(Code::StateConflict).with_detail(why)
}
