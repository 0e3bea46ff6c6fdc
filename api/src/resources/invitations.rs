//! Asking people into a vendor's team.

use actix_web::web::Data;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use soko_commands::handlers::withdraw_invitation;
use soko_domain::account::Account;
use soko_domain::vendor::{Vendor, VendorCommand, VendorRole};
use soko_domain::{EmailAddress, InvitationId, Personal, SubjectId, VendorId};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page, Part};
use crate::problem::{Code, Problem, Result};
use crate::query::{Path, Query};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};

/// How long somebody has to accept.
const GOOD_FOR: Duration = Duration::days(7);

body! {
    pub(crate) struct Invite {
        pub email: EmailAddress,
        pub role: VendorRole,
    }
}

answer! {
    pub(crate) struct Invited {
        pub invitation_id: InvitationId,
        /// Accepts the invitation, for whoever logs in with that e-mail. It is to be passed on.
        pub token: String,
        pub expires_at: DateTime<Utc>,
    }

    pub(crate) struct PendingInvitation {
        pub invitation_id: InvitationId,
        pub email: Option<EmailAddress>,
        pub role: VendorRole,
        pub expires_at: DateTime<Utc>,
    }

    pub(crate) struct Joined {
        pub vendor_id: VendorId,
        pub role: VendorRole,
    }
}

/// What is kept with an idempotency key: never the token, which is made of it again.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    invitation_id: InvitationId,
    expires_at: DateTime<Utc>,
}

pub(crate) async fn invite(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    command: Command<Invite>,
) -> Result<New<Invited>> {
    let context = caller
        .permit(Place::vendor(*vendor_id))
        .await?
        .context(&command);
    let invitation_id = InvitationId::from_uuid(Uuid::now_v7());
    let expires_at = context.now + GOOD_FOR;
    let Invite { email, role } = command.body;
    let invite = VendorCommand::Invite {
        invitation_id,
        email: Personal::new(SubjectId::from(invitation_id), email),
        role,
        token_hash: hash(&token(&app, *vendor_id, invitation_id)),
        expires_at,
        now: context.now,
    };
    let kept = Kept {
        invitation_id,
        expires_at,
    };
    let invited = app
        .execute_for::<Vendor, _>(*vendor_id, invite, kept, &context)
        .await;
    let recorded: New<_> = app
        .recorded_of::<Vendor, _, _, _>(*vendor_id, invited, &context)
        .await?;
    Ok(recorded.map(
        |Kept {
             invitation_id,
             expires_at,
         }| Invited {
            invitation_id,
            token: token(&app, *vendor_id, invitation_id),
            expires_at,
        },
    ))
}

pub(crate) async fn pending(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    asked: Query<Part>,
) -> Result<Found<Page<PendingInvitation>>> {
    caller.permit(Place::vendor(*vendor_id)).await?;
    let vendor = app.engine().read::<Vendor>(*vendor_id).await?;
    let pending = vendor.state.seller()?.invitations().pending(caller.now());
    let items = pending.map(|(invitation_id, invitation)| PendingInvitation {
        invitation_id,
        email: invitation.email().value().cloned(),
        role: invitation.role(),
        expires_at: invitation.expires_at(),
    });
    let list = format!("invitations of {vendor_id:?}");
    let page = Page::within(items, |pending| pending.invitation_id, &asked, &list)?;
    Ok(Found::new(page).with_version_for_changes(vendor.version))
}

pub(crate) async fn withdraw(
    app: Data<App>,
    caller: Caller,
    path: Path<(VendorId, InvitationId)>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let (vendor_id, invitation_id) = path.0;
    let context = caller
        .permit(Place::vendor(vendor_id))
        .await?
        .context(&command);
    let done = withdraw_invitation(app.engine(), vendor_id, invitation_id, &context).await;
    app.recorded_of::<Vendor, _, _, _>(vendor_id, done, &context)
        .await
}

/// Only by whom it was meant for: a token that was passed on to others opens nothing.
pub(crate) async fn accept(
    app: Data<App>,
    caller: Caller,
    token: Path<String>,
    command: Command<NoBody>,
) -> Result<Recorded<Joined>> {
    let account_id = caller.account()?;
    let nothing = || Problem::new(Code::NotFound);
    let vendor_id = vendor_of(&token).ok_or_else(nothing)?;
    let permit = caller.permit(Place::vendor(vendor_id).owned(true)).await?;
    let context = permit.context(&command);
    let token_hash = hash(&token);
    let vendor = app.engine().read::<Vendor>(vendor_id).await?;
    let invitation = vendor
        .state
        .seller()?
        .invitation_of(&token_hash)
        .ok_or_else(nothing)?;
    let account = app.engine().read::<Account>(account_id).await?;
    if invitation.email().value() != account.state.profile()?.email().value() {
        tracing::info!(vendor.id = %vendor_id, account.id = %account_id, "an invitation of somebody else");
        return Err(nothing());
    }
    let role = invitation.role();
    let accept = VendorCommand::AcceptInvitation {
        token_hash,
        account_id,
        now: context.now,
    };
    let joined = Joined { vendor_id, role };
    let done = app
        .execute_for::<Vendor, _>(vendor_id, accept, joined, &context)
        .await;
    app.standings().forget();
    app.recorded_of::<Vendor, _, _, _>(vendor_id, done, &context)
        .await
}

/// Names the vendor, so that it is found, and proves the invitation.
fn token(app: &App, vendor_id: VendorId, invitation_id: InvitationId) -> String {
    let proof = app
        .tokens()
        .keys()
        .derived("invitation", invitation_id.as_uuid());
    URL_SAFE_NO_PAD.encode([&vendor_id.as_uuid().as_bytes()[..], &proof[..]].concat())
}

fn vendor_of(token: &str) -> Option<VendorId> {
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .filter(|bytes| bytes.len() == 48)?;
    Uuid::from_slice(&bytes[..16]).ok().map(VendorId::from_uuid)
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
