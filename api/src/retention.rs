//! What is about people is kept for as long as it may be needed, and no longer.

use chrono::{DateTime, Duration, Utc};
use soko_commands::CommandContext;
use soko_commands::handlers::{forget_guest, withdraw_invitation};
use soko_domain::TenantId;
use soko_event_log::Actor;
use soko_projections::read_models::invitations::long_expired;
use soko_projections::read_models::orders::guests_to_forget;
use uuid::Uuid;

use crate::app::App;
use crate::executing::unless_refused;
use crate::problem::Result;

/// How long the address is kept that an invitation went to, once nobody can accept it any more.
const KEEP_EXPIRED_INVITATIONS: Duration = Duration::days(30);

/// How many are forgotten before the next are looked for.
const AT_ONCE: i64 = 100;

/// Forgets whom nobody has to know any more. It may run on several nodes at once: who is refused
/// finds that another was faster, or that a vendor takes no changes any more.
///
/// # Errors
/// The database or the log; what is left is forgotten the next time.
pub async fn forget(app: &App, now: DateTime<Utc>) -> Result<()> {
    let days = i64::from(app.config().keep_guests_days.get());
    let guests = forget_guests(app, now - Duration::days(days), now).await?;
    let invitations = forget_invitations(app, now - KEEP_EXPIRED_INVITATIONS, now).await?;
    let days = i64::from(app.config().keep_callbacks_days.get());
    let inbox = app.payments().callbacks.inbox();
    while inbox.forget_before(now - Duration::days(days)).await? > 0 {}
    if guests + invitations > 0 {
        tracing::info!(
            guests,
            invitations,
            "people whom nobody has to know are forgotten"
        );
    }
    Ok(())
}

async fn forget_guests(app: &App, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<usize> {
    let mut forgotten = 0;
    let mut after = None;
    loop {
        let guests = guests_to_forget(app.pool(), before, after, AT_ONCE).await?;
        for (tenant_id, order_id) in &guests {
            unless_refused(forget_guest(app.engine(), *order_id, &context(*tenant_id, now)).await)?;
        }
        forgotten += guests.len();
        match guests.last() {
            Some((_, last)) => after = Some(*last),
            None => return Ok(forgotten),
        }
    }
}

async fn forget_invitations(app: &App, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<usize> {
    let mut forgotten = 0;
    let mut after = None;
    loop {
        let expired = long_expired(app.reader(), before, after, AT_ONCE).await?;
        for invitation in &expired {
            let context = context(invitation.tenant_id, now);
            let (vendor_id, id) = (invitation.vendor_id, invitation.invitation_id);
            unless_refused(withdraw_invitation(app.engine(), vendor_id, id, &context).await)?;
        }
        forgotten += expired.len();
        match expired.last() {
            Some(last) => after = Some(last.invitation_id),
            None => return Ok(forgotten),
        }
    }
}

fn context(tenant_id: TenantId, now: DateTime<Utc>) -> CommandContext {
    let actor = Actor::System("retention".to_owned());
    CommandContext::new(tenant_id, actor, Uuid::now_v7(), now)
}
