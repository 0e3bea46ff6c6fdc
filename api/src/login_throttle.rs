//! Guesses at passwords, slowed down before any of them costs a hash.
//!
//! A guess is counted by everything that it has in common with others: at whom it is aimed, from
//! which network it comes, what is guessed (somebody who tries one password on thousands of accounts
//! never fails twice at one of them), and with all guesses there are. Each counter has a limit of its
//! own, and the guess needs room in all of them. The counters stand in the database, so neither a
//! restart nor another node gives a guesser a new start. E-mails that nobody has are counted alike.
//!
//! Whoever logged in before on the same device shows that by a token, and has a counter that no
//! stranger can touch: nobody can be locked out by somebody else's guessing.

mod attempt;
mod counter;
mod device;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use soko_domain::{AccountId, EmailAddress, PhoneNumber};
use sqlx::PgPool;
use uuid::Uuid;

pub use self::attempt::Attempt;
use self::attempt::{About, forget};
use self::counter::{Counter, Limit};
pub use self::device::Device;
use crate::problem::Result;
use crate::secret::Secret;

/// Makes the counters of guesses.
pub struct LoginThrottle {
    key: [u8; 32],
}

impl LoginThrottle {
    /// # Errors
    /// The database.
    pub async fn new(pool: &PgPool) -> std::result::Result<Self, sqlx::Error> {
        let key: Vec<u8> = sqlx::query_scalar("SELECT key FROM login_counter_key")
            .fetch_one(pool)
            .await?;
        let key = key
            .try_into()
            .map_err(|_| sqlx::Error::Decode("the key of the counters has not 32 bytes".into()))?;
        Ok(Self { key })
    }

    /// A guess at a password, by somebody who may have shown that they logged in before.
    pub fn at_password(
        &self,
        email: &EmailAddress,
        guessed: &Secret,
        network: IpAddr,
        device: Option<&Device>,
    ) -> Attempt {
        let counters = match device {
            Some(device) => {
                let device = device.id();
                vec![self.counter(
                    counter::DEVICE,
                    &[email.comparison_form().as_bytes(), device],
                )]
            }
            None => vec![
                self.account(email),
                self.counter(
                    counter::NETWORK,
                    &[neighbours(network).to_string().as_bytes()],
                ),
                self.guessed(guessed),
                self.counter(counter::EVERYTHING, &[]),
            ],
        };
        Attempt {
            counters,
            about: About::Password,
        }
    }

    /// A guess by somebody who is logged in, and is asked for the password again.
    pub fn at_own_password(&self, session_id: Uuid) -> Attempt {
        Attempt {
            counters: vec![self.counter(counter::SESSION, &[session_id.as_bytes()])],
            about: About::Password,
        }
    }

    /// A guess at a code, by somebody who knows the password.
    pub fn at_second_factor(&self, account_id: AccountId) -> Attempt {
        Attempt {
            counters: vec![self.codes_of(account_id)],
            about: About::SecondFactor,
        }
    }

    /// A mail to an address that whoever asks need not own.
    pub fn at_mailbox(&self, email: &EmailAddress) -> Attempt {
        Attempt {
            counters: vec![self.mailbox(email)],
            about: About::Message,
        }
    }

    /// The same, asked for by a stranger.
    pub fn at_mailbox_from(&self, email: &EmailAddress, network: IpAddr) -> Attempt {
        let neighbours = neighbours(network).to_string();
        Attempt {
            counters: vec![
                self.mailbox(email),
                self.counter(counter::MAIL_OF_NETWORK, &[neighbours.as_bytes()]),
            ],
            about: About::Message,
        }
    }

    /// A text message, which costs money and may go to somebody else's phone.
    pub fn at_phone(&self, account_id: AccountId, phone: &PhoneNumber) -> Attempt {
        let account = account_id.as_uuid();
        Attempt {
            counters: vec![
                self.counter(counter::TEXTS_TO_PHONE, &[phone.as_str().as_bytes()]),
                self.counter(counter::TEXTS_OF_ACCOUNT, &[account.as_bytes()]),
                self.counter(counter::TEXTS, &[]),
            ],
            about: About::Message,
        }
    }

