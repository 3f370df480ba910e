//! `roomtone transcript`

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use roomtone_base::RoomId;
use roomtone_room::{Room, RoomEvent, RoomQuery, Store};
use roomtone_store::SqliteRoomStore;
use roomtone_voice::{Transcript, Waterfall};

use super::Place;

/// Rows read at once.
const PAGE: usize = 500;

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
    let path = place.state_to_read()?.join("rooms.db");
    anyhow::ensure!(
        path.exists(),
        "there are no calls in {} → name the box's state folder with --state DIR",
        path.display()
    );
    let store = SqliteRoomStore::open(&path)?;
    let room = find(&store, &args.which)?;
    let mut events: Vec<Arc<RoomEvent>> = Vec::new();
    loop {
        let page = store.events_sync(&room.id, events.last().map(|e| e.index), PAGE)?;
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let transcript = Transcript::read(&room, &events);
    if args.json {
        outln!("{}", serde_json::to_string(&transcript)?);
    } else {
        print(&transcript);
    }
    Ok(ExitCode::SUCCESS)
}

/// The room of a name: its own, its call's, or the last one's.
pub(crate) fn find(store: &SqliteRoomStore, which: &str) -> Result<Arc<Room>> {
    if which == "last" {
        return store.find_room_sync(None)?.context("there has been no call yet");
    }
    if let Some(room) = store.find_room_sync(Some(&RoomId::from(which)))? {
        return Ok(room);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut query = RoomQuery {
        limit: PAGE,
        ..RoomQuery::default()
    };
    loop {
        let rooms = runtime.block_on(store.rooms(&query))?;
        if rooms.is_empty() {
            bail!(
                "there is no room and no call named {which:?} → `roomtone transcript last` shows the newest"
            );
        }
        query.offset += rooms.len();
        let of_call = |room: &Arc<Room>| room.metadata.get("call_id").and_then(|c| c.as_str()) == Some(which);
        if let Some(room) = rooms.into_iter().find(of_call) {
            return Ok(room);
        }
    }
}

fn print(transcript: &Transcript) {
    let call = transcript.call_id.as_deref().unwrap_or("no call");
    let end = transcript.ended.map_or("not ended".to_owned(), |e| {
        format!(
            "{:.0} s",
            (e - transcript.started).total(jiff::Unit::Second).unwrap_or(0.0)
        )
    });
    outln!(
        "{call}  {}  {end}",
        transcript.started.strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    for turn in &transcript.turns {
        let mark = if turn.interrupted { " (interrupted)" } else { "" };
        let sure = turn
            .confidence
            .map_or(String::new(), |c| format!("  [{:.0} % sure]", c * 100.0));
        outln!("{:>8}  {}{sure}{mark}", turn.who, turn.text);
        if let Some(w) = &turn.waterfall_ms {
            outln!("{:>8}  {}", "", waterfall(w));
        }
    }
}

fn waterfall(w: &Waterfall) -> String {
    format!(
        "{:.0} ms to first sound (pause {:.0}, words {:.0}, room {:.0}, desk {:.0}, voice {:.0})",
        w.total(),
        w.endpoint,
        w.stt,
        w.room,
        w.desk,
        w.tts
    )
}
