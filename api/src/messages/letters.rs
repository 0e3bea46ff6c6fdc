//! What messages say.
//!
//! Nothing that others can set stands in them, such as the name of an account: so nobody can make us
//! send words of theirs. Links begin with our own address, never with what a request says it is, and
//! carry tokens behind a `#`, which browsers send to no server.

use soko_domain::{EmailAddress, PhoneNumber};
use soko_gateways::messages::{Mail, TextMessage};

use crate::config::Config;
use crate::secret::Secret;

/// Writes in the name of a service.
pub(super) struct Letters {
    service: String,
    web_url: String,
}

impl Letters {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            service: config.service_name.as_str().to_owned(),
            web_url: config.web_url(),
        }
    }

    pub(super) fn verify_email(&self, to: EmailAddress, token: &Secret) -> Mail {
        let text = format!(
            "Open this to show that this e-mail is yours. It is good for a day.\n\n{}\n\n\
             If you did not register at {}, there is nothing to do.\n",
            self.link("verify-email", token),
            self.service
        );
        self.mail(to, "Please confirm your e-mail", text)
    }

    pub(super) fn already_registered(&self, to: EmailAddress) -> Mail {
        let text = format!(
            "Somebody wanted to register at {} with this e-mail, which has an account already.\n\n\
             If it was you, log in, or have your password reset. If not, there is nothing to do.\n",
            self.service
        );
        self.mail(to, "You have an account already", text)
    }

    pub(super) fn reset_password(&self, to: EmailAddress, token: &Secret) -> Mail {
        let text = format!(
            "Open this to set another password. It is good once, for half an hour.\n\n{}\n\n\
             If you did not ask for it, there is nothing to do: your password is what it was.\n",
            self.link("reset-password", token)
        );
        self.mail(to, "Set another password", text)
    }

    pub(super) fn password_changed(&self, to: EmailAddress) -> Mail {
        self.alarm(
            to,
            "Your password was changed",
            "Your password was changed, and you were logged out everywhere else.",
        )
    }

    pub(super) fn second_factor_added(&self, to: EmailAddress) -> Mail {
        let what =
            "From now on you are asked for a code of your authenticator app when you log in.";
        self.alarm(to, "A second factor was added", what)
    }

    pub(super) fn second_factor_removed(&self, to: EmailAddress) -> Mail {
        let what = "You are not asked for a code any more when you log in.";
        self.alarm(to, "Your second factor was removed", what)
    }

    pub(super) fn recovery_code_used(&self, to: EmailAddress, left: i64) -> Mail {
        let what = format!(
            "Somebody used one of your recovery codes in place of your authenticator app. \
             {left} of them are left."
        );
        self.alarm(to, "A recovery code was used", &what)
    }

    pub(super) fn token_reused(&self, to: EmailAddress) -> Mail {
        let what = "Somebody else used one of your log-ins, so it was ended. Log in again.";
        self.alarm(to, "One of your log-ins was ended", what)
    }

    pub(super) fn payout_account_set(&self, to: EmailAddress) -> Mail {
        let what = "Somebody changed where the money of your shop is paid to. Nothing is paid out for a \
                    day from now: if it was not one of you, tell the store at once.";
        self.alarm(to, "Your payout account was changed", what)
    }

    pub(super) fn new_device(&self, to: EmailAddress) -> Mail {
        let what = "Somebody logged in to your account on a device that never did before.";
        self.alarm(to, "You logged in on a new device", what)
    }

    pub(super) fn verify_phone(&self, to: PhoneNumber, code: &Secret) -> TextMessage {
        let text = format!(
            "{} is your code for {}. It is good for 10 minutes. Give it to nobody.",
            code.expose(),
            self.service
        );
        TextMessage { to, text }
    }

    fn alarm(&self, to: EmailAddress, subject: &str, what: &str) -> Mail {
        let text = format!(
            "{what}\n\nIf it was you, there is nothing to do. If not, have your password reset at \
             once: that ends whatever others do in your account.\n"
        );
        self.mail(to, subject, text)
    }

    fn mail(&self, to: EmailAddress, subject: &str, text: String) -> Mail {
        Mail {
            to,
            subject: format!("{}: {subject}", self.service),
            text,
        }
    }

    fn link(&self, page: &str, token: &Secret) -> String {
        format!("{}/{page}#token={}", self.web_url, token.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters() -> Letters {
        let config = Config::from_variables(&|name| match name {
            "SOKO_WEB_URL" => Some("https://shop.example".to_owned()),
            "SOKO_SERVICE_NAME" => Some("Duka".to_owned()),
            _ => None,
        });
        Letters::new(&config.expect("settings"))
    }

    #[test]
    fn a_link_leads_to_our_own_pages_and_hides_its_token_from_servers() {
        let to: EmailAddress = "amina@example.com".parse().unwrap();
        let token = Secret::from("abc".to_owned());
        let verify = letters().verify_email(to.clone(), &token);
        assert!(
            verify
                .text
                .contains("\n\nhttps://shop.example/verify-email#token=abc\n\n")
        );
        let reset = letters().reset_password(to, &token);
        assert!(
            reset
                .text
                .contains("\n\nhttps://shop.example/reset-password#token=abc\n\n")
        );
        assert_eq!(reset.subject, "Duka: Set another password");
    }

    #[test]
    fn a_text_message_fits_into_one() {
        let code = Secret::from("123456".to_owned());
        let message = letters().verify_phone("+254712345678".parse().unwrap(), &code);
        assert!(message.text.starts_with("123456 is your code for Duka."));
        assert!(message.text.is_ascii() && message.text.len() <= 160);
    }
}
