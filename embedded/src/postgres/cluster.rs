use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::binaries::{self, Binaries};
use super::{Durability, PostgresOptions, SUPERUSER, SocketLogin};
use crate::data_folder::DataFolder;
use crate::error::{EmbeddedError, OnPath};
use crate::run_as::RunAs;

/// Where data goes when root asks for a folder that nobody else can reach.
const SHARED_STATE: &str = "/var/lib/soko";

/// The files of a database cluster, with the programs and the user they are for.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) binaries: Binaries,
    pub(super) run_as: RunAs,
    pub(super) has_lz4: bool,
}

impl Cluster {
    /// Finds the cluster in this folder, or makes it.
    pub(super) fn open(
        folder: &DataFolder,
        options: &PostgresOptions,
    ) -> Result<Self, EmbeddedError> {
        let data = folder.path().join("data");
        let run_as = RunAs::unprivileged(&data)?;
        let installed = binaries::installed(&program_folders(folder.path()));
        let newest = installed
            .first()
            .cloned()
            .ok_or(EmbeddedError::PostgresNotFound)?;

        let version_file = data.join("PG_VERSION");
        if !version_file.exists() {
            let data = initialize(folder, &newest, &run_as, options)?;
            return Ok(Self::with(data, newest, run_as));
        }
        let version = fs::read_to_string(&version_file).on_path("read", &version_file)?;
        let written_by = version.trim().parse().unwrap_or(0);
        let binaries = installed
            .into_iter()
            .find(|found| found.major == written_by);
        let binaries = binaries.ok_or_else(|| EmbeddedError::PostgresVersion {
            folder: data.clone(),
            written_by,
            installed: newest.major.to_string(),
        })?;
        let data = data.canonicalize().on_path("resolve", &data)?;
        if !run_as.can_enter(&data) {
            return Err(EmbeddedError::Unreachable {
                folder: data,
                user: run_as.name(),
            });
        }
        Ok(Self::with(data, binaries, run_as))
    }

    fn with(data: PathBuf, binaries: Binaries, run_as: RunAs) -> Self {
        let has_lz4 = has_lz4(&data, &binaries, &run_as);
        Self {
            data,
            binaries,
            run_as,
            has_lz4,
        }
    }
}

/// Where programs are that were downloaded for this cluster.
pub(super) fn program_folders(folder: &Path) -> [PathBuf; 2] {
    [folder, Path::new(SHARED_STATE)].map(|place| place.join("programs/bin"))
}

/// Where to put them so that the server's user can run them.
#[cfg(feature = "fetch")]
pub(super) fn program_place(folder: &Path) -> Result<PathBuf, EmbeddedError> {
    let run_as = RunAs::unprivileged(&folder.join("data"))?;
    if run_as.can_enter(folder) {
        return Ok(folder.join("programs"));
    }
    let place = Path::new(SHARED_STATE);
    fs::create_dir_all(place)
        .and_then(|()| fs::set_permissions(place, Permissions::from_mode(0o711)))
        .on_path("create", place)?;
    Ok(place.join("programs"))
}

/// Makes a cluster beside its final place and moves it there: a half-made one
/// is never taken for whole.
fn initialize(
    folder: &DataFolder,
    binaries: &Binaries,
    run_as: &RunAs,
    options: &PostgresOptions,
) -> Result<PathBuf, EmbeddedError> {
    let linked = folder.path().join("data");
    let place = reachable_place(folder.path(), run_as)?;
    let (unfinished, data) = (place.join("data.new"), place.join("data"));
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).on_path("remove", &unfinished)?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .on_path("create", &unfinished)?;
    run_as.own(&unfinished)?;
    let password_file = folder.write_private("password.initdb", &folder.password()?)?;
    let readable = place.join("password.initdb");
    if readable != password_file {
        fs::rename(&password_file, &readable)
            .or_else(|_| {
                fs::copy(&password_file, &readable).and_then(|_| fs::remove_file(&password_file))
            })
            .on_path("move", &password_file)?;
    }
    run_as.own(&readable)?;

    let made = run_initdb(binaries, run_as, options, &unfinished, &readable);
    fs::remove_file(&readable).on_path("remove", &readable)?;
    made?;
    fs::rename(&unfinished, &data).on_path("create", &data)?;
    if data != linked {
        let _ = fs::remove_file(&linked);
        symlink(&data, &linked).on_path("create", &linked)?;
    }
    Ok(data)
}

/// The folder itself, or for a user that cannot reach it one that it can; the
/// data is then linked from the folder.
fn reachable_place(folder: &Path, run_as: &RunAs) -> Result<PathBuf, EmbeddedError> {
    if run_as.can_enter(folder) {
        return Ok(folder.to_owned());
    }
    let unreachable = || EmbeddedError::Unreachable {
        folder: folder.to_owned(),
        user: run_as.name(),
    };
    let parent = Path::new(SHARED_STATE);
    let made = fs::create_dir_all(parent).and_then(|()| {
        let place = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir_in(parent)?
            .keep();
        for folder in [parent, &place] {
            fs::set_permissions(folder, Permissions::from_mode(0o711))?;
        }
        Ok(place)
    });
    let place = made.map_err(|_| unreachable())?;
    if !run_as.can_enter(&place) {
        return Err(unreachable());
    }
    tracing::warn!(
        folder = %folder.display(), place = %place.display(), user = run_as.name(),
        "the data folder is closed to the user that PostgreSQL runs as, so its data is kept elsewhere"
    );
    Ok(place)
}

fn run_initdb(
    binaries: &Binaries,
    run_as: &RunAs,
    options: &PostgresOptions,
    data: &Path,
    password_file: &Path,
) -> Result<(), EmbeddedError> {
    // From 17 on PostgreSQL has this locale itself; before, the system must.
    let locales: &[&[&str]] = if binaries.major >= 17 {
        &[&[
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]]
    } else {
        &[&["--locale=C.UTF-8"], &["--locale=C"]]
    };
    let by_socket = match options.socket_login {
        SocketLogin::Password => "--auth-local=scram-sha-256",
        SocketLogin::Trusted => "--auth-local=trust",
    };
    let mut result = Ok(());
    for locale in locales {
        let mut command = run_as.command(&binaries.program("initdb"));
        command
            .arg("--pgdata")
            .arg(data)
            .arg("--pwfile")
            .arg(password_file)
            .args([
                "--username",
                SUPERUSER,
                by_socket,
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
            ])
            .args(["--data-checksums", "--no-instructions"])
            .args(*locale)
            .env("LC_ALL", "C")
            .current_dir("/");
        if options.durability == Durability::None {
            command.arg("--no-sync");
        }
        result = run(&mut command);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn has_lz4(data: &Path, binaries: &Binaries, run_as: &RunAs) -> bool {
    let mut command = run_as.command(&binaries.program("postgres"));
    command
        .args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-D"])
        .arg(data);
    run(command.current_dir("/")).is_ok()
}

fn run(command: &mut Command) -> Result<(), EmbeddedError> {
    let program = command.get_program().to_owned();
    let Output { status, stderr, .. } = command.output().on_path("run", Path::new(&program))?;
    if status.success() {
        return Ok(());
    }
    Err(EmbeddedError::ToolFailed {
        program: Path::new(&program).display().to_string(),
        output: format!("{status}: {}", String::from_utf8_lossy(&stderr).trim()),
    })
}
