//! How fast Soko is, beside the raw limits of the machine it runs on, all in one run.
//!
//! Private servers, everything durable; the load comes from the same machine.

#![allow(clippy::float_arithmetic, reason = "rates and times, no money")]

mod cases;
mod load;
mod market;
mod orders;
mod raw;
mod report;
mod served;
mod servers;
mod soko;

use clap::Parser;
use report::{Case, Goal, Latency, Report, median};
use served::RawLimits;
use servers::Server;
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// As in `soko`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures everything and prints a table; writes the same as JSON.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each case runs; its figure is the median.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// How long each timed run lasts.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Only cases whose names contain this; the raw limits are always taken.
    #[arg(long)]
    only: Option<String>,
    /// How many events the rebuilds read.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Where the JSON goes.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
}

const ENGINE_CALLERS: usize = 64;
const HOT_CALLERS: usize = 256;
const HOT_STOCK: u32 = 100_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let mut bench = Bench {
        report: Report {
            machine: machine(),
            cases: Vec::new(),
        },
        runs: arguments.runs.max(1),
        only: arguments.only.clone(),
    };
    let server = Server::start(&folder.path().join("postgres")).await?;
    let limits = raw_limits(&mut bench, &server).await?;
    engine_cases(&mut bench, &server, limits.inserts, arguments.seconds).await?;
    rebuild_cases(&mut bench, &server, arguments.events).await?;
    bus_cases(&mut bench, &server, folder.path()).await?;
    server.stop().await?;
    let served = served::cases(&mut bench, folder.path(), &limits, arguments.seconds).await;
    let table = bench.report.table();
    std::io::stdout().write_all(table.as_bytes())?;
    std::fs::write(&arguments.json, serde_json::to_vec_pretty(&bench.report)?)?;
    served?;
    let missed = bench
        .report
        .cases
        .iter()
        .filter(|case| case.reached() == Some(false))
        .count();
    if missed > 0 {
        Err(format!("{missed} goals were missed").into())
    } else {
        Ok(())
    }
}

struct Bench {
    report: Report,
    runs: usize,
    only: Option<String>,
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| name.contains(only.as_str()))
    }

    fn add(&mut self, case: Case) {
        let Case { name, unit, .. } = &case;
        say(&format!("{name}: {:.1} {unit}", case.median()));
        self.report.cases.push(case);
    }
}

async fn raw_limits(bench: &mut Bench, server: &Server) -> Result<RawLimits, Box<dyn Error>> {
    let pgbench = server.programs().join("pgbench");
    let (mut inserts, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let url = server.empty_database().await?;
        inserts.push(raw::pgbench_inserts(&pgbench, &url, 10).await?);
        answers.push(raw::static_json(5).await?);
    }
    let limits = RawLimits {
        inserts: median(&inserts),
        answers: median(&answers),
    };
    for (name, unit, figures) in [
        (
            "r1 pgbench: one 600-byte event a transaction, 64 clients",
            "tx/s",
            inserts,
        ),
        (
            "r2 actix-web: 2 KB of static JSON, 64 connections",
            "req/s",
            answers,
        ),
    ] {
        let name = name.to_owned();
        bench.add(Case {
            name,
            unit,
            figures,
            goal: Goal::None,
            latency: None,
            notes: vec![],
        });
    }
    Ok(limits)
}

async fn engine_cases(
    bench: &mut Bench,
    server: &Server,
    inserts: f64,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let name = "engine: units of 4 events in 4 streams and a claim, 64 in flight";
    if bench.wants(name) {
        let mut runs = Vec::new();
        for _ in 0..bench.runs {
            runs.push(cases::engine::spread(server, ENGINE_CALLERS, seconds.min(10)).await?);
        }
        bench.add(engine_case(name, 0.9 * inserts, &runs));
    }
    let name = "engine: one hot product in every unit, 256 in flight, sold = stock";
    if bench.wants(name) {
        let mut runs = Vec::new();
        for _ in 0..bench.runs {
            runs.push(cases::engine::hot(server, HOT_CALLERS, HOT_STOCK).await?);
        }
        bench.add(engine_case(name, inserts, &runs));
    }
    Ok(())
}

fn engine_case(name: &str, goal: f64, runs: &[cases::engine::Run]) -> Case {
    let figures: Vec<_> = runs.iter().map(|run| run.units_per_second).collect();
    let middle = median(&figures);
    let latency = runs
        .iter()
        .find(|run| run.units_per_second.total_cmp(&middle).is_eq());
    Case {
        name: name.to_owned(),
        unit: "units/s",
        latency: latency.map(|run| Latency::of(&run.latency)),
        figures,
        goal: Goal::AtLeast(goal),
        notes: vec![],
    }
}

async fn rebuild_cases(
    bench: &mut Bench,
    server: &Server,
    events: u64,
) -> Result<(), Box<dyn Error>> {
    if !bench.wants("rebuild") {
        return Ok(());
    }
    for rebuilt in cases::rebuild::all_models(server, events, bench.runs).await? {
        bench.add(rebuilt);
    }
    Ok(())
}

async fn bus_cases(
    bench: &mut Bench,
    server: &Server,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    if !bench.wants("bus: ") {
        return Ok(());
    }
    for case in cases::bus::relayed_and_followed(server, folder, bench.runs).await? {
        bench.add(case);
    }
    Ok(())
}

impl Bench {
    /// Adds a case unless it was not asked for, or not reached.
    fn plain(&mut self, name: &str, unit: &'static str, figures: Vec<f64>, goal: Goal) {
        if figures.is_empty() || !self.wants(name) {
            return;
        }
        let name = name.to_owned();
        self.add(Case {
            name,
            unit,
            figures,
            goal,
            latency: None,
            notes: vec![],
        });
    }

    fn timed(&mut self, name: &str, unit: &'static str, runs: &[(f64, Latency)], goal: Goal) {
        if runs.is_empty() || !self.wants(name) {
            return;
        }
        let figures: Vec<_> = runs.iter().map(|(figure, _)| *figure).collect();
        let middle = median(&figures);
        let latency = runs
            .iter()
            .find(|(figure, _)| figure.total_cmp(&middle).is_eq())
            .map(|run| run.1);
        let name = name.to_owned();
        self.add(Case {
            name,
            unit,
            figures,
            goal,
            latency,
            notes: vec![],
        });
    }
}

/// What the figures were taken on.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |line| {
            line.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes / 1_048_576);
    format!(
        "{model}, {cores} cores, {memory} GiB, {}",
        chrono::Utc::now().date_naive()
    )
}

fn say(line: &str) {
    // Nothing can be done about a closed terminal.
    let _ = writeln!(std::io::stderr(), "{line}");
}
