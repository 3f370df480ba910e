//! The `roomtone` program: command line, configuration, supervision. Wiring only.

/// Prints a line. A reader who has gone away (`| head`) is no reason to fail, as it is with `println!`.
macro_rules! outln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod cmd;
mod config;
#[cfg(test)]
mod config_page;
mod house;
mod live;
mod logging;
mod problem;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// A voice front desk in a box: answers calls with speech recognition and synthesis of its own.
#[derive(Parser)]
#[command(
    name = "roomtone",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    /// Configuration file; further ones are read from `conf.d/` beside it.
    #[arg(long, global = true, value_name = "FILE", default_value = config::DEFAULT_CONFIG)]
    config: PathBuf,
    /// Folder for everything that is kept; wins over `[store] path`.
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Answer calls until stopped.
    Run(cmd::run::Args),
    /// Find what is wrong with configuration, desk and engines, without starting.
    Check(cmd::check::Args),
    /// Place a call, as a telephone would.
    Call(cmd::call::Args),
    /// Show what was said in a call.
    Transcript(cmd::transcript::Args),
    /// Show everything that happened in a call, from packet to answer.
    Trace(cmd::trace::Args),
    /// Show the version, and which speech engines are installed.
    Version(cmd::version::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let place = cmd::Place {
        config: cli.config,
        state: cli.state,
    };
    let done = match cli.verb {
        Verb::Run(args) => cmd::run::run(&place, &args),
        Verb::Check(args) => cmd::check::run(&place, &args),
        Verb::Call(args) => cmd::call::run(&place, &args),
        Verb::Transcript(args) => cmd::transcript::run(&place, &args),
        Verb::Trace(args) => cmd::trace::run(&place, &args),
        Verb::Version(args) => cmd::version::run(&place, &args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("roomtone: {}", problem::one_line(&error));
        ExitCode::from(1)
    })
}
