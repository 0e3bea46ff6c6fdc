//! Prints what Soko is made of, as `CycloneDX`: every package of `Cargo.lock`, with its licence, where it
//! comes from, its checksum, and what it needs.
//!
//! `bill-of-materials [folder of the workspace]`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| ".".into(), PathBuf::from);
    match bill(&folder) {
        #[expect(clippy::print_stdout, reason = "this is what it is for")]
        Ok(bill) => {
            println!("{bill:#}");
            ExitCode::SUCCESS
        }
        #[expect(clippy::print_stderr, reason = "so that nobody takes it for the bill")]
        Err(error) => {
            eprintln!("there is no bill of materials: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bill(folder: &PathBuf) -> Result<Value, Error> {
    let lock = std::fs::read_to_string(folder.join("Cargo.lock"))?;
    let packages = packages(&lock);
    let licences = licences(folder)?;
    let (own, others): (Vec<&Package>, Vec<&Package>) = packages
        .iter()
        .partition(|package| package.source.is_none());
    let api = own.iter().find(|package| package.name == "soko-api");
    let version = api.ok_or("soko-api is not in Cargo.lock")?.version;
    let component = |kind: &str, package: &Package<'_>| {
        let mut component = json!({
            "type": kind,
            "bom-ref": package.id(),
            "name": package.name,
            "version": package.version,
            "purl": package.id(),
        });
        if let Some(licence) = licences.get(&(package.name.to_owned(), package.version.to_owned()))
        {
            // The older way of writing OR, which is no SPDX.
            let expression = licence.replace('/', " OR ");
            component["licenses"] = json!([{ "expression": expression }]);
        }
        if let Some(checksum) = package.checksum {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
        }
        component
    };
    let components = own.iter().map(|package| component("application", package));
    let components = components.chain(others.iter().map(|package| component("library", package)));
    let dependencies = packages.iter().map(|package| {
        let needed = package.dependencies.iter();
        let needed = needed.filter_map(|needed| Some(found(&packages, needed)?.id()));
        json!({ "ref": package.id(), "dependsOn": needed.collect::<Vec<_>>() })
    });
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "soko", "version": version } },
        "components": components.collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// One package as `Cargo.lock` has it.
#[derive(Default)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    /// `None` for our own.
    source: Option<&'a str>,
    checksum: Option<&'a str>,
    /// By name, with the version where there are several.
    dependencies: Vec<&'a str>,
}

impl Package<'_> {
    fn id(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// The file is written by cargo alone, one member on a line.
fn packages(lock: &str) -> Vec<Package<'_>> {
    let blocks = lock.split("[[package]]").skip(1);
    let package = |block| {
        let mut package = Package::default();
        for line in str::lines(block) {
            let text = |value: &'static str| -> Option<&str> {
                line.strip_prefix(value)?
                    .strip_prefix(" = \"")?
                    .strip_suffix('"')
            };
            if let Some(name) = text("name") {
                package.name = name;
            } else if let Some(version) = text("version") {
                package.version = version;
            } else if let Some(source) = text("source") {
                package.source = Some(source);
            } else if let Some(checksum) = text("checksum") {
                package.checksum = Some(checksum);
            } else if let Some(needed) = line.strip_prefix(" \"") {
                package.dependencies.extend(needed.strip_suffix("\","));
            }
        }
        package
    };
    blocks.map(package).collect()
}

fn found<'a>(packages: &'a [Package<'a>], needed: &str) -> Option<&'a Package<'a>> {
    let (name, version) = match needed.split_once(' ') {
        // Where two registries have the same, the source stands behind it.
        Some((name, rest)) => (name, rest.split(' ').next()),
        None => (needed, None),
    };
    packages.iter().find(|package| {
        package.name == name && version.is_none_or(|version| package.version == version)
    })
}

/// By name and version, as the packages say it themselves.
fn licences(folder: &PathBuf) -> Result<BTreeMap<(String, String), String>, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--all-features",
        ])
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata ended with {}", output.status).into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let licence = |package: &Value| {
        let id = (text(&package["name"])?, text(&package["version"])?);
        Some((id, text(&package["license"])?))
    };
    Ok(packages.iter().filter_map(licence).collect())
}
