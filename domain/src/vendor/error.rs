//! Why a vendor says no.

use super::VendorStatus;
use crate::{InvitationId, TeamError};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorError {
    #[error("there is no such vendor")]
    NotRegistered,
    #[error("the vendor is registered already")]
    AlreadyRegistered,
    #[error("the vendor is {status}")]
    WrongStatus { status: VendorStatus },
    #[error("there is an invitation to this e-mail already")]
    AlreadyInvited { invitation_id: InvitationId },
    #[error("there is no such invitation")]
    UnknownInvitation,
    #[error("the invitation was accepted already")]
    InvitationAccepted,
    #[error("the invitation has expired")]
    InvitationExpired,
    #[error(transparent)]
    Team(#[from] TeamError),
}
