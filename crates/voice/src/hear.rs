//! From what was heard to the room: one turn after the other.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use roomtone_base::Evidence;
use roomtone_room::{
    EventContent, EventDraft, EventType, HookPayload, HookTrigger, InboundMessage, Map, SendEvent,
    SystemContent, Visibility,
};
use roomtone_speech::{Error, Transcription};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::{
    parts::Parts,
    progress::ProgressEvent,
    session::{Command, Session},
    speaker::TurnTimes,
};

/// The recogniser works ahead and has milliseconds of work left; one that needs longer is stuck.
const WORDS_WITHIN: Duration = Duration::from_secs(3);
/// Refused sound shorter than this was no attempt to speak: nobody asks "pardon?" at a cough.
const NO_ATTEMPT: Duration = Duration::from_millis(750);

/// An utterance whose words are being found.
pub(crate) struct HeardTurn {
    pub(crate) words: oneshot::Receiver<Result<Transcription, Error>>,
    pub(crate) times: TurnTimes,
}

/// What a session tells its room.
pub(crate) enum TurnInput {
    Speech(HeardTurn),
    Unclear,
    NoInput,
    Keys(String),
    Note { code: &'static str, data: Value },
    Ended { by: &'static str, reason: String },
}

/// Takes a session's turns to its room, in order, until it has ended.
pub(crate) async fn answer_turns(
    session: Arc<Session>,
    parts: Arc<Parts>,
    mut turns: mpsc::UnboundedReceiver<TurnInput>,
) {
    while let Some(turn) = turns.recv().await {
        match turn {
            TurnInput::Speech(heard) => speech(&session, &parts, heard).await,
            TurnInput::Unclear => tell_desk(&session, &parts, "no_match").await,
            TurnInput::NoInput => tell_desk(&session, &parts, "no_input").await,
            TurnInput::Keys(digits) => {
                let mut message = message(&session, &parts, EventContent::text(digits));
                message.event_type = Some(EventType::Dtmf);
                into_room(&session, &parts, message).await;
            }
            TurnInput::Note { code, data } => note(&session, &parts, code, data).await,
            TurnInput::Ended { by, reason } => {
                note(
                    &session,
                    &parts,
                    "session_ended",
                    json!({ "by": by, "reason": reason }),
                )
                .await;
                break;
            }
        }
    }
    if let Err(error) = parts.engine.close_room(&session.room).await {
        tracing::warn!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace, %error,
            "the room of an ended call stays open");
    }
    // The service is gone only when nothing is counted any more.
    let _ = parts.ended.send(session);
}

fn message(session: &Session, parts: &Parts, content: EventContent) -> InboundMessage {
    let mut message = InboundMessage::new(parts.channel.clone(), session.caller.address.clone(), content);
    message.trace = Some(session.caller.trace.clone());
    message
        .metadata
        .insert("call_id".into(), session.caller.call_id.as_str().into());
    message
}

async fn speech(session: &Arc<Session>, parts: &Arc<Parts>, heard: HeardTurn) {
    let timeout = parts.clock.sleep(WORDS_WITHIN);
    let words = match select(heard.words, timeout).await {
        Either::Left((Ok(words), _)) => words,
        Either::Left((Err(_), _)) => Err(engine(parts, "its thread ended")),
        Either::Right(_) => Err(Error::Timeout {
            engine: parts.stt.name(),
            after: WORDS_WITHIN,
        }),
    };
    let words = match words {
        Ok(words) => words,
        Err(error) => {
            tracing::error!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                %error, "an utterance was not heard");
            let data = Map::from_iter([
                ("provider".to_owned(), parts.stt.name().into()),
                ("error".to_owned(), error.to_string().into()),
            ]);
            parts.emit(session, "stt_error", data);
            return tell_desk(session, parts, "no_match").await;
        }
    };
    let times = TurnTimes {
        words: parts.clock.mono(),
        ..heard.times
    };
    evidence(session, parts, &words);
    if words.rejected && words.heard < NO_ATTEMPT {
        let _ = session.commands.send(Command::NothingToAnswer);
        return;
    }
    parts.tell(
        session,
        ProgressEvent::Heard {
            text: words.text.clone(),
            confidence: words.confidence,
            rejected: words.rejected,
        },
    );
    *session.answering.lock().unwrap_or_else(PoisonError::into_inner) = Some(times);
    if words.rejected {
        tell_desk(session, parts, "no_match").await;
    } else {
        accepted(session, parts, words).await;
    }
    session
        .answering
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
}

