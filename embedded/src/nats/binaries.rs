use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::NatsVersion;

const PROGRAM: &str = "nats-server";

/// The oldest version that is supported.
const VERSION_MIN: NatsVersion = NatsVersion {
    major: 2,
    minor: 9,
    patch: 0,
};

/// Where package managers put it, some outside a user's PATH.
const FOLDERS: [&str; 5] = [
    "/usr/sbin",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
];

/// Every server that is installed and new enough, newest first, each version once.
pub(super) fn installed() -> Vec<(NatsVersion, PathBuf)> {
    if let Some(program) = env::var_os("SOKO_NATS_SERVER") {
        let program = PathBuf::from(program);
        return version_of(&program)
            .map(|version| (version, program))
            .into_iter()
            .collect();
    }
    let mut found = BTreeMap::new();
    for program in candidates() {
        if let Some(version) = version_of(&program).filter(|version| *version >= VERSION_MIN) {
            found.entry(Reverse(version)).or_insert(program);
        }
    }
    found
        .into_iter()
        .map(|(Reverse(version), program)| (version, program))
        .collect()
}

fn candidates() -> BTreeSet<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .iter()
        .flat_map(env::split_paths)
        .collect();
    folders.extend(FOLDERS.map(PathBuf::from));
    if let Some(home) = env::home_dir() {
        folders.push(home.join("go/bin"));
        folders.push(home.join(".local/bin"));
    }
    folders.extend(tools_folder().iter().flat_map(|tools| folders_in(tools)));
    folders
        .iter()
        .filter_map(|folder| folder.join(PROGRAM).canonicalize().ok())
        .filter(|program| program.is_file())
        .collect()
}

/// Where `scripts/prerequisites` unpacks what the system's packages lack: beside
/// the build that we are part of.
fn tools_folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("SOKO_TOOLS_DIR") {
        return Some(folder.into());
    }
    let program = env::current_exe().ok()?;
    let target = program
        .ancestors()
        .find(|folder| folder.file_name() == Some(OsStr::new("target")))?;
    Some(target.join("tools"))
}

fn folders_in(parent: &Path) -> Vec<PathBuf> {
    fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn version_of(program: &Path) -> Option<NatsVersion> {
    let printed = Command::new(program).arg("--version").output().ok()?;
    String::from_utf8_lossy(&printed.stdout)
        .trim()
        .strip_prefix("nats-server: v")?
        .parse()
        .ok()
}
