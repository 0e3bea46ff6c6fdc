//! What no compiler checks of the sources.

use std::path::{Path, PathBuf};

/// Compared byte by byte, a secret tells how much of a guess was right. There is one function that
/// does not tell (`constant_time::is_same`).
#[test]
fn no_secret_is_compared_in_a_time_that_tells() {
    let mut found = vec![];
    let mut lines = 0;
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests may: nobody measures them.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            lines += 1;
            if is_telling(line) {
                found.push(format!(
                    "{}:{}: {}",
                    file.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(lines > 10_000, "{lines} lines are not all");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_tells_is_recognised() {
    for telling in [
        "if given.expose() == known.expose() {",
        "token.expose() != expected",
        "given == secret.expose_secret()",
        "mac.finalize().into_bytes() == given",
        "expected_mac != given",
        "if signature == expected_signature {",
    ] {
        assert!(is_telling(telling), "{telling}");
    }
    for harmless in [
        "is_same(given.expose().as_bytes(), known)",
        "password.expose().len() == 0",
        "// mac == given",
        "if token_hash == other.token_hash {",
        "let mac = mac(&key);",
    ] {
        assert!(!is_telling(harmless), "{harmless}");
    }
}

/// A comparison with a secret itself, a MAC or a signature on one of its sides. Hashes of secrets may
/// be compared: what is found out about them leads to nothing.
fn is_telling(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with("//") {
        return false;
    }
    let Some((left, right)) = line.split_once(" == ").or_else(|| line.split_once(" != ")) else {
        return false;
    };
    let sides = [
        left.rsplit([' ', '(', '!']).next().unwrap_or_default(),
        left,
        right.split([' ', ',', '{', ';']).next().unwrap_or_default(),
    ];
    let is_secret = |side: &str| {
        let side = side.trim_end_matches([')', ' ', '{', '&']);
        ["expose(", "expose_secret(", "finalize(", "into_bytes("]
            .iter()
            .any(|end| side.ends_with(end))
            || ["mac", "signature"].iter().any(|name| side.ends_with(name))
    };
    sides.into_iter().any(is_secret)
}

fn sources() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut folders: Vec<PathBuf> = [
        "api",
        "commands",
        "domain",
        "event-log",
        "gateways",
        "projections",
    ]
    .iter()
    .map(|name| root.join(name).join("src"))
    .collect();
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path
                .file_name()
                .is_some_and(|name| name == "tests" || name == "tests.rs");
            match path.extension() {
                None if path.is_dir() && !is_test => folders.push(path),
                Some(extension) if extension == "rs" && !is_test => files.push(path),
                _ => (),
            }
        }
    }
    files
}
