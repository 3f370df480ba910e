//! From an answer's words to its sound: clause by clause, each past its hook.

use std::sync::{Arc, PoisonError};

use roomtone_base::Evidence;
use roomtone_room::{HookPayload, HookTrigger, RoomEvent};
use tokio::sync::mpsc;

use crate::{
    parts::Parts,
    session::{Command, Session},
    speaker::{Answer, Piece},
};

impl Session {
    /// Begins to make `text`'s sound and hands it to the running session.
    pub(crate) async fn say(self: &Arc<Self>, event: Option<&Arc<RoomEvent>>, text: &str) {
        let parts = self.parts();
        let delivered = parts.clock.mono();
        let flag = |key: &str| {
            event
                .and_then(|e| e.metadata.get(key))
                .and_then(serde_json::Value::as_bool)
        };
        let mut turn = self
            .answering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(turn) = &mut turn {
            let desk = event
                .and_then(|e| e.metadata.get("desk.ms"))
                .and_then(serde_json::Value::as_f64);
            turn.desk_ms = desk.unwrap_or(0.0);
        }
        let (sender, pieces) = mpsc::unbounded_channel();
        let answer = Answer {
            event: event.map(|e| e.id.clone()),
            text: text.to_owned(),
            end_call: flag("desk.end_call").unwrap_or(false),
            turn,
            delivered,
            pieces,
        };
        tokio::spawn(make(self.clone(), parts.clone(), roomtone_lang::sentences(text), sender));
        // A session that ended meanwhile has nobody to speak to.
        let _ = self.commands.send(Command::Say(answer));
    }
}

async fn make(
    session: Arc<Session>,
    parts: Arc<Parts>,
    clauses: Vec<String>,
    sound: mpsc::UnboundedSender<Piece>,
) {
    for clause in clauses {
        let Some(clause) = passed(&session, &parts, clause).await else {
            continue;
        };
        let mut stream = match parts.tts.speak(&clause, &parts.voice) {
            Ok(stream) => stream,
            Err(error) => return failed(&session, &parts, &error),
        };
        while let Some(piece) = stream.next().await {
            match piece {
                // Cut off: nobody listens, the engine is stopped by dropping the stream.
                Ok(piece) => {
                    if sound.send(piece).is_err() {
                        return;
                    }
                }
                Err(error) => return failed(&session, &parts, &error),
            }
        }
    }
}

/// Asks the hooks whether and how a clause may be spoken; whatever goes wrong there, it is not (VP-114, RE-095).
async fn passed(session: &Session, parts: &Parts, clause: String) -> Option<String> {
    let payload = HookPayload::Text(clause);
    let verdict = parts
        .engine
        .ask_hooks(HookTrigger::BeforeTts, &session.room, parts.source(), payload)
        .await;
    match verdict {
        Ok(verdict) => match (verdict.blocked, verdict.payload) {
            (None, HookPayload::Text(text)) => Some(text).filter(|t| !t.trim().is_empty()),
            (blocked, _) => {
                let hook = blocked.map(|(name, _)| name);
                tracing::warn!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                    ?hook, "a clause is not spoken");
                None
            }
        },
        Err(error) => {
            tracing::error!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                %error, "a clause is not spoken: its hooks could not be asked");
            None
        }
    }
}

fn failed(session: &Session, parts: &Parts, error: &roomtone_speech::Error) {
    tracing::error!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace, %error,
        "an answer could not be spoken");
    let mut data = roomtone_room::Map::new();
    data.insert("provider".into(), parts.tts.name().into());
    data.insert("error".into(), error.to_string().into());
    parts.emit(session, "tts_error", data);
    parts.evidence.record(
        Evidence::new(
            session.caller.trace.clone(),
            parts.clock.now(),
            "voice.failed",
            "voice",
        )
        .call(session.caller.call_id.clone())
        .room(session.room.clone())
        .with("error", error.to_string()),
    );
}
