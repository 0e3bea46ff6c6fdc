//! What an authenticator app computes its codes from.

use chrono::{DateTime, Utc};
use soko_domain::EmailAddress;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;

/// RFC 4226, 4: as long as the hash.
const SECRET_BYTES: usize = 20;

/// Those that every app knows.
const ALGORITHM: Algorithm = Algorithm::SHA1;
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;

/// Clocks of phones differ, and typing takes a while: a code of the step before or after is good.
const STEPS_ASIDE: u16 = 1;

/// Who shares a secret with an app.
pub(super) struct Authenticator(Zeroizing<Vec<u8>>);

/// What somebody needs to set up an app.
pub struct Offer {
    /// In base32, for who types it.
    pub secret: Secret,
    /// `otpauth://…`, for a QR code.
    pub uri: Secret,
}

impl Authenticator {
    pub(super) fn random() -> Self {
        Self(Zeroizing::new(
            rand::random::<[u8; SECRET_BYTES]>().to_vec(),
        ))
    }

    pub(super) fn of(secret: &[u8]) -> Self {
        Self(Zeroizing::new(secret.to_vec()))
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.0
    }

    /// The time step that the code is of, if it is one of about now. The comparison takes a time
    /// that tells nothing.
    pub(super) fn step_of(&self, code: &Secret, now: DateTime<Utc>) -> Option<i64> {
        let code = code.expose();
        if code.len() != usize::from(DIGITS) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = u64::try_from(now.timestamp()).ok()?;
        let step = self.totp("", "").ok()?.check(code, seconds)?;
        i64::try_from(step).ok()
    }

    pub(super) fn offer(&self, service: &str, email: &EmailAddress) -> Result<Offer> {
        let totp = self.totp(service, email.as_str());
        let uri = totp.and_then(|totp| Ok((totp.to_url()?, totp.secret().to_base32())));
        let (uri, secret) = uri.map_err(|cause| Problem::ours(Code::Internal, &cause))?;
        Ok(Offer {
            secret: secret.into(),
            uri: uri.into(),
        })
    }

    fn totp(&self, service: &str, email: &str) -> std::result::Result<Totp, totp_rs::TotpError> {
        Builder::new()
            .with_algorithm(ALGORITHM)
            .with_digits(DIGITS)
            .with_skew(STEPS_ASIDE)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0.to_vec())
            .with_account_name(email)
            .with_issuer(Some(service))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, for SHA-1: the last six digits.
    const VECTORS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn rfc() -> Authenticator {
        Authenticator::of(b"12345678901234567890")
    }

    fn step(code: &str, seconds: i64) -> Option<i64> {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        rfc().step_of(&Secret::from(code.to_owned()), now)
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in VECTORS {
            assert_eq!(step(code, seconds), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_early_or_late_and_no_more() {
        let (seconds, code) = VECTORS[3];
        for aside in [-30, 0, 30] {
            assert_eq!(step(code, seconds + aside), Some(seconds / 30), "{aside}");
        }
        for aside in [-60, 60, 90] {
            assert_eq!(step(code, seconds + aside), None, "{aside}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for code in [
            "",
            "28708",
            "2870820",
            " 287082",
            "28708a",
            "２８７０８２",
            "287 82",
        ] {
            assert_eq!(step(code, 59), None, "{code}");
        }
        assert_eq!(step("287082", -59), None);
    }

    #[test]
    fn an_app_reads_what_it_is_offered() {
        let email = "amina@example.com".parse().unwrap();
        let offer = rfc().offer("Soko la Nairobi", &email).unwrap();
        assert_eq!(offer.secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            offer.uri.expose(),
            "otpauth://totp/Soko%20la%20Nairobi:amina%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Soko%20la%20Nairobi"
        );
    }
}
