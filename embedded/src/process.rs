use std::fs;
use std::io::{PipeReader, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{EmbeddedError, OnPath};
use crate::run_as::RunAs;

/// How often a process that cannot announce itself is looked at.
const POLL: Duration = Duration::from_millis(5);

/// How long a server may take to stop before it is told to stop at once.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take after that.
const STOP_AT_ONCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Becomes the server, and leaves a watcher beside it that tells the server to
/// stop when the other end of its input closes: the kernel closes that end with
/// the process that holds it, however that process ends. A line on the input
/// dismisses the watcher. The second fork keeps it from being the server's
/// child, which PostgreSQL would wonder about.
const WITH_WATCHER: &str = r#"
signal=$1; shift
exec 3<&0 </dev/null
( ( read -r _ <&3 || kill -s "$signal" $$ ) & )
exec 3<&-
exec "$@"
"#;

/// Ends a server when the last copy of its lifeline is gone.
#[derive(Debug)]
pub(crate) struct Lifeline {
    pub(crate) server_end: PipeReader,
    pub(crate) our_end: PipeWriter,
}

impl Lifeline {
    pub(crate) fn new() -> Result<Self, EmbeddedError> {
        let (server_end, our_end) =
            std::io::pipe().on_path("make a pipe to", Path::new("a server"))?;
        Ok(Self {
            server_end,
            our_end,
        })
    }

    pub(crate) fn try_clone(&self) -> Result<Self, EmbeddedError> {
        let clone = || {
            Ok(Self {
                server_end: self.server_end.try_clone()?,
                our_end: self.our_end.try_clone()?,
            })
        };
        clone().on_path("copy a pipe to", Path::new("a server"))
    }
}

/// A server as a child process, in a process group of its own: Ctrl-C at a
/// terminal reaches us, and we stop the server when we are done with it.
#[derive(Debug)]
pub(crate) struct Process {
    server: &'static str,
    child: Child,
    stop: Signal,
    stop_at_once: Signal,
    lifeline: Option<PipeWriter>,
}

/// What to run and how to end it.
pub(crate) struct Launch<'a> {
    pub(crate) server: &'static str,
    pub(crate) program: &'a Path,
    pub(crate) arguments: &'a [String],
    pub(crate) environment: &'a [(&'static str, &'static str)],
    pub(crate) run_as: &'a RunAs,
    pub(crate) output: fs::File,
    pub(crate) stop: Signal,
    pub(crate) stop_at_once: Signal,
}

impl Process {
    pub(crate) fn start(launch: Launch<'_>, lifeline: Lifeline) -> Result<Self, EmbeddedError> {
        let errors = launch
            .output
            .try_clone()
            .on_path("open the log of", launch.program)?;
        let mut command: Command = launch.run_as.command(Path::new("/bin/sh"));
        command
            .args([
                "-c",
                WITH_WATCHER,
                "sh",
                launch.stop.as_str().trim_start_matches("SIG"),
            ])
            .arg(launch.program)
            .args(launch.arguments)
            .current_dir("/")
            .env("LC_ALL", "C")
            .envs(launch.environment.iter().copied())
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::from(lifeline.server_end))
            .stdout(Stdio::from(launch.output))
            .stderr(Stdio::from(errors))
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        let child = command.spawn().on_path("run", launch.program)?;
        Ok(Self {
            server: launch.server,
            child,
            stop: launch.stop,
            stop_at_once: launch.stop_at_once,
            lifeline: Some(lifeline.our_end),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Stops the server and waits until it is gone; once it is, does nothing.
    pub(crate) async fn stop(&mut self) -> Result<(), EmbeddedError> {
        for (signal, timeout) in self.steps() {
            if self.exit_status().is_none() {
                self.signal(signal);
            }
            let deadline = Instant::now() + timeout;
            while self.exit_status().is_none() && Instant::now() < deadline {
                tokio::time::sleep(POLL).await;
            }
            if self.exit_status().is_some() {
                self.dismiss_watcher();
                return Ok(());
            }
        }
        Err(EmbeddedError::DidNotStop {
            server: self.server,
            pid: self.pid(),
        })
    }

    /// Leaves the server to whoever else holds its lifeline.
    pub(crate) fn leave(mut self) {
        self.lifeline = None;
    }

    fn steps(&self) -> [(Signal, Duration); 3] {
        [
            (self.stop, STOP_TIMEOUT),
            (self.stop_at_once, STOP_AT_ONCE_TIMEOUT),
            (Signal::SIGKILL, STOP_AT_ONCE_TIMEOUT),
        ]
    }

    /// A server that is gone already is not an error.
    fn signal(&self, signal: Signal) {
        let _ = send(self.pid(), signal);
    }

    /// The server's process id may soon be another's, so the watcher must not
    /// use it any more.
    fn dismiss_watcher(&mut self) {
        if let Some(mut lifeline) = self.lifeline.take() {
            let _ = lifeline.write_all(b"\n");
        }
    }
}

impl Drop for Process {
    /// Waits, because what comes next is often the removal of the data.
    fn drop(&mut self) {
        if self.lifeline.is_none() {
            return;
        }
        for (signal, timeout) in self.steps() {
            if self.exit_status().is_none() {
                self.signal(signal);
            }
            let deadline = Instant::now() + timeout;
            while self.exit_status().is_none() && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
            if self.exit_status().is_some() {
                self.dismiss_watcher();
                return;
            }
        }
    }
}

/// Stops a process that is not our child, from the kindest signal on.
pub(crate) async fn stop_stray(
    server: &'static str,
    pid: u32,
    signals: &[Signal],
) -> Result<(), EmbeddedError> {
    for signal in signals {
        let _ = send(pid, *signal);
        let deadline = Instant::now() + STOP_AT_ONCE_TIMEOUT;
        while Instant::now() < deadline {
            if !is_alive(pid) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Err(EmbeddedError::DidNotStop { server, pid })
}

pub(crate) fn is_alive(pid: u32) -> bool {
    is_listed(pid) && !is_zombie(pid)
}

/// Whether there is a process with this number, be it dead and not waited for.
pub(crate) fn is_listed(pid: u32) -> bool {
    send(pid, None).is_ok()
}

/// Whether this process was started with that path among its arguments.
pub(crate) fn was_started_with(pid: u32, path: &Path) -> bool {
    let path = path.to_string_lossy();
    if let Ok(arguments) = fs::read(format!("/proc/{pid}/cmdline")) {
        return String::from_utf8_lossy(&arguments).contains(&*path);
    }
    Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains(&*path))
}

fn is_zombie(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}

fn send(pid: u32, signal: impl Into<Option<Signal>>) -> Result<(), Errno> {
    let pid = i32::try_from(pid).map_err(|_| Errno::ESRCH)?;
    kill(Pid::from_raw(pid), signal)
}
