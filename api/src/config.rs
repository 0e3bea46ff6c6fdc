//! Every setting there is, read once from the environment, with all that is wrong in it said at
//! once.

mod values;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use soko_domain::EmailAddress;
use soko_gateways::messages::{MailProvider, Sender, SmsProvider};
use sqlx::postgres::PgConnectOptions;

use self::values::Value;
pub use self::values::{
    BaseUrl, CorsOrigins, LogFormat, MasterKeyText, MasterKeyTexts, Millis, NatsServer, PublicUrl,
    SecondsList, ServiceName, SigningKeyText, Switch,
};
use crate::account_rules::AccountRules;
use crate::secret::Secret;

/// One variable of the environment.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub name: &'static str,
    pub default: Option<&'static str>,
    pub about: &'static str,
}

/// Something is wrong with the settings: all of it.
#[derive(Debug, thiserror::Error)]
pub struct ConfigFaults(Vec<(&'static str, String)>);

impl ConfigFaults {
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, fault)| (*name, fault.as_str()))
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of the settings cannot be used:", self.0.len())?;
        for (name, fault) in &self.0 {
            writeln!(f, "  {name}: {fault}")?;
        }
        Ok(())
    }
}

macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $field:ident: $type:ty = $name:literal $(or $default:literal)?;
    )+) => {
        /// The settings, checked. It has no `Debug`, for it holds secrets.
        #[derive(Clone)]
        pub struct Config {
            $($(#[doc = $about])+ pub $field: $type,)+
        }

        impl Config {
            /// Every variable that is read, in the order of the help.
            pub const SETTINGS: &'static [Setting] = &[$(
                Setting {
                    name: $name,
                    default: first(&[$($default)?]),
                    about: concat!($($about),+),
                },
            )+];

            fn parse(variable: &impl Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
                let mut faults = vec![];
                $(
                    let text = variable($name).filter(|text| !text.trim().is_empty());
                    let text = text.as_deref().map(str::trim).or(first(&[$($default)?]));
                    let $field = <$type as Value>::read(text)
                        .map_err(|fault| faults.push(($name, fault)))
                        .ok();
                )+
                // A fault for each `None`, so either all are there or there are faults.
                match ($($field,)+) {
                    ($(Some($field),)+) if faults.is_empty() => Ok(Self { $($field),+ }),
                    _ => Err(ConfigFaults(faults)),
                }
            }
        }
    };
}

