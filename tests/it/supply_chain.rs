//! What Soko is made of: all of it is listed, and nothing of it comes from elsewhere or under a
//! licence that `deny.toml` does not name.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use soko_tests::binary;

#[test]
fn the_bill_of_materials_has_every_locked_package() {
    let lock = read("Cargo.lock");
    let blocks = lock.split("[[package]]").skip(1);
    let locked: BTreeSet<String> = blocks
        .map(|block| {
            format!(
                "pkg:cargo/{}@{}",
                member(block, "name").unwrap(),
                member(block, "version").unwrap()
            )
        })
        .collect();
    assert!(locked.len() > 300, "{}", locked.len());
    let bill = bill();
    let listed: BTreeSet<String> = components(&bill)
        .map(|component| component["purl"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, locked);
    for component in components(&bill).filter(|component| component["type"] == "library") {
        assert_eq!(
            component["hashes"][0]["content"].as_str().unwrap().len(),
            64,
            "{component}"
        );
    }
    // What each needs is listed too, and each is needed by something.
    let mut needed = BTreeSet::new();
    for dependency in bill["dependencies"].as_array().unwrap() {
        let list = dependency["dependsOn"].as_array().unwrap();
        needed.extend(list.iter().map(|id| id.as_str().unwrap().to_owned()));
    }
    assert!(needed.is_subset(&listed));
    let alone: Vec<_> = listed.difference(&needed).collect();
    assert!(
        alone.iter().all(|id| id.starts_with("pkg:cargo/soko-")),
        "{alone:?}"
    );
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let rules = read("deny.toml");
    let allowed = list(&rules, "allow = [");
    assert!(
        allowed.contains("MIT") && !allowed.contains("GPL-3.0"),
        "{allowed:?}"
    );
    let bill = bill();
    let refused: Vec<String> = components(&bill)
        .filter_map(|component| {
            let licence = component["licenses"][0]["expression"].as_str()?;
            (!is_allowed(licence, &allowed)).then(|| format!("{} {licence}", component["purl"]))
        })
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    // What is built for no platform or feature of ours has none here; that is little.
    let unknown = components(&bill)
        .filter(|component| component["licenses"].is_null())
        .count();
    assert!(unknown <= 5, "{unknown} packages without a licence");
}

#[test]
fn everything_comes_from_the_registry_and_nothing_is_banned() {
    let lock = read("Cargo.lock");
    let rules = read("deny.toml");
    let bans = rules.split("[bans]").nth(1).unwrap();
    let banned: Vec<&str> = bans
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ name = \""))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(banned.contains(&"openssl-sys"), "{banned:?}");
    for block in lock.split("[[package]]").skip(1) {
        let name = member(block, "name").unwrap();
        assert!(!banned.contains(&name), "{name}");
        match member(block, "source") {
            None => assert!(name.starts_with("soko-"), "{name}"),
            Some(source) => assert_eq!(
                source, "registry+https://github.com/rust-lang/crates.io-index",
                "{name}"
            ),
        }
    }
}

#[test]
fn a_licence_is_allowed_where_a_choice_of_it_is() {
    let allowed: BTreeSet<String> = ["MIT", "Apache-2.0 WITH LLVM-exception"]
        .map(str::to_owned)
        .into();
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-3.0) AND MIT",
        "MIT AND Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(GPL-3.0 OR BSD) AND MIT",
        "Apache-2.0",
    ] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

/// AND binds closer than OR (SPDX, annex D).
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let mut parts = split(expression, " OR ");
    if parts.len() > 1 {
        return parts.drain(..).any(|part| is_allowed(part, allowed));
    }
    let mut parts = split(expression, " AND ");
    if parts.len() > 1 {
        return parts.drain(..).all(|part| is_allowed(part, allowed));
    }
    let term = expression.trim();
    match term
        .strip_prefix('(')
        .and_then(|term| term.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.contains(term),
    }
}

/// At the words that stand within no parentheses.
fn split<'a>(expression: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth) = (vec![], 0, 0_usize);
    for (at, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && expression[at..].starts_with(word) => {
                parts.push(&expression[start..at]);
                start = at + word.len();
            }
            _ => (),
        }
    }
    parts.push(&expression[start..]);
    parts
}

fn bill() -> Value {
    let output = Command::new(binary("bill-of-materials"))
        .arg(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn components(bill: &Value) -> impl Iterator<Item = &Value> {
    bill["components"].as_array().unwrap().iter()
}

fn member<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    let line = block
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
    line.strip_suffix('"')
}

fn list(text: &str, beginning: &str) -> BTreeSet<String> {
    let rest = text.split(beginning).nth(1).unwrap();
    let inner = rest.split(']').next().unwrap();
    inner
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