    /// Forgets what strangers guessed at: the account has another password.
    ///
    /// # Errors
    /// The database.
    pub async fn open(
        &self,
        email: &EmailAddress,
        account_id: AccountId,
        pool: &PgPool,
    ) -> Result<()> {
        forget(&[self.account(email), self.codes_of(account_id)], pool).await
    }

    /// The device that a token stands for, if it is one of ours, for this e-mail.
    pub fn device(&self, token: &str, email: &EmailAddress) -> Option<Device> {
        Device::read(token, |id| self.device_mac(id, email))
    }

    /// A device on which somebody has just logged in.
    pub fn new_device(&self, id: [u8; 16], email: &EmailAddress) -> Device {
        Device::new(id, &self.device_mac(&id, email))
    }

    fn account(&self, email: &EmailAddress) -> Counter {
        self.counter(counter::ACCOUNT, &[email.comparison_form().as_bytes()])
    }

    fn codes_of(&self, account_id: AccountId) -> Counter {
        self.counter(counter::SECOND_FACTOR, &[account_id.as_uuid().as_bytes()])
    }

    fn mailbox(&self, email: &EmailAddress) -> Counter {
        self.counter(counter::MAILBOX, &[email.as_str().as_bytes()])
    }

    /// By twenty bits of its keyed hash: enough to see one guess made at many, and too few to tell
    /// from the database what anybody guessed.
    fn guessed(&self, guessed: &Secret) -> Counter {
        let hash = self.mac("guess", &[guessed.expose().as_bytes()]);
        let prefix = [hash[0], hash[1], hash[2] & 0xf0];
        self.counter(counter::GUESSED, &[&prefix])
    }

    fn counter(&self, limit: Limit, parts: &[&[u8]]) -> Counter {
        Counter {
            hash: self.mac(limit.name, parts),
            limit,
        }
    }

    fn device_mac(&self, id: &[u8; 16], email: &EmailAddress) -> [u8; 32] {
        self.mac("device token", &[id, email.comparison_form().as_bytes()])
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        // A key shorter than a block is one that is filled up with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
        let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new(&block.into());
        mac.update(purpose.as_bytes());
        for part in parts {
            // With their lengths, so that no two lists of parts are one text.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Removes counters that would start anew anyway.
///
/// # Errors
/// The database.
pub async fn forget_old(pool: &PgPool, now: DateTime<Utc>) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM login_counters WHERE forget_at < $1 AND whole_at < $1")
        .bind(now)
        .execute(pool)
        .await?;
    Ok(())
}

/// Those who can easily have each other's address: 256 of IPv4, a network of 64 bits of IPv6.
fn neighbours(network: IpAddr) -> IpAddr {
    match network {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> LoginThrottle {
        LoginThrottle { key: [7; 32] }
    }

    fn email(text: &str) -> EmailAddress {
        text.parse().unwrap()
    }

    #[test]
    fn neighbours_are_counted_as_one() {
        let of = |text: &str| neighbours(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn one_guess_at_two_accounts_is_seen_to_be_the_same() {
        let guess = |text: &str, guessed: &str| {
            let address = "192.0.2.1".parse().unwrap();
            let guessed = Secret::from(guessed.to_owned());
            throttle()
                .at_password(&email(text), &guessed, address, None)
                .counters
        };
        let (first, second) = (
            guess("a@x.test", "Summer2026"),
            guess("b@x.test", "Summer2026"),
        );
        assert_ne!(first[0].hash, second[0].hash);
        assert_eq!(first[2].hash, second[2].hash);
        assert_ne!(first[2].hash, guess("a@x.test", "Winter2026")[2].hash);
    }

    #[test]
    fn a_device_is_known_for_the_account_that_logged_in_on_it() {
        let amina = email("amina@x.test");
        let device = throttle().new_device([3; 16], &amina);
        let token = device.token().expose().to_owned();
        assert!(throttle().device(&token, &amina).is_some());
        assert!(throttle().device(&token, &email("juma@x.test")).is_none());
        let other = LoginThrottle { key: [8; 32] };
        assert!(other.device(&token, &amina).is_none());
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(throttle().device(&altered, &amina).is_none(), "{altered}");
        }
        for nonsense in ["", "x", &token[1..], &format!("{token}A"), "é"] {
            assert!(throttle().device(nonsense, &amina).is_none(), "{nonsense}");
        }
    }
}