const fn first(texts: &[&'static str]) -> Option<&'static str> {
    match texts {
        [] => None,
        [text, ..] => Some(text),
    }
}

settings! {
    /// The address to serve HTTP on; 0.0.0.0 is every address of the machine.
    host: IpAddr = "HOST" or "127.0.0.1";
    /// The port to serve HTTP on; 0 takes any free one.
    port: u16 = "PORT" or "8080";
    /// How clients reach this server from outside; access tokens are issued in this name.
    /// http://localhost:PORT if not set.
    public_url: Option<PublicUrl> = "SOKO_PUBLIC_URL";
    /// Where private servers keep their data.
    data_dir: PathBuf = "SOKO_DATA_DIR" or ".soko";
    /// A PostgreSQL of version 15 or later, as
    /// `postgres://user:password@host/database`.
    /// A private one is run if this is not set.
    database_url: Option<PgConnectOptions> = "DATABASE_URL";
    /// "on": the database itself keeps tenants apart, and the server does not start as a login that
    /// is no member of the roles for it. "off" for a login that cannot be one.
    row_security: Switch = "SOKO_ROW_SECURITY" or "on";
    /// The most connections that commands may use, and as many again queries; the log and the
    /// workers have their own.
    database_connections: NonZeroU32 = "SOKO_DATABASE_CONNECTIONS" or "10";
    /// A NATS server with JetStream, of version 2.9 or later; "off" for none. If this is not set,
    /// a private one is run where nats-server is installed.
    nats: Option<NatsServer> = "NATS_URL";
    /// A file with the credentials (JWT and seed) for NATS.
    nats_credentials: Option<PathBuf> = "SOKO_NATS_CREDENTIALS";
    /// What to log, such as `info` or `warn,soko_api=debug`.
    log: String = "SOKO_LOG" or "info,actix_server=warn,async_nats=warn,sqlx=warn";
    /// "text" for people, "json" for machines.
    log_format: LogFormat = "SOKO_LOG_FORMAT" or "text";
    /// The first platform admin, registered at a start when there is no such account.
    admin_email: Option<EmailAddress> = "SOKO_ADMIN_EMAIL";
    /// The password of the first platform admin.
    admin_password: Option<Secret> = "SOKO_ADMIN_PASSWORD";
    /// 32 random bytes in base64, as `openssl rand -base64 32` makes them, or a file with them. It
    /// protects personal data and other secrets in the database: without it they are lost. If not
    /// set, one is made and kept in the data folder, or with `DATABASE_URL` in the database itself.
    master_key: Option<MasterKeyText> = "SOKO_MASTER_KEY";
    /// Those used before `SOKO_MASTER_KEY`, with commas between them, until the log says that they
    /// are needed no more.
    previous_master_keys: Option<MasterKeyTexts> = "SOKO_PREVIOUS_MASTER_KEYS";
    /// The Ed25519 key that signs access tokens: PKCS#8 as PEM, as base64, or a file with one of
    /// them. If not set, one is made and kept in the database.
    signing_key: Option<SigningKeyText> = "SOKO_SIGNING_KEY";
    /// The key used before `SOKO_SIGNING_KEY`: tokens that it signed stay good until they expire.
    previous_signing_key: Option<SigningKeyText> = "SOKO_PREVIOUS_SIGNING_KEY";
    /// What is asked of accounts. "strict": e-mails are verified before anybody logs in, registering
    /// does not tell whether an e-mail is known, passwords have 15 characters or a second factor
    /// beside them, and the platform's people need one. "open": none of that, for trying Soko out.
    /// "strict" if `SOKO_PUBLIC_URL` is https, else "open".
    account_rules: Option<AccountRules> = "SOKO_ACCOUNTS";
    /// What the service is called in messages to people, and in their authenticator apps.
    service_name: ServiceName = "SOKO_SERVICE_NAME" or "Soko";
    /// Where people's browsers find the pages that links in e-mails lead to, `/verify-email` and
    /// `/reset-password`; what they carry stands behind a `#`. `SOKO_PUBLIC_URL` if not set.
    web_url: Option<PublicUrl> = "SOKO_WEB_URL";
    /// Who sends e-mail: `smtps://user:password@host`, `smtp://user:password@host?tls=required`,
    /// `sendgrid://KEY@api.sendgrid.com`, or "outbox", which writes them into a folder beside the
    /// data.
    mail: MailProvider = "SOKO_MAIL" or "outbox";
    /// Whom e-mail is from.
    mail_from: Sender = "SOKO_MAIL_FROM" or "Soko <soko@localhost>";
    /// Who sends text messages: `africastalking://USER:KEY@api.africastalking.com?from=NAME`,
    /// `twilio://ACCOUNT:TOKEN@api.twilio.com?from=%2B1…`, or "outbox".
    sms: SmsProvider = "SOKO_SMS" or "outbox";
    /// The address of a `soko sandbox`, which then plays every payment provider: for trying Soko out,
    /// and for tests. The real ones if not set.
    payment_sandbox: Option<PublicUrl> = "SOKO_PAYMENT_SANDBOX";
    /// Where payment providers find this server, if not at `SOKO_PUBLIC_URL`. M-Pesa refuses addresses
    /// with certain words in them, its own name among them.
    callback_url: Option<PublicUrl> = "SOKO_CALLBACK_URL";
    /// Another address of a provider's interface, such as that of its own sandbox.
    mpesa_url: Option<BaseUrl> = "SOKO_MPESA_URL";
    /// As `SOKO_MPESA_URL`.
    ecocash_url: Option<BaseUrl> = "SOKO_ECOCASH_URL";
    /// As `SOKO_MPESA_URL`.
    paynow_url: Option<BaseUrl> = "SOKO_PAYNOW_URL";
    /// As `SOKO_MPESA_URL`.
    paystack_url: Option<BaseUrl> = "SOKO_PAYSTACK_URL";
    /// As `SOKO_MPESA_URL`.
    stripe_url: Option<BaseUrl> = "SOKO_STRIPE_URL";
    /// How long a provider may take to answer.
    provider_deadline: Millis = "SOKO_PROVIDER_DEADLINE_MS" or "30000";
    /// "on": what M-Pesa tells counts only if it comes from the addresses that Safaricom has
    /// published. "on" with the real M-Pesa and "off" otherwise, if not set.
    mpesa_address_check: Option<Switch> = "SOKO_MPESA_ADDRESS_CHECK";
    /// How many seconds an order waits for a payment that is prompted on a phone.
    prompt_seconds: NonZeroU32 = "SOKO_PROMPT_SECONDS" or "900";
    /// How many seconds an order waits for a payment on a provider's page.
    page_seconds: NonZeroU32 = "SOKO_PAGE_SECONDS" or "3600";
    /// How many seconds an order waits for a bank transfer.
    bank_seconds: NonZeroU32 = "SOKO_BANK_SECONDS" or "259200";
    /// How many seconds after a payment was given up it is looked whether money came all the same,
    /// with commas between them.
    look_again: SecondsList = "SOKO_LOOK_AGAIN_SECONDS" or "120,900,7200,86400";
    /// How many seconds pass between two questions about a refund, with commas between them; the last
    /// repeats.
    refund_asked: SecondsList = "SOKO_REFUND_ASKED_SECONDS" or "10,30,120,900,3600";
    /// For how many days it is kept what stood in the callbacks of payment providers.
    keep_callbacks_days: NonZeroU32 = "SOKO_KEEP_CALLBACKS_DAYS" or "90";
    /// The web origins whose pages may call beside the web shops of stores, which set their own: as
    /// `https://admin.example,https://support.example`; "*" for all. None if not set.
    cors_origins: Option<CorsOrigins> = "SOKO_CORS_ORIGINS";
    /// How many proxies of ours stand before this server. Each adds an entry to X-Forwarded-For;
    /// with 0 the header is not believed.
    proxies: u8 = "SOKO_PROXIES" or "0";
    /// "off" takes all rate limits away, for load tests.
    rate_limits: Switch = "SOKO_RATE_LIMITS" or "on";
    /// Requests per second that one client address may make, on average; bursts may be 10 times
    /// that. Mobile networks put thousands of people behind one address.
    requests_per_second: NonZeroU32 = "SOKO_REQUESTS_PER_SECOND" or "200";
    /// Requests per second that one account, or one API key, may make on average, from however many
    /// addresses; bursts may be 10 times that.
    caller_requests_per_second: NonZeroU32 = "SOKO_CALLER_REQUESTS_PER_SECOND" or "100";
    /// Requests per minute that one client address may make to /auth. Guesses at one password are
    /// slowed down long before.
    auth_requests_per_minute: NonZeroU32 = "SOKO_AUTH_REQUESTS_PER_MINUTE" or "600";
    /// For how many days it is kept who a guest was, once there is nothing left to do for the order.
    keep_guests_days: NonZeroU32 = "SOKO_KEEP_GUESTS_DAYS" or "730";
    /// For how many hours a vendor is paid nothing once its payout account was set: who took over a
    /// log-in would set another first, and those whose it is need time to see it.
    payout_account_hold_hours: u16 = "SOKO_PAYOUT_ACCOUNT_HOLD_HOURS" or "24";
    /// The largest request body in bytes. Many routes take less, as the OpenAPI document says.
    body_bytes_max: NonZeroUsize = "SOKO_BODY_BYTES_MAX" or "65536";
    /// How long a client may take to send a body.
    body_deadline: Millis = "SOKO_BODY_DEADLINE_MS" or "10000";
    /// How long a client may take nothing of an answer before it is cut off (on Linux).
    stall_deadline: Millis = "SOKO_STALL_DEADLINE_MS" or "30000";
    /// How long a connection is kept on which nothing is asked; longer while a large answer is taken.
    idle_deadline: Millis = "SOKO_IDLE_DEADLINE_MS" or "75000";
    /// How long we may take to answer.
    request_deadline: Millis = "SOKO_REQUEST_DEADLINE_MS" or "15000";
    /// How long requests in progress may take to end when the server is stopped.
    shutdown_deadline: Millis = "SOKO_SHUTDOWN_DEADLINE_MS" or "10000";
    /// Threads that serve HTTP; one for each core if not set.
    http_threads: Option<NonZeroUsize> = "SOKO_HTTP_THREADS";
}

/// Variables that other parts of the system read by themselves.
const READ_ELSEWHERE: &[&str] = &[
    "SOKO_POSTGRES_BIN",
    "SOKO_NATS_SERVER",
    "SOKO_TOOLS_DIR",
    "SOKO_INSTALL",
    "SOKO_TEST_",
    "SOKO_BENCH_",
];

impl Config {
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_env() -> Result<Self, ConfigFaults> {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_variables(
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigFaults> {
        let parsed = Self::parse(variable);
        let is_set = |name: &str| variable(name).is_some_and(|text| !text.trim().is_empty());
        let mut faults = match &parsed {
            Ok(_) => vec![],
            Err(ConfigFaults(faults)) => faults.clone(),
        };
        match (is_set("SOKO_ADMIN_EMAIL"), is_set("SOKO_ADMIN_PASSWORD")) {
            (true, false) => faults.push((
                "SOKO_ADMIN_PASSWORD",
                "must be set with SOKO_ADMIN_EMAIL".to_owned(),
            )),
            (false, true) => faults.push((
                "SOKO_ADMIN_EMAIL",
                "must be set with SOKO_ADMIN_PASSWORD".to_owned(),
            )),
            _ => (),
        }
        if let Some(fault) = variable("SOKO_LOG").and_then(|log| crate::telemetry::fault_of(&log)) {
            faults.push(("SOKO_LOG", fault));
        }
        if faults.is_empty() {
            parsed
        } else {
            Err(ConfigFaults(faults))
        }
    }

    /// Names that look like settings of ours, but are none: probably mistyped.
    pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
        let is_known = |name: &str| {
            Self::SETTINGS.iter().any(|setting| setting.name == name)
                || READ_ELSEWHERE.iter().any(|prefix| name.starts_with(prefix))
        };
        names
            .filter(|name| name.starts_with("SOKO_") && !is_known(name))
            .collect()
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// The name in which access tokens are issued; without a slash at its end.
    pub fn issuer(&self) -> String {
        match &self.public_url {
            Some(url) => url.as_str().to_owned(),
            None => format!("http://localhost:{}", self.port),
        }
    }

    /// What is asked of accounts; where nothing is set, of a service that others can reach all of it.
    pub fn account_rules(&self) -> AccountRules {
        let is_public = self.public_url.as_ref().is_some_and(PublicUrl::is_https);
        self.account_rules.unwrap_or(if is_public {
            AccountRules::Strict
        } else {
            AccountRules::Open
        })
    }

    /// Where links in e-mails lead; without a slash at its end.
    pub fn web_url(&self) -> String {
        match &self.web_url {
            Some(url) => url.as_str().to_owned(),
            None => self.issuer(),
        }
    }

    pub fn request_deadline(&self) -> Duration {
        self.request_deadline.duration()
    }

    /// The listing for `soko --help`.
    pub fn help() -> String {
        let mut lines = vec!["Settings, from the environment:".to_owned()];
        for setting in Self::SETTINGS {
            let default = setting.default.map(|text| format!(" [{text}]"));
            lines.push(String::new());
            lines.push(format!("  {}{}", setting.name, default.unwrap_or_default()));
            let about = setting.about.replace('`', "");
            let about = wrapped(&about, HELP_COLUMNS_MAX);
            lines.extend(about.iter().map(|line| format!("      {line}")));
        }
        lines.join("\n")
    }
}

const HELP_COLUMNS_MAX: usize = 84;

fn wrapped(text: &str, columns_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= columns_max => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
