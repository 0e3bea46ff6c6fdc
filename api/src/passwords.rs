//! Passwords: which are good enough, and how they are kept.
//!
//! A hash costs 19 MiB and tens of milliseconds of a core, so only a few are made at once, away
//! from the threads that serve, and only some may wait for their turn.

mod common;
mod rules;

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, SemaphorePermit};

pub use self::rules::{Length, NewPassword, PasswordError};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;

/// Hashes that wait for their turn on each core that makes them: with those, nobody waits for much
/// longer than two seconds, and on a machine that has five times as much to do as it can, still not
/// past the deadline of a request.
const WAITING_MAX: usize = 40;

/// The floor of OWASP's Password Storage Cheat Sheet for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Makes and checks hashes, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// One of those who wait for a hash, or have their turn.
pub struct Place<'a>(
    #[expect(dead_code, reason = "it is given back when this is dropped")] SemaphorePermit<'a>,
);

/// What a check of a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but kept in a way that is not today's.
    RightButOld,
}

impl Default for Passwords {
    fn default() -> Self {
        let at_once = at_once_max();
        Self {
            at_once: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::new(Semaphore::new(at_once * (1 + WAITING_MAX))),
        }
    }
}

impl Passwords {
    /// The password in the form in which it may be kept.
    ///
    /// # Errors
    /// `rate-limited` if too many wait already.
    pub async fn hash(&self, password: NewPassword) -> Result<String> {
        self.in_turn(self.place()?, move || {
            argon2()
                .hash_password(password.bytes())
                .map(|hash| hash.to_string())
        })
        .await?
        .map_err(|cause| Problem::ours(Code::Internal, &cause))
    }

    /// A place among those who wait for a hash: to be had before anything else is done for them, so
    /// that a crowd costs next to nothing.
    ///
    /// # Errors
    /// `rate-limited` if too many wait already.
    pub fn place(&self) -> Result<Place<'_>> {
        self.waiting
            .try_acquire()
            .map(Place)
            .map_err(|_| too_many())
    }

    /// Whether the hash is that of the password. Without a hash it takes as long to say no.
    ///
    /// # Errors
    /// A defect of ours.
    pub async fn verify(
        &self,
        place: Place<'_>,
        password: Secret,
        hash: Option<String>,
    ) -> Result<Verdict> {
        self.in_turn(place, move || verdict(&password, hash.as_deref()))
            .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        _place: Place<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        // It is never closed.
        let turn = Arc::clone(&self.at_once).acquire_owned().await;
        let turn = turn.map_err(|_| too_many())?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            // Not before it is done, even if nobody waits for it any more.
            drop(turn);
            result
        });
        done.await
            .map_err(|cause| Problem::ours(Code::Internal, &cause))
    }
}

/// Half of the cores may make hashes: the other half goes on selling, whoever logs in.
fn at_once_max() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (cores / 2).max(1)
}

fn too_many() -> Problem {
    Problem::new(Code::RateLimited)
        .with_detail("too many are logging in")
        .with_retry_after(Duration::from_secs(2))
}

fn verdict(password: &Secret, hash: Option<&str>) -> Verdict {
    // Nobody has this password; checking it takes what checking any takes.
    static NOBODYS: LazyLock<String> = LazyLock::new(|| {
        let hash = argon2().hash_password(b"nobody has this password");
        hash.map(|hash| hash.to_string()).unwrap_or_default()
    });
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(&NOBODYS)) else {
        tracing::error!("a stored password hash cannot be read");
        return Verdict::Wrong;
    };
    let is_right = argon2()
        .verify_password(rules::normal(password).as_bytes(), &parsed)
        .is_ok();
    match (is_right, hash.is_some()) {
        (true, true) if is_todays(&parsed) => Verdict::Right,
        (true, true) => Verdict::RightButOld,
        _ => Verdict::Wrong,
    }
}

fn is_todays(hash: &PasswordHash) -> bool {
    Params::try_from(hash).is_ok_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
    })
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters())
}

fn parameters() -> Params {
    // Within the algorithm's bounds; the test below would notice.
    Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(password: &str) -> NewPassword {
        let password = password.to_owned().into();
        NewPassword::parse(&password, &[], Length::WithSecondFactor).unwrap()
    }

    fn secret(password: &str) -> Secret {
        password.to_owned().into()
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let passwords = Passwords::default();
        let hash = passwords.hash(new("correct horse")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let verdict = |text: &str| {
            passwords.verify(passwords.place().unwrap(), secret(text), Some(hash.clone()))
        };
        assert_eq!(verdict("correct horse").await.unwrap(), Verdict::Right);
        assert_eq!(verdict("Correct horse").await.unwrap(), Verdict::Wrong);
        assert_eq!(verdict("correct horse ").await.unwrap(), Verdict::Wrong);
        assert_eq!(
            passwords
                .verify(passwords.place().unwrap(), secret("correct horse"), None)
                .await
                .unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn a_hash_made_in_an_older_way_is_noticed() {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = old.hash_password(b"correct horse").unwrap().to_string();
        let passwords = Passwords::default();
        let verdict = passwords
            .verify(
                passwords.place().unwrap(),
                secret("correct horse"),
                Some(hash),
            )
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::RightButOld);
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back_at_once() {
        let passwords = Passwords::default();
        let places = u32::try_from(passwords.waiting.available_permits()).unwrap();
        let _all = passwords.waiting.acquire_many(places).await.unwrap();
        let refused = passwords.place().map(|_| ());
        assert_eq!(refused.unwrap_err().code(), Code::RateLimited);
    }

    #[test]
    fn unicode_typed_in_either_form_is_the_same_password() {
        assert_eq!(
            rules::normal(&secret("caf\u{e9} caf\u{e9}")),
            rules::normal(&secret("cafe\u{301} cafe\u{301}"))
        );
    }
}
