//! The telephone as a backend.

use std::sync::Arc;

use async_trait::async_trait;
use roomtone_sip::{CallEvent, CallHandle, HangupBy, Incoming, MediaStats};
use tokio::sync::mpsc;

use crate::{
    Backend, Error,
    backend::{Caller, Capabilities, IncomingCall, Line, LineControl, LineEvent, Quality},
};

/// Calls that arrive at a SIP endpoint.
pub struct SipBackend(mpsc::Receiver<Incoming>);

impl SipBackend {
    /// Takes the endpoint's calls.
    pub fn new(incoming: mpsc::Receiver<Incoming>) -> Self {
        SipBackend(incoming)
    }
}

#[async_trait]
impl Backend for SipBackend {
    fn name(&self) -> &'static str {
        "sip"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            interruption: true,
            dtmf_signaling: true,
            dtmf_inband: false,
        }
    }

    async fn next(&mut self) -> Option<Box<dyn IncomingCall>> {
        let incoming = self.0.recv().await?;
        let info = &incoming.info;
        let caller = Caller {
            call_id: info.call_id.clone(),
            trace: info.trace.clone(),
            address: info.from_user.clone().unwrap_or_default(),
            callee: info.to_user.clone().unwrap_or_default(),
        };
        Some(Box::new(SipCall { caller, incoming }))
    }
}

struct SipCall {
    caller: Caller,
    incoming: Incoming,
}

#[async_trait]
impl IncomingCall for SipCall {
    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn answer(self: Box<Self>) -> Result<Line, Error> {
        let call = self.incoming.answer().await.map_err(|e| match e {
            roomtone_sip::Error::Gone => Error::CallerGone,
            other => Error::Line(other.to_string()),
        })?;
        let (sender, events) = mpsc::unbounded_channel();
        let mut happened = call.events;
        tokio::spawn(async move {
            while let Some(event) = happened.recv().await {
                let event = match event {
                    CallEvent::Established => continue,
                    CallEvent::Held => LineEvent::Held,
                    CallEvent::Resumed => LineEvent::Resumed,
                    CallEvent::Ended { by, reason } => LineEvent::Ended { by: who(by), reason },
                };
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        Ok(Line {
            codec: call.codec,
            inbound: call.media.inbound,
            outbound: call.media.outbound,
            sent: call.media.sent,
            events,
            control: Box::new(SipControl {
                handle: call.handle,
                stats: call.media.stats,
            }),
        })
    }

    async fn refuse(self: Box<Self>, code: u16, reason: &str) {
        self.incoming.refuse(code, reason).await;
    }
}

fn who(by: HangupBy) -> &'static str {
    match by {
        HangupBy::Us => "desk",
        HangupBy::Them => "caller",
        HangupBy::Failure => "failure",
    }
}

struct SipControl {
    handle: CallHandle,
    stats: Arc<MediaStats>,
}

#[async_trait]
impl LineControl for SipControl {
    async fn hang_up(&self, reason: &str) {
        self.handle.hangup(reason).await;
    }

    fn quality(&self) -> Quality {
        let s = self.stats.snapshot();
        Quality {
            received: s.received,
            lost: s.lost,
            sent: s.sent,
            jitter_ms: s.jitter_ms,
        }
    }
}