fn engine(parts: &Parts, problem: &str) -> Error {
    Error::Engine {
        engine: parts.stt.name(),
        problem: problem.to_owned(),
    }
}

fn evidence(session: &Session, parts: &Parts, words: &Transcription) {
    parts.evidence.record(
        Evidence::new(
            session.caller.trace.clone(),
            parts.clock.now(),
            "speech.heard",
            parts.stt.name(),
        )
        .call(session.caller.call_id.clone())
        .room(session.room.clone())
        .with("words", words.text.split_whitespace().count())
        .with(
            "confidence",
            f64::from((words.confidence * 100.0).round()) / 100.0,
        )
        .with("rejected", words.rejected)
        .with("heard_ms", words.heard.as_millis() as u64)
        .with("took_ms", words.took.as_millis() as u64),
    );
}

/// The words pass their hook, which fails closed (VP-111), and enter the room.
async fn accepted(session: &Arc<Session>, parts: &Arc<Parts>, words: Transcription) {
    let payload = HookPayload::Text(words.text);
    let verdict = parts
        .engine
        .ask_hooks(
            HookTrigger::OnTranscription,
            &session.room,
            parts.source(),
            payload,
        )
        .await;
    let text = match verdict.map(|v| (v.blocked, v.payload)) {
        Ok((None, HookPayload::Text(text))) => text,
        Ok((blocked, _)) => {
            let hook = blocked.map(|(name, _)| name);
            tracing::info!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                ?hook, "a transcript was blocked");
            let _ = session.commands.send(Command::NothingToAnswer);
            return;
        }
        Err(error) => {
            tracing::error!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                %error, "a transcript was dropped: its hooks could not be asked");
            let _ = session.commands.send(Command::NothingToAnswer);
            return;
        }
    };
    let mut message = message(session, parts, EventContent::text(text));
    let confidence = (f64::from(words.confidence) * 1_000.0).round() / 1_000.0;
    message.metadata.insert("confidence".into(), json!(confidence));
    message.metadata.insert("language".into(), words.language.into());
    into_room(session, parts, message).await;
}

/// Something happened that is not words: the desk is asked through the room like for words.
async fn tell_desk(session: &Arc<Session>, parts: &Arc<Parts>, code: &str) {
    let message = message(session, parts, EventContent::system(code, ""));
    into_room(session, parts, message).await;
}

async fn into_room(session: &Arc<Session>, parts: &Arc<Parts>, message: InboundMessage) {
    match parts
        .engine
        .process_inbound(message, Some(session.room.clone()))
        .await
    {
        Ok(result) if result.blocked => {
            tracing::info!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                reason = result.reason, "the room refused a turn");
            let _ = session.commands.send(Command::NothingToAnswer);
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                %error, "a turn could not be taken to the room");
            let _ = session.commands.send(Command::NothingToAnswer);
        }
    }
}

/// Writes down what only the host reads.
pub(crate) async fn note(session: &Arc<Session>, parts: &Arc<Parts>, code: &str, data: Value) {
    let data = match data {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let content = EventContent::System(SystemContent {
        code: code.to_owned(),
        message: String::new(),
        data,
    });
    let draft = EventDraft {
        event_type: EventType::System,
        visibility: Visibility::Internal,
        ..EventDraft::new(content)
    };
    let mut send = SendEvent::new(session.room.clone(), parts.channel.clone(), draft);
    send.trace = Some(session.caller.trace.clone());
    if let Err(error) = parts.engine.send_event(send).await {
        tracing::error!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace, %error,
            code, "a note about the call could not be written");
    }
}
