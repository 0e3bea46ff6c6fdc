use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, id};

use super::scratch::{folder_for_servers, is_for_servers};
use crate::process::{Lifeline, is_alive, was_started_with};

/// Holds the lifeline of the servers for as long as a test process is there,
/// then lets go of it and clears up. Before it does, it withdraws the notice
/// and looks once more, so that nobody is sent to a server that ends.
const GUARD: &str = r#"
cd "$1" || exit 1
scratch=$2
anybody() {
    found=1
    for user in users/*; do
        [ -e "$user" ] || continue
        if kill -0 "${user#users/}" 2>/dev/null; then found=0; else rm -f "$user"; fi
    done
    return $found
}
is_ours() { [ "$(head -n 1 notice 2>/dev/null)" = "$$" ]; }
while :; do
    idle=0
    while [ $idle -lt 3 ]; do
        sleep 1
        if anybody; then idle=0; else idle=$((idle + 1)); fi
    done
    is_ours || break
    mv notice "withdrawn.$$"
    anybody || break
    mv -n "withdrawn.$$" notice
done
rm -f "withdrawn.$$"
exec >/dev/null
for pid in $(cat "$scratch/pids" 2>/dev/null); do
    waited=0
    while kill -0 "$pid" 2>/dev/null && [ $waited -lt 20 ]; do
        sleep 1
        waited=$((waited + 1))
    done
    kill -9 "$pid" 2>/dev/null
done
rm -rf "$scratch"
"#;

/// Names the last guard, and the folder that it is to remove.
const GUARDED: &str = "guarded";

/// What a starter has started: the processes, and what users need to know.
pub(super) struct Started {
    pub(super) pids: Vec<u32>,
    pub(super) message: String,
}

/// Finds the servers of this kind that the test processes of this run share,
/// or starts them.
pub(super) async fn join(
    kind: &str,
    start: impl AsyncFnOnce(&Path, Lifeline) -> Started,
) -> io::Result<String> {
    let place = meeting_folder()?.join(kind);
    fs::create_dir_all(place.join("users"))?;
    fs::write(place.join("users").join(id().to_string()), "")?;

    let door = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(place.join("lock"))?;
    door.lock()?;
    if let Some(message) = read_notice(&place) {
        return Ok(message);
    }
    remove_leftover(&place);
    let scratch = folder_for_servers(kind)?.keep();
    let lifeline = Lifeline::new().map_err(io::Error::other)?;
    let guard = start_guard(&place, &scratch, &lifeline)?;
    fs::write(
        place.join(GUARDED),
        format!("{guard}\n{}", scratch.display()),
    )?;
    let started = start(&scratch, lifeline).await;
    let pids: Vec<String> = started.pids.iter().map(u32::to_string).collect();
    fs::write(scratch.join("pids"), pids.join("\n"))?;
    let notice = place.join("notice.new");
    fs::write(
        &notice,
        format!("{guard}\n{}\n{}", pids.join(" "), started.message),
    )?;
    fs::rename(&notice, place.join("notice"))?;
    drop::<File>(door);
    Ok(started.message)
}

/// A guard that was killed cleared nothing up, and what it left may fill the memory.
fn remove_leftover(place: &Path) {
    let guarded = fs::read_to_string(place.join(GUARDED)).unwrap_or_default();
    let Some((guard, folder)) = guarded.split_once('\n') else {
        return;
    };
    let is_guarded = guard.parse().is_ok_and(|guard| is_guard(guard, place));
    if !is_guarded && is_for_servers(Path::new(folder)) {
        // Whatever is left of it harms nobody but the memory.
        let _ = fs::remove_dir_all(folder);
    }
}

fn is_guard(pid: u32, place: &Path) -> bool {
    is_alive(pid) && was_started_with(pid, place)
}

/// The servers of the notice, unless one of them, or their guard, is gone.
fn read_notice(place: &Path) -> Option<String> {
    let notice = fs::read_to_string(place.join("notice")).ok()?;
    let mut parts = notice.splitn(3, '\n');
    let guard = parts.next()?.parse().ok()?;
    let mut pids = parts.next()?.split(' ').map(str::parse::<u32>);
    let all_run = is_guard(guard, place) && pids.all(|pid| pid.is_ok_and(is_alive));
    all_run.then(|| parts.next().map(str::to_owned))?
}

fn start_guard(place: &Path, scratch: &Path, lifeline: &Lifeline) -> io::Result<u32> {
    let guard = Command::new("/bin/sh")
        .args(["-c", GUARD, "sh"])
        .args([place, scratch])
        .stdin(Stdio::null())
        .stdout(Stdio::from(lifeline.our_end.try_clone()?))
        .stderr(Stdio::null())
        // A test that is told to end by its process group must not take it along.
        .process_group(0)
        .spawn()?;
    Ok(guard.id())
}

fn meeting_folder() -> io::Result<PathBuf> {
    if let Some(folder) = env::var_os("SOKO_TEST_SERVERS_DIR") {
        return Ok(folder.into());
    }
    let program = env::current_exe()?;
    let target = program
        .ancestors()
        .skip_while(|folder| folder.file_name() != Some(OsStr::new("deps")));
    // The folder of the profile, then the target folder itself.
    target
        .skip(2)
        .map(|folder| folder.join("soko-test-servers"))
        .next()
        .ok_or_else(|| io::Error::other("not a test: set SOKO_TEST_SERVERS_DIR"))
}
