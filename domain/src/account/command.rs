//! What may be asked of an account.

use super::PlatformRole;
use crate::{Address, AddressId, EmailAddress, Personal, PhoneNumber, Text};

/// What is personal is given under the account's own subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    Register {
        name: Personal<Text<120>>,
        email: Personal<EmailAddress>,
        phone: Option<Personal<PhoneNumber>>,
    },
    ChangeProfile {
        name: Personal<Text<120>>,
        phone: Option<Personal<PhoneNumber>>,
    },
    /// The token sent to the address came back; the caller has checked it.
    VerifyEmail,
    /// The code sent to the number came back; the caller has checked it.
    VerifyPhone {
        phone: Personal<PhoneNumber>,
    },
    /// The new password is kept elsewhere; this puts the change on the record.
    ChangePassword,
    /// Its secret is kept elsewhere, and so are the codes for when it is lost.
    AddSecondFactor,
    RemoveSecondFactor,
    AddAddress {
        address_id: AddressId,
        address: Personal<Address>,
    },
    RemoveAddress {
        address_id: AddressId,
    },
    GrantPlatformRole {
        role: PlatformRole,
    },
    RevokePlatformRole {
        role: PlatformRole,
    },
    Erase,
}
