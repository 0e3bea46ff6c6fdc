//! An authenticator app, whose owner may hold a phone with another time.

use chrono::Utc;
use totp_rs::{Builder, Secret, Totp};

const STEP_SECONDS: i64 = 30;

/// An app that somebody typed a secret into.
pub struct Authenticator(Totp);

impl Authenticator {
    pub fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).expect("base32");
        Self(Builder::new().with_secret(secret).build().expect("an app"))
    }

    /// The code of a time step: of now, or so many steps later.
    pub fn code(&self, steps: i64) -> String {
        let seconds = Utc::now().timestamp() + steps * STEP_SECONDS;
        self.0.generate(seconds.try_into().unwrap()).to_string()
    }
}
