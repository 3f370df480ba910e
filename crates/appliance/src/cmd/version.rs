//! `roomtone version`

use std::process::ExitCode;

use anyhow::Result;
use roomtone_speech::{flite::Flite, pocketsphinx};
use serde_json::json;

use super::Place;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  roomtone version --json")]
pub(crate) struct Args {
    /// For programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<ExitCode> {
    let speech = place.load().map(|l| l.config.speech).unwrap_or_default();
    let ears = pocketsphinx::probe(&speech.model).err().map(|e| e.to_string());
    let voice = Flite::new().err().map(|e| e.to_string());
    if args.json {
        let engines = json!({ "pocketsphinx": ears.is_none(), "flite": voice.is_none() });
        outln!(
            "{}",
            json!({ "version": env!("CARGO_PKG_VERSION"), "target": target(), "engines": engines })
        );
    } else {
        outln!("roomtone {} ({})", env!("CARGO_PKG_VERSION"), target());
        for (name, missing) in [("pocketsphinx", ears), ("flite", voice)] {
            outln!("  {name:<13} {}", missing.as_deref().unwrap_or("installed"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}
