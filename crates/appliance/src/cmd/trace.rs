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
    let loaded = place.load()?;
    let state = place.state(&loaded);
    ensure!(
        state.join("audit.db").exists(),
        "there is no evidence in {} → name the box's state folder with --state DIR",
        state.display()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let records = runtime.block_on(async {
        let log = EvidenceLog::open(state.join("audit.db"))?;
        let mut records = log.records(&TraceId::from(args.which.as_str())).await?;
        if records.is_empty() {
            records = log.records_for_call(&CallId::from(args.which.as_str())).await?;
        }
        if records.is_empty() {
            let store = SqliteRoomStore::open(state.join("rooms.db"))?;
            let room = transcript::find(&store, &args.which).await?;
            if let Some(trace) = room.metadata.get("trace").and_then(|t| t.as_str()) {
                records = log.records(&TraceId::from(trace)).await?;
            }
        } else if let Some(first) = records.first() {
            // A call's records name its trace; the room's and the desk's name only the trace.
            records = log.records(&first.trace.clone()).await?;
        }
        anyhow::Ok(records)
    })?;
    for record in &records {
        if args.json {
            println!("{}", serde_json::to_string(record)?);
        } else {
            let detail: Vec<String> = record.detail.iter().map(|(k, v)| format!("{k}={v}")).collect();
            println!("{}  {:<18} {:<12} {}", record.at.strftime("%H:%M:%S%.3f"), record.step, record.actor, detail.join(" "));
        }
    }
    Ok(ExitCode::SUCCESS)
}
