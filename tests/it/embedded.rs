//! With no settings: a whole system in one folder, and nothing left behind when it stops.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use soko_tests::binary;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

const READY_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn it_starts_works_stops_and_finds_its_data_again() {
    let folder = soko_embedded::testing::scratch_folder();
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let client = soko_tests::http_client();
    let base = format!("http://127.0.0.1:{port}");
    let login = json!({ "email": "amina@soko.test", "password": "a long enough password" });

    let soko = start(folder.path(), port, &client, &base).await;
    let register = json!({
        "email": login["email"], "password": login["password"], "name": "Amina",
    });
    let registered = client
        .post(format!("{base}/api/v1/auth/register"))
        .json(&register);
    assert_eq!(registered.send().await.unwrap().status(), 201);
    stop(soko, folder.path()).await;

    let soko = start(folder.path(), port, &client, &base).await;
    let answer = client
        .post(format!("{base}/api/v1/auth/login"))
        .json(&login);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let tokens: Value = answer.json().await.unwrap();
    let me = client.get(format!("{base}/api/v1/me"));
    let me = me
        .bearer_auth(tokens["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(me.json::<Value>().await.unwrap()["name"], "Amina");
    stop(soko, folder.path()).await;
}

async fn start(folder: &Path, port: u16, client: &reqwest::Client, base: &str) -> Child {
    let log = std::fs::File::create(folder.join("soko.log")).unwrap();
    let mut soko = Command::new(binary("soko"))
        .arg("serve")
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let started = Instant::now();
    loop {
        let ready = client.get(format!("{base}/health/ready")).send().await;
        if ready.is_ok_and(|ready| ready.status().is_success()) {
            return soko;
        }
        let log = || std::fs::read_to_string(folder.join("soko.log")).unwrap();
        assert!(soko.try_wait().unwrap().is_none(), "it ended:\n{}", log());
        assert!(
            started.elapsed() < READY_WITHIN,
            "it is not ready:\n{}",
            log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks it to stop; afterwards nothing runs any more that works in its folder.
async fn stop(mut soko: Child, folder: &Path) {
    let id = i32::try_from(soko.id().unwrap()).unwrap();
    assert!(running_in(folder).len() > 1, "it runs servers of its own");
    kill(Pid::from_raw(id), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), soko.wait()).await;
    let status = ended.expect("stops in time").unwrap();
    let log = std::fs::read_to_string(folder.join("soko.log")).unwrap();
    assert!(status.success(), "{status:?}\n{log}");
    assert_eq!(running_in(folder), Vec::<String>::new());
}

/// The command lines of processes that work in the folder or name it.
fn running_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let is_process = entry
            .file_name()
            .to_string_lossy()
            .bytes()
            .all(|b| b.is_ascii_digit());
        if !is_process {
            continue;
        }
        let Ok(command) = std::fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let works_there =
            std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        if works_there || command.contains(&*folder.to_string_lossy()) {
            found.push(command);
        }
    }
    found
}
