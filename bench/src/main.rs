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
mod sold;
mod till;

use clap::Parser;
use raw::RawLimits;
use report::{Case, Goal, Latency, Report, median};
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
    let mut limits = RawLimits::new(&server);
    engine_cases(&mut bench, &server, &mut limits, arguments.seconds).await?;
    rebuild_cases(&mut bench, &server, arguments.events).await?;
    row_security_cases(&mut bench, &server, folder.path()).await?;
    authorization_cases(&mut bench, &server).await?;
    bus_cases(&mut bench, &server, folder.path()).await?;
    let over_http = served::cases(&mut bench, folder.path(), &mut limits, arguments.seconds).await;
    let sold = sold::cases(&mut bench, folder.path(), &mut limits, arguments.seconds).await;
    bench.report.cases.splice(0..0, limits.into_cases());
    server.stop().await?;
    let table = bench.report.table();
    std::io::stdout().write_all(table.as_bytes())?;
    std::fs::write(&arguments.json, serde_json::to_vec_pretty(&bench.report)?)?;
    over_http?;
    sold?;
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

async fn engine_cases(
    bench: &mut Bench,
    server: &Server,
    limits: &mut RawLimits<'_>,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let spread = "engine: units of 4 events in 4 streams and a claim, 64 in flight";
    let hot = "engine: one hot product in every unit, 256 in flight, sold = stock";
    if bench.wants(spread) {
        let (mut runs, mut inserts) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs {
            limits.log_inserts().await?;
            let run = cases::engine::spread(server, ENGINE_CALLERS, seconds.min(10));
            let (limit, run) = limits.inserts_around(run).await?;
            inserts.push(limit);
            runs.push(run);
        }
        bench.timed(spread, "units/s", &runs, part_of_r1(0.9, inserts));
    }
    if bench.wants(hot) {
        let (mut runs, mut inserts) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs {
            let run = cases::engine::hot(server, HOT_CALLERS, HOT_STOCK);
            let (limit, run) = limits.inserts_around(run).await?;
            inserts.push(limit);
            runs.push(run);
        }
        bench.timed(hot, "units/s", &runs, part_of_r1(1.0, inserts));
    }
    Ok(())
}

const fn part_of_r1(part: f64, limits: Vec<f64>) -> Goal {
    let limit = "r1";
    Goal::PartOf {
        part,
        limit,
        limits,
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

async fn row_security_cases(
    bench: &mut Bench,
    server: &Server,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    if !bench.wants("row security") {
        return Ok(());
    }
    for case in cases::walled_lists::served(folder, bench.runs).await? {
        bench.add(case);
    }
    for case in cases::row_security::lists(server, bench.runs).await? {
        bench.add(case);
    }
    Ok(())
}

async fn authorization_cases(bench: &mut Bench, server: &Server) -> Result<(), Box<dyn Error>> {
    if !bench.wants("authorization: ") {
        return Ok(());
    }
    for case in cases::authorization::costs(server, bench.runs).await? {
        bench.add(case);
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
        self.timed_and_noted(name, unit, runs, goal, vec![]);
    }

    fn timed_and_noted(
        &mut self,
        name: &str,
        unit: &'static str,
        runs: &[(f64, Latency)],
        goal: Goal,
        notes: Vec<String>,
    ) {
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
            notes,
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
