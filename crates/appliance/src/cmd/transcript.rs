//! `roomtone transcript`

use std::process::ExitCode;

use anyhow::{Context, Result};
use roomtone_base::RoomId;
use roomtone_room::{Room, RoomQuery, Store};
use roomtone_store::SqliteRoomStore;
use roomtone_voice::{Transcript, Waterfall};

use super::Place;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  roomtone transcript last\n  roomtone transcript call-7kq2m4xr --json")]
pub(crate) struct Args {
    /// A room, a call, or `last`.
    #[arg(default_value = "last")]
    which: String,
    /// For programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<ExitCode> {
    let loaded = place.load()?;
    let path = place.state(&loaded).join("rooms.db");
    anyhow::ensure!(
        path.exists(),
        "there are no calls in {} → name the box's state folder with --state DIR",
        path.display()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transcript = runtime.block_on(async {
        let store = SqliteRoomStore::open(&path)?;
        let room = find(&store, &args.which).await?;
        let mut events = Vec::new();
        loop {
            let page = store.events(&room.id, events.len() as u64, 1_000).await?;
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        anyhow::Ok(Transcript::read(&room, &events))
    })?;
    if args.json {
        println!("{}", serde_json::to_string(&transcript)?);
    } else {
        print(&transcript);
    }
    Ok(ExitCode::SUCCESS)
}

/// The room of a name: its own, its call's, or the last one's.
pub(crate) async fn find(store: &SqliteRoomStore, which: &str) -> Result<std::sync::Arc<Room>> {
    if which != "last"
        && let Some(room) = store.room(&RoomId::from(which)).await?
    {
        return Ok(room);
    }
    let rooms = store.rooms(&RoomQuery::default()).await?;
    let of_call = |room: &Room| room.metadata.get("call_id").and_then(|c| c.as_str()) == Some(which);
    let found = match which {
        "last" => rooms.into_iter().max_by_key(|r| (r.created_at, r.id.clone())),
        _ => rooms.into_iter().find(|r| of_call(r)),
    };
    found.with_context(|| match which {
        "last" => "there has been no call yet".to_owned(),
        _ => format!("there is no room and no call named {which:?}"),
    })
}

fn print(transcript: &Transcript) {
    let call = transcript.call_id.as_deref().unwrap_or("no call");
    let end = transcript.ended.map_or("not ended".to_owned(), |e| format!("{:.0} s", (e - transcript.started).total(jiff::Unit::Second).unwrap_or(0.0)));
    println!("{call}  {}  {end}", transcript.started.strftime("%Y-%m-%d %H:%M:%S UTC"));
    for turn in &transcript.turns {
        let mark = if turn.interrupted { " (interrupted)" } else { "" };
        let sure = turn.confidence.map_or(String::new(), |c| format!("  [{:.0} % sure]", c * 100.0));
        println!("{:>8}  {}{sure}{mark}", turn.who, turn.text);
        if let Some(w) = &turn.waterfall_ms {
            println!("{:>8}  {}", "", waterfall(w));
        }
    }
}

fn waterfall(w: &Waterfall) -> String {
    format!("{:.0} ms to first sound (pause {:.0}, words {:.0}, room {:.0}, desk {:.0}, voice {:.0})", w.total(), w.endpoint, w.stt, w.room, w.desk, w.tts)
}
