//! What people are sent, as it lies in the folder that stands for all providers.

use crate::Soko;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A mail or a text message.
#[derive(Debug, Clone)]
pub struct Letter {
    pub text: String,
}

impl Letter {
    /// What the link in it carries.
    pub fn token(&self) -> String {
        let (_, token) = self.text.split_once("#token=").expect("a link");
        token.lines().next().unwrap().trim().to_owned()
    }
}

/// The code that a text message carries.
pub fn code_in(letter: &Letter) -> String {
    let (code, _) = letter.text.split_once(" is your code").expect("a code");
    code.lines().last().unwrap().to_owned()
}

impl Soko {
    /// The messages to somebody with these words in them, the latest last.
    pub fn letters(&self, to: &str, words: &str) -> Vec<Letter> {
        let line = format!("To: {to}");
        let mut files: Vec<PathBuf> = fs::read_dir(self.private_folder("outbox"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        // Their names are in the order of their writing; what begins with a dot is not whole yet.
        files.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
        files.sort();
        files
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .filter(|text| text.lines().any(|found| found.trim() == line) && text.contains(words))
            .map(|text| Letter { text })
            .collect()
    }

    /// Waits for the message of this number, from 1.
    pub async fn letter(&self, to: &str, words: &str, number: usize) -> Letter {
        for _ in 0..600 {
            let mut letters = self.letters(to, words);
            if letters.len() >= number {
                return letters.swap_remove(number - 1);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{to} was not written to of {words:?}:\n{}", self.log());
    }
}
