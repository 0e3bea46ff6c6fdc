//! Sudden ends: `kill -9`, as when memory runs out or the power fails.

use crate::Soko;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;

/// Ends processes at once; those that are gone already are no error.
pub fn kill_at_once(pids: &[u32]) {
    for pid in pids {
        let killed = kill(Pid::from_raw(i32::try_from(*pid).unwrap()), Signal::SIGKILL);
        assert!(matches!(killed, Ok(()) | Err(Errno::ESRCH)), "{killed:?}");
    }
}

/// A process and all that it has started: of a Postgres every one of its processes.
pub fn with_children(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(children_of(parent));
        next += 1;
    }
    family
}

impl Soko {
    /// The processes of the Postgres that this process runs for itself.
    pub fn private_postgres(&self) -> Vec<u32> {
        let file = self.private_folder("postgres").join("data/postmaster.pid");
        let content = fs::read_to_string(file).expect("a private Postgres runs");
        with_children(content.lines().next().unwrap().parse().unwrap())
    }

    /// The process of the NATS that this process runs for itself.
    pub fn private_nats(&self) -> Vec<u32> {
        let file = self.private_folder("nats").join("pid");
        let content = fs::read_to_string(file).expect("a private NATS runs");
        vec![content.trim().parse().unwrap()]
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// The name may hold anything, so what comes before its end is skipped.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}
