//! The `soko` program: the whole system in one process, or one part of it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use soko_api::config::Config;
use soko_api::{run, sandbox, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The backend of a multi-vendor, multi-store marketplace.
#[derive(Parser)]
#[command(version, after_help = Config::help())]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the whole system in one process; private servers are started for those that are not
    /// set. This is what happens without a command.
    Serve,
    /// Serves HTTP, and nothing else.
    Api,
    /// Publishes the log to NATS. One relay leads, others stand by.
    Relay,
    /// Keeps read models at the head of the log: those named, or all.
    Worker { names: Vec<String> },
    /// Carries out what crosses time: timers and their consequences.
    ProcessManagers,
    /// Brings the database to the newest form and ends.
    Migrate,
    /// Fills the database with a demo market and tells who can log in there.
    Seed,
    /// Plays the payment providers, without money: for trying and testing.
    Sandbox(sandbox::Arguments),
}

/// A setting cannot be used; the same code that a wrong command line has.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(faults) => {
            tell(&format!("{faults}\n`soko --help` lists all settings."));
            return ExitCode::from(USAGE);
        }
    };
    telemetry::log(&config.log, config.log_format);
    let unknown = Config::unknown_variables(std::env::vars().map(|(name, _)| name));
    if !unknown.is_empty() {
        tracing::warn!(
            names = unknown.join(" "),
            "these variables are not settings of Soko"
        );
    }
    let part = match arguments.command {
        None | Some(Command::Serve) => run::Part::Everything,
        Some(Command::Api) => run::Part::Api,
        Some(Command::Relay) => run::Part::Relay,
        Some(Command::ProcessManagers) => run::Part::ProcessManagers,
        Some(Command::Worker { names }) => run::Part::Workers(names),
        Some(Command::Migrate) => run::Part::Migrations,
        Some(Command::Seed) => run::Part::Seed,
        Some(Command::Sandbox(arguments)) => return ended(sandbox::run(&arguments)),
    };
    ended(run::run(config, part))
}

fn ended(how: Result<(), impl std::error::Error + 'static>) -> ExitCode {
    match how {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("soko: {}", soko_api::problem::Chain(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Before there is a log, and when it may be silent.
#[expect(clippy::print_stderr, reason = "this is the program's own voice")]
fn tell(text: &str) {
    eprintln!("{text}");
}
