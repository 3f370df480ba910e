//! `roomtone trace`

use std::process::ExitCode;

use anyhow::{Result, ensure};
use roomtone_base::{CallId, TraceId};
use roomtone_store::{EvidenceLog, SqliteRoomStore};

use super::{Place, transcript};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  roomtone trace last")]
pub(crate) struct Args {
    /// A call, a trace, a room, or `last`.
    #[arg(default_value = "last")]
    which: String,
    /// For programs: one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<ExitCode> {
    let state = place.state_to_read()?;
    ensure!(
        state.join("audit.db").exists(),
        "there is no evidence in {} → name the box's state folder with --state DIR",
        state.display()
    );
    let log = EvidenceLog::open(state.join("audit.db"))?;
    let mut records = log.records_for_call(&CallId::from(args.which.as_str()))?;
    if records.is_empty() {
        records = log.records(&TraceId::from(args.which.as_str()))?;
    }
    if records.is_empty() {
        let room = transcript::find(&SqliteRoomStore::open(state.join("rooms.db"))?, &args.which)?;
        if let Some(trace) = room.metadata.get("trace").and_then(|t| t.as_str()) {
            records = log.records(&TraceId::from(trace))?;
        }
    }
    for record in &records {
        if args.json {
            outln!("{}", serde_json::to_string(record)?);
        } else {
            let detail: Vec<String> = record.detail.iter().map(|(k, v)| format!("{k}={v}")).collect();
            outln!(
                "{}  {:<18} {:<12} {}",
                record.at.strftime("%H:%M:%S%.3f"),
                record.step,
                record.actor,
                detail.join(" ")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
