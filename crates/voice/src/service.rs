//! Takes calls from the backends and lets them run.

use std::{sync::Arc, time::Duration};

use roomtone_room::{Attach, EventContent, InboundMessage, Map, NewRoom, SystemContent};
use serde_json::json;
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
};

use crate::{
    Backend, Error, Progress, VoiceChannel,
    backend::IncomingCall,
    hear::note,
    parts::{Parts, VoiceParts},
    session::{Command, Session, SessionState},
};

/// Progress events kept for a slow watcher; older ones are lost to it.
const WATCHED: usize = 512;

/// The front of the voice channel.
#[derive(Clone)]
pub struct VoiceService {
    parts: Arc<Parts>,
    channel: Arc<VoiceChannel>,
    tasks: Arc<std::sync::Mutex<Vec<JoinHandle<()>>>>,
}

impl VoiceService {
    /// Registers `channel` with the engine and is ready to [`serve`](Self::serve).
    ///
    /// # Errors
    /// The engine has such a channel already.
    pub fn new(parts: VoiceParts, channel: Arc<VoiceChannel>) -> Result<Self, Error> {
        use roomtone_room::Channel as _;
        parts.engine.register_channel(channel.clone())?;
        let (progress, _) = broadcast::channel(WATCHED);
        let (ended, mut gone) = mpsc::unbounded_channel::<Arc<Session>>();
        let parts = Arc::new(Parts {
            given: parts,
            channel: channel.id().clone(),
            progress,
            ended,
        });
        let (sessions, pool) = (channel.clone(), parts.pool.clone());
        let reaper = tokio::spawn(async move {
            while let Some(session) = gone.recv().await {
                sessions.unbind(&session.room);
                pool.reap();
            }
        });
        Ok(VoiceService {
            parts,
            channel,
            tasks: Arc::new(std::sync::Mutex::new(vec![reaper])),
        })
    }

    /// What happens in the calls from now on.
    pub fn watch(&self) -> broadcast::Receiver<Progress> {
        self.parts.progress.subscribe()
    }

    /// Calls that are not over.
    pub fn calls(&self) -> usize {
        self.channel.sessions().len()
    }

    /// Takes calls from `backend` until it closes.
    pub fn serve(&self, mut backend: Box<dyn Backend>) {
        let service = self.clone();
        let task = tokio::spawn(async move {
            while let Some(call) = backend.next().await {
                let service = service.clone();
                tokio::spawn(async move { service.take(call).await });
            }
        });
        self.tasks
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(task);
    }

    /// A call enters its room like any message; it is answered once that message is committed (VP-025).
    async fn take(&self, call: Box<dyn IncomingCall>) {
        let parts = &self.parts;
        let caller = call.caller().clone();
        let room = parts.ids.make();
        let session = Session::new(parts.ids.make(), room, call, parts.clone());
        if let Err(error) = self.enter(&session).await {
            tracing::error!(target: "roomtone::voice", call = %caller.call_id, trace = %caller.trace, %error,
                "a call could not be taken");
            session.refuse(503, "the call cannot be taken now").await;
        }
    }

    async fn enter(&self, session: &Arc<Session>) -> Result<(), Error> {
        let parts = &self.parts;
        let caller = &session.caller;
        let room = &session.room;
        let facts = Map::from_iter([
            ("call_id".to_owned(), json!(caller.call_id.as_str())),
            ("trace".to_owned(), json!(caller.trace.as_str())),
        ]);
        let new = NewRoom {
            id: Some(room.clone()),
            metadata: facts,
            ..NewRoom::default()
        };
        parts.engine.create_room(new).await?;
        parts
            .engine
            .attach_channel(room, &parts.channel, Attach::default())
            .await?;
        parts
            .engine
            .attach_channel(room, &parts.desk, Attach::default())
            .await?;
        let data = Map::from_iter([
            ("caller".to_owned(), json!(caller.address)),
            ("callee".to_owned(), json!(caller.callee)),
        ]);
        let content = EventContent::System(SystemContent {
            code: "session_started".into(),
            message: String::new(),
            data,
        });
        let mut message = InboundMessage::new(parts.channel.clone(), caller.address.clone(), content);
        message.trace = Some(caller.trace.clone());
        message.session = Some(roomtone_room::SessionHandle::new(session.clone()));
        message
            .metadata
            .insert("call_id".into(), caller.call_id.as_str().into());
        let result = parts.engine.process_inbound(message, Some(room.clone())).await?;
        if result.blocked {
            tracing::info!(target: "roomtone::voice", call = %caller.call_id, trace = %caller.trace,
                reason = result.reason, "a call was refused by the room");
            session.refuse(603, "refused").await;
            self.leave(session).await;
        } else if session.state() == SessionState::Connecting {
            // The caller gave up before the answer, or no line could be agreed upon.
            tracing::info!(target: "roomtone::voice", call = %caller.call_id, trace = %caller.trace,
                "a call ended before it was connected");
            session.refuse(503, "the line could not be opened").await;
            session.become_state(SessionState::Ended);
            self.leave(session).await;
        }
        Ok(())
    }

    /// Closes the room of a call that was never connected: nobody else will.
    async fn leave(&self, session: &Arc<Session>) {
        let end = json!({ "by": "failure", "reason": "not connected" });
        note(session, &self.parts, "session_ended", end).await;
        if let Err(error) = self.parts.engine.close_room(&session.room).await {
            tracing::warn!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                %error, "the room of a call that was not connected stays open");
        }
    }

    /// Says the closing words to every caller and waits, at most `within`, until all calls are over.
    pub async fn close(&self, within: Duration) {
        for session in self.channel.sessions() {
            let _ = session.commands.send(Command::Close);
        }
        let clock = &self.parts.clock;
        let deadline = clock.mono() + within;
        while self.calls() > 0 && clock.mono() < deadline {
            clock.sleep(Duration::from_millis(10)).await;
        }
        let tasks = std::mem::take(
            &mut *self
                .tasks
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        tasks.iter().for_each(JoinHandle::abort);
    }
}
