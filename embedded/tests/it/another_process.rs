//! Another process that holds a server, to be killed, or that has another user.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use soko_embedded::testing::scratch_folder;
use soko_embedded::{Durability, Nats, NatsOptions, Postgres, PostgresOptions};

const HELD: &str = "SOKO_TEST_HELD_FOLDER";

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
#[ignore = "what the holder does in its own process"]
async fn hold_postgres() {
    let folder = std::env::var(HELD).unwrap();
    let server = Postgres::start(Path::new(&folder), for_tests())
        .await
        .unwrap();
    println!("\nholding {}", server.pid());
    std::future::pending::<()>().await;
}

#[tokio::test]
#[ignore = "what the holder does in its own process"]
async fn hold_nats() {
    let folder = std::env::var(HELD).unwrap();
    let server = Nats::start(Path::new(&folder), NatsOptions::default())
        .await
        .unwrap();
    println!("\nholding {}", server.pid());
    std::future::pending::<()>().await;
}

/// Killing a process takes nothing from the disk's cache, so these tests need
/// not wait for the disk.
pub(crate) fn for_tests() -> PostgresOptions {
    PostgresOptions {
        durability: Durability::None,
        ..PostgresOptions::default()
    }
}

/// A process that holds a server until it is killed.
pub(crate) struct Holder {
    process: Child,
    pub(crate) server_pid: u32,
}

impl Holder {
    /// `what` is `hold_postgres` or `hold_nats`.
    pub(crate) fn start(what: &str, folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg(format!("another_process::{what}"))
            .env(HELD, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let server_pid = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("holding ")?.parse().ok())
            .expect("a server to be held");
        Self {
            process,
            server_pid,
        }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Also kills the watcher, which is in the server's process group.
    pub(crate) fn kill_with_watcher(&mut self, folder: &Path) {
        let server = self.server_pid;
        let watchers: Vec<u32> = processes()
            .filter(|(pid, arguments)| {
                arguments.contains("read -r _ <&3")
                    && arguments.contains(&*folder.to_string_lossy())
                    && group_of(*pid) == Some(server)
            })
            .map(|(pid, _)| pid)
            .collect();
        assert_eq!(watchers.len(), 1, "one watcher beside the server");
        kill_at_once(watchers[0]);
        self.kill();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs one of these tests again, as a user that is not root.
pub(crate) fn run_as_nobody(test: &str) -> std::process::ExitStatus {
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let folder = scratch_folder();
    let program = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(&program)
        .args(["--exact", test])
        .uid(nobody.uid.as_raw())
        .gid(nobody.gid.as_raw())
        .current_dir("/")
        .status()
        .unwrap()
}

pub(crate) fn kill_at_once(pid: u32) {
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
}

/// Waits until no process is left that was started with this folder.
pub(crate) async fn nothing_runs_in(folder: &Path) {
    let folder = folder.to_string_lossy();
    until(|| !processes().any(|(_, arguments)| arguments.contains(&*folder))).await;
}

pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "in vain");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every process with its arguments, from `/proc` or, where there is none, `ps`.
fn processes() -> impl Iterator<Item = (u32, String)> {
    let from_proc = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let arguments = fs::read(entry.path().join("cmdline")).ok()?;
            Some((pid, String::from_utf8_lossy(&arguments).into_owned()))
        });
    let mut found: Vec<(u32, String)> = from_proc.collect();
    if found.is_empty() {
        let listed = Command::new("ps")
            .args(["-A", "-ww", "-o", "pid=,args="])
            .output()
            .unwrap();
        let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
        found.extend(lines.lines().filter_map(|line| {
            let (pid, arguments) = line.trim().split_once(' ')?;
            Some((pid.parse().ok()?, arguments.to_owned()))
        }));
    }
    assert!(
        found.iter().any(|(pid, _)| *pid == std::process::id()),
        "we are not listed"
    );
    found.into_iter()
}

fn group_of(pid: u32) -> Option<u32> {
    let pid = Pid::from_raw(pid.try_into().ok()?);
    nix::unistd::getpgid(Some(pid))
        .ok()?
        .as_raw()
        .try_into()
        .ok()
}
