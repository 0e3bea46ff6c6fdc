//! What the program says about its settings.

use std::process::Command;

#[test]
fn the_program_names_every_fault_and_ends_as_wrong_usage_does() {
    let soko = Command::new(env!("CARGO_BIN_EXE_soko"))
        .env("PORT", "none")
        .env("SOKO_LOG_FORMAT", "xml")
        .output()
        .unwrap();
    let said = String::from_utf8(soko.stderr).unwrap();
    assert_eq!(soko.status.code(), Some(2), "{said}");
    assert!(
        said.contains("PORT: must be a number from 0 to 65535"),
        "{said}"
    );
    assert!(
        said.contains("SOKO_LOG_FORMAT: must be \"text\" or \"json\""),
        "{said}"
    );
}

#[test]
fn the_help_lists_the_settings() {
    let soko = Command::new(env!("CARGO_BIN_EXE_soko"))
        .arg("--help")
        .output()
        .unwrap();
    let said = String::from_utf8(soko.stdout).unwrap();
    assert!(
        said.contains("DATABASE_URL") && said.contains("SOKO_DATA_DIR [.soko]"),
        "{said}"
    );
}
