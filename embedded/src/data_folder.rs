use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{EmbeddedError, OnPath};

/// Logs beyond this size start anew with the next start of their server.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// What is kept for one server, held by one process at a time.
///
/// `lock` names the holder, `password` and `url` are for the owner's eyes,
/// `log` is what the server printed.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Held until dropped; the kernel lets go of it when the process dies.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be and takes it.
    pub(crate) fn take(path: &Path, mode: u32) -> Result<Self, EmbeddedError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .on_path("create", path)?;
        let path = path.canonicalize().on_path("resolve", path)?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .on_path("open", &lock_path)?;
        match lock.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                lock.read_to_string(&mut pid).on_path("read", &lock_path)?;
                return Err(EmbeddedError::InUse {
                    folder: path,
                    pid: pid.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(cause).on_path("lock", &lock_path),
        }
        lock.set_len(0).on_path("write", &lock_path)?;
        lock.write_all(std::process::id().to_string().as_bytes())
            .on_path("write", &lock_path)?;
        fs::set_permissions(&path, Permissions::from_mode(mode)).on_path("open up", &path)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn is_taken(path: &Path) -> bool {
        File::open(path.join("lock"))
            .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's password, made at the first call.
    pub(crate) fn password(&self) -> Result<String, EmbeddedError> {
        let path = self.path.join("password");
        match fs::read_to_string(&path) {
            Ok(password) if !password.trim().is_empty() => Ok(password.trim().to_owned()),
            _ => {
                let password = new_password().on_path("read", Path::new("/dev/urandom"))?;
                self.write_private("password", &password)?;
                Ok(password)
            }
        }
    }

    /// Puts a whole file there at once, readable by its owner alone.
    pub(crate) fn write_private(
        &self,
        name: &str,
        content: &str,
    ) -> Result<PathBuf, EmbeddedError> {
        let path = self.path.join(name);
        let unfinished = self.path.join(format!("{name}.new"));
        let _ = fs::remove_file(&unfinished);
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .and_then(|()| fs::rename(&unfinished, &path))
            .on_path("write", &path)?;
        Ok(path)
    }

    /// Where the server is, for other programs of the same user.
    pub(crate) fn write_url(&self, url: &str) -> Result<(), EmbeddedError> {
        self.write_private("url", url).map(drop)
    }

    /// The port of the last run.
    pub(crate) fn last_port(&self) -> Option<u16> {
        let url = fs::read_to_string(self.path.join("url")).ok()?;
        let (_, after_host) = url.rsplit_once("@127.0.0.1:")?;
        after_host
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    }

    pub(crate) fn log(&self) -> Result<ServerLog, EmbeddedError> {
        let path = self.path.join("log");
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
            fs::remove_file(&path).on_path("remove", &path)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .on_path("open", &path)?;
        let start = file.metadata().on_path("read", &path)?.len();
        Ok(ServerLog { path, file, start })
    }
}

/// What the servers of a folder print; `start` is where this run begins.
#[derive(Debug)]
pub(crate) struct ServerLog {
    path: PathBuf,
    file: File,
    start: u64,
}

impl ServerLog {
    pub(crate) fn writer(&self) -> Result<File, EmbeddedError> {
        self.file.try_clone().on_path("open", &self.path)
    }

    /// What was printed since this log was opened.
    pub(crate) fn text(&self) -> String {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let content = fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(content.get(start..).unwrap_or_default())
            .trim()
            .to_owned()
    }
}

/// 192 bits, in letters that need no escaping in a URL or a settings file.
fn new_password() -> std::io::Result<String> {
    let mut bytes = [0_u8; 24];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |password, byte| {
        format!("{password}{byte:02x}")
    }))
}
