use std::env;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Where the shared servers keep their data, when this variable names a folder.
const DATA: &str = "SOKO_TEST_SERVERS_DATA";

/// How the folders of shared servers are called, before the kind.
const PREFIX: &str = "soko-test-servers-";

/// What must be free before data is put into memory: the servers of a run take less than half.
#[cfg(target_os = "linux")]
const MEMORY_BYTES_MIN: u64 = 6 << 30;

/// A folder for a test's own server, open to the user that the server runs as.
///
/// # Panics
///
/// When the folder cannot be made.
pub fn scratch_folder() -> TempDir {
    folder_in(&env::temp_dir(), "soko-test-")
        .unwrap_or_else(|cause| panic!("no folder for temporary files: {cause}"))
}

/// A folder for what tests share.
pub(super) fn folder_for_servers(kind: &str) -> io::Result<TempDir> {
    let place = match env::var_os(DATA) {
        Some(folder) => PathBuf::from(folder),
        None => memory().unwrap_or_else(env::temp_dir),
    };
    folder_in(&place, &format!("{PREFIX}{kind}-"))
}

pub(super) fn is_for_servers(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(PREFIX))
}

fn folder_in(place: &Path, prefix: &str) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(place)?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
    Ok(folder)
}

/// A file system in memory with room to spare, both in it and in the memory itself.
#[cfg(target_os = "linux")]
fn memory() -> Option<PathBuf> {
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};

    let place = PathBuf::from("/dev/shm");
    let found = statfs(&place).ok()?;
    let free = found.blocks_available() * u64::try_from(found.block_size()).ok()?;
    let has_room = found.filesystem_type() == TMPFS_MAGIC
        && free >= MEMORY_BYTES_MIN
        && available_memory()? >= MEMORY_BYTES_MIN;
    has_room.then_some(place)
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<PathBuf> {
    None
}

#[cfg(target_os = "linux")]
fn available_memory() -> Option<u64> {
    let described = fs::read_to_string("/proc/meminfo").ok()?;
    let line = described
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
