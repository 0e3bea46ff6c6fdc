use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, chown};

use crate::error::{EmbeddedError, OnPath};

/// Who a server runs as: PostgreSQL refuses to run as root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunAs {
    Ourselves,
    User { name: String, uid: u32, gid: u32 },
}

impl RunAs {
    /// Ourselves, or for root the owner of the data that is there, or else a
    /// user made for this.
    pub(crate) fn unprivileged(data: &Path) -> Result<Self, EmbeddedError> {
        let owner = fs::metadata(data)
            .ok()
            .map(|data| Uid::from_raw(data.uid()));
        if !Uid::effective().is_root() {
            return match owner {
                Some(owner) if owner != Uid::effective() => Err(EmbeddedError::WrongOwner {
                    folder: data.to_owned(),
                    owner: name_of(owner),
                    user: name_of(Uid::effective()),
                }),
                _ => Ok(Self::Ourselves),
            };
        }
        if let Some(owner) = owner.filter(|owner| !owner.is_root())
            && let Ok(Some(user)) = User::from_uid(owner)
        {
            return Ok(Self::from(user));
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(Self::from)
            .ok_or(EmbeddedError::NoUnprivilegedUser)
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self::User { uid, gid, .. } = self {
            // Setting the uid also drops root's supplementary groups.
            command.uid(*uid).gid(*gid);
        }
        command
    }

    pub(crate) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Ourselves => Ok(()),
            Self::User { uid, gid, .. } => {
                chown(path, Some(Uid::from_raw(*uid)), Some(Gid::from_raw(*gid)))
                    .map_err(std::io::Error::from)
                    .on_path("give away", path)
            }
        }
    }

    /// Asks the kernel, which also knows what mode bits do not say.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        if *self == Self::Ourselves {
            return true;
        }
        self.command(Path::new("/bin/sh"))
            .args(["-c", r#"cd "$1""#, "sh"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Ourselves => name_of(Uid::effective()),
            Self::User { name, .. } => name.clone(),
        }
    }
}

impl From<User> for RunAs {
    fn from(user: User) -> Self {
        Self::User {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        }
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| format!("uid {uid}"), |user| user.name)
}
