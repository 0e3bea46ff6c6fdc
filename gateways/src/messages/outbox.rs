//! A folder in place of a provider: for trying things out, and for tests.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::letter::{Sender, letter};
use super::{Mail, Mailer, SendError, TextMessage, TextMessenger};

/// Writes each message into a file of its own, in the order of their names: mail as `.eml`, which
/// mail programs open, text messages as `.txt`.
///
/// Whoever can read the folder can use the codes in it, so only its owner can.
pub struct Outbox {
    folder: PathBuf,
    from: Sender,
}

impl Outbox {
    pub fn new(folder: PathBuf, from: Sender) -> Self {
        Self { folder, from }
    }

    async fn write(&self, ending: &str, content: &[u8]) -> Result<(), SendError> {
        // Not there under its name before it is whole.
        let name = Uuid::now_v7();
        let unfinished = self.folder.join(format!(".{name}"));
        let finished = self.folder.join(format!("{name}.{ending}"));
        let written = async {
            make_private(&self.folder).await?;
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)
                .await?;
            file.write_all(content).await?;
            file.sync_all().await?;
            fs::rename(&unfinished, &finished).await
        };
        written
            .await
            .map_err(|error| SendError::NotSent(error.kind().to_string()))
    }
}

async fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .await
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let letter = letter(&self.from, mail)?;
        self.write("eml", &letter.formatted()).await
    }
}

#[async_trait]
impl TextMessenger for Outbox {
    async fn send(&self, message: &TextMessage) -> Result<(), SendError> {
        let content = format!("To: {}\n\n{}\n", message.to, message.text);
        self.write("txt", content.as_bytes()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn messages_lie_in_the_folder_for_its_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("data/outbox");
        let outbox = Outbox::new(folder.clone(), "soko@example.com".parse().unwrap());
        let message = TextMessage {
            to: "+254712345678".parse().unwrap(),
            text: "123456".to_owned(),
        };
        TextMessenger::send(&outbox, &message).await.unwrap();
        let mail = Mail {
            to: "amina@example.com".parse().unwrap(),
            subject: "Welcome".to_owned(),
            text: "Jambo".to_owned(),
        };
        Mailer::send(&outbox, &mail).await.unwrap();

        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(&files[0]), "To: +254712345678\n\n123456\n");
        assert!(read(&files[1]).contains("Subject: Welcome"));
        assert_eq!(files.len(), 2);
        for path in files.iter().chain([&folder]) {
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }
}
