//! What is read from the environment, and what is refused.

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
    let example = include_str!("../../../.env.example");
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
