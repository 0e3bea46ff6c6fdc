//! Every setting there is, read once from the environment, with all that is wrong in it said at
//! once.

mod values;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use soko_domain::EmailAddress;
use sqlx::postgres::PgConnectOptions;

use self::values::Value;
pub use self::values::{
    CorsOrigins, LogFormat, MasterKeyText, MasterKeyTexts, Millis, NatsServer, PublicUrl,
    SigningKeyText, Switch,
};
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
    /// The web origins whose pages may call, as `https://shop.example,https://admin.example`; "*"
    /// for all. None if not set.
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
    /// The largest request body in bytes, where a route does not say otherwise.
    body_bytes_max: NonZeroUsize = "SOKO_BODY_BYTES_MAX" or "65536";
    /// How long a client may take to send a body.
    body_deadline: Millis = "SOKO_BODY_DEADLINE_MS" or "10000";
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
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
        Config::from_variables(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn faulty_names(variables: &[(&str, &str)]) -> Vec<&'static str> {
        let Err(faults) = config(variables) else {
            return vec![];
        };
        faults.iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let config = config(&[]).unwrap();
        assert_eq!(config.address().to_string(), "127.0.0.1:8080");
        assert_eq!(config.issuer(), "http://localhost:8080");
        assert!(config.database_url.is_none() && config.nats.is_none());
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = faulty_names(&[
            ("PORT", "80800"),
            ("HOST", "here"),
            ("DATABASE_URL", "mysql://localhost"),
            ("NATS_URL", "http://localhost"),
            ("SOKO_LOG_FORMAT", "xml"),
            ("SOKO_LOG", "soko=nonsense"),
            ("SOKO_SIGNING_KEY", "not a key"),
            ("SOKO_CORS_ORIGINS", "https://shop.example/path"),
            ("SOKO_DATABASE_CONNECTIONS", "0"),
            ("SOKO_ADMIN_EMAIL", "admin@example.com"),
        ]);
        assert_eq!(
            faults,
            [
                "HOST",
                "PORT",
                "DATABASE_URL",
                "SOKO_DATABASE_CONNECTIONS",
                "NATS_URL",
                "SOKO_LOG_FORMAT",
                "SOKO_SIGNING_KEY",
                "SOKO_CORS_ORIGINS",
                "SOKO_ADMIN_PASSWORD",
                "SOKO_LOG",
            ]
        );
    }

    #[test]
    fn an_empty_variable_is_one_that_is_not_set() {
        assert_eq!(
            config(&[("PORT", ""), ("NATS_URL", " ")]).unwrap().port,
            8080
        );
    }

    #[test]
    fn a_fault_never_shows_a_secret() {
        let secret = "hunter2-hunter2";
        let Err(faults) = config(&[
            ("SOKO_SIGNING_KEY", secret),
            ("DATABASE_URL", "nonsense://u:hunter2-hunter2@h"),
        ]) else {
            panic!("both are faults");
        };
        assert!(!faults.to_string().contains(secret));
    }

    #[test]
    fn a_mistyped_name_is_noticed() {
        let names = ["SOKO_RATE_LIMIT", "SOKO_LOG", "SOKO_TEST_NATS_URL", "PATH"];
        let unknown = Config::unknown_variables(names.into_iter().map(str::to_owned));
        assert_eq!(unknown, ["SOKO_RATE_LIMIT"]);
    }

    #[test]
    fn the_example_of_a_settings_file_has_every_setting_with_its_default() {
        let example = include_str!("../../.env.example");
        for setting in Config::SETTINGS {
            let line = format!("#{}={}", setting.name, setting.default.unwrap_or_default());
            assert!(example.lines().any(|found| found == line), "{line}");
        }
    }

    #[test]
    fn the_help_names_every_setting() {
        let help = Config::help();
        for setting in Config::SETTINGS {
            assert!(help.contains(setting.name), "{}", setting.name);
        }
    }
}
