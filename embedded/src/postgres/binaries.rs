use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest version that is supported.
pub(super) const MAJOR_MIN: u32 = 15;

/// Folders that hold one folder for each installed version, and where in it the
/// programs are.
const VERSION_FOLDERS: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// An installed PostgreSQL: the folder with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) major: u32,
    pub(super) folder: PathBuf,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Every PostgreSQL server that is installed and new enough, newest first;
/// `also` is where more may be.
pub(super) fn installed(also: &[PathBuf]) -> Vec<Binaries> {
    if let Some(folder) = env::var_os("SOKO_POSTGRES_BIN") {
        return at(Path::new(&folder)).into_iter().collect();
    }
    let mut found: Vec<_> = candidates(also)
        .iter()
        .filter_map(|folder| at(folder))
        .collect();
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found
}

fn candidates(also: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .iter()
        .flat_map(env::split_paths)
        .collect();
    for (parent, prefix, below) in VERSION_FOLDERS {
        let versions = fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(
            versions
                .filter(|version| version.file_name().to_string_lossy().starts_with(prefix))
                .map(|version| version.path().join(below)),
        );
    }
    folders.extend_from_slice(also);
    let mut programs = real_folders(&folders);
    if programs.is_empty()
        && let Ok(printed) = Command::new("pg_config").arg("--bindir").output()
    {
        let folder = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
        programs = real_folders(&[folder]);
    }
    programs
}

/// Where the programs really are, past symbolic links on the PATH.
fn real_folders(folders: &[PathBuf]) -> BTreeSet<PathBuf> {
    folders
        .iter()
        .filter_map(|folder| folder.join("postgres").canonicalize().ok())
        .filter_map(|program| program.parent().map(Path::to_owned))
        .filter(|folder| folder.join("initdb").is_file())
        .collect()
}

fn at(folder: &Path) -> Option<Binaries> {
    let printed = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let major = major_of(&String::from_utf8_lossy(&printed.stdout))?;
    (major >= MAJOR_MIN).then(|| Binaries {
        major,
        folder: folder.to_owned(),
    })
}

/// Of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, the 15.
fn major_of(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_releases_and_betas() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("postgres: command not found"), None);
    }

    #[test]
    fn no_server_is_listed_twice() {
        let found = installed(&[]);
        let folders: BTreeSet<_> = found.iter().map(|binaries| &binaries.folder).collect();
        assert!(!found.is_empty());
        assert_eq!(folders.len(), found.len());
    }
}
