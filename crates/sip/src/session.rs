//! One task per call: it alone talks to the dialog, the media thread and the call's owner.

use std::{sync::Arc, time::Duration};

use roomtone_audio::Codec;
use roomtone_base::{Evidence, Mono};
use rsipstack::{
    dialog::{
        dialog::{DialogState, DialogStateReceiver, TerminatedReason, TransactionHandle},
        invite_dialog::InviteDialog,
    },
    sip::{Header, Request, StatusCode, prelude::HeadersExt},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Call, CallEvent, CallHandle, CallInfo, CallMedia, Error, HangupBy,
    call::Command,
    endpoint::{Active, Shared},
    offer,
    own_media::{Ends, Media},
    rtp::digits::{self, Press},
    sdp::Sdp,
    stack::{self, Token, quiet},
};

/// How often a call looks at its media counters.
const WATCH: Duration = Duration::from_millis(200);
/// A call without a first packet for so long is ended (VP-195).
const FIRST_PACKET: Duration = Duration::from_secs(60);
/// A call whose sound has stopped for so long is ended (VP-195). Not while held.
const INACTIVITY: Duration = Duration::from_secs(30);
/// How long a key by INFO waits for the same key by RTP.
const INFO_WAIT: Duration = Duration::from_millis(300);
/// How long a hangup waits for the other side's word; the BYE is repeated in the background beyond that.
const BYE_WAIT: Duration = Duration::from_secs(2);

/// What a call's task starts with.
pub(crate) struct Session {
    shared: Arc<Shared>,
    dialog: InviteDialog,
    states: DialogStateReceiver,
    commands: mpsc::UnboundedReceiver<Command>,
    handle: CallHandle,
    info: CallInfo,
    /// The INVITE's offer; `None` if it had none (late offer).
    offer: Option<Sdp>,
    media: Option<Media>,
    events: mpsc::UnboundedSender<CallEvent>,
    /// Goes out with the call.
    events_out: Option<mpsc::UnboundedReceiver<CallEvent>>,
    /// Set when the caller gives up before an answer.
    cancelled: Token,
    answer: Option<oneshot::Sender<Result<Call, Error>>>,
    established: Option<Mono>,
    answered: bool,
    /// We have offered in a response to the re-INVITE of this number, and the answer comes in its ACK.
    awaiting_answer: Option<u32>,
    held: bool,
    first_packet_told: bool,
    /// Keys that came by INFO: when they may count, and how many had come by RTP when they did.
    info_keys: Vec<(Mono, u64, Press)>,
    ended: bool,
    _active: Active,
}

impl Session {
    /// A call that came in. Run it with [`Session::run`].
    #[allow(clippy::too_many_arguments, reason = "a private constructor with one caller")]
    pub(crate) fn incoming(
        shared: Arc<Shared>,
        dialog: InviteDialog,
        states: DialogStateReceiver,
        commands: mpsc::UnboundedReceiver<Command>,
        handle: CallHandle,
        info: CallInfo,
        offer: Option<Sdp>,
        cancelled: Token,
        active: Active,
    ) -> Self {
        let (events, events_out) = mpsc::unbounded_channel();
        Session {
            shared,
            dialog,
            states,
            commands,
            handle,
            info,
            offer,
            media: None,
            events,
            events_out: Some(events_out),
            cancelled,
            answer: None,
            established: None,
            answered: false,
            awaiting_answer: None,
            held: false,
            first_packet_told: false,
            info_keys: Vec::new(),
            ended: false,
            _active: active,
        }
    }

    /// A call of ours that was answered: its media run, `ends` are their other ends. Run it with [`Session::run`].
    pub(crate) fn placed(mut self, media: Media, ends: Ends) -> (Self, Call) {
        self.media = Some(media);
        self.answered = true;
        self.established = Some(self.shared.clock().mono());
        self.tell_hold();
        let call = self.call(ends);
        self.tell(CallEvent::Established);
        (self, call)
    }

    pub(crate) fn dialog(&self) -> &InviteDialog {
        &self.dialog
    }

    /// Runs until the call is over and its ports are free.
    pub(crate) async fn run(mut self) {
        let clock = self.shared.clock().clone();
        while !self.ended {
            let watch = clock.sleep(WATCH);
            tokio::select! {
                state = self.states.recv() => match state {
                    Some(state) => self.on_state(state).await,
                    None => self.end(HangupBy::Failure, "signalling ended").await,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command).await,
                    None => self.hangup("dropped").await,
                },
                () = watch => self.watch().await,
            }
        }
        // The dialog may still owe a BYE until its ACK has come (RFC 3261 section 15).
        self.bye_after_ack().await;
        self.shared.stack.layer.remove_dialog(&self.dialog.id());
        // A command that came too late is told by its dropped answer.
    }

    fn tell(&self, event: CallEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    fn record(&self, step: &str, with: impl FnOnce(Evidence) -> Evidence) {
        record(&self.shared, &self.info, step, with);
    }

    async fn on_state(&mut self, state: DialogState) {
        match state {
            DialogState::Confirmed(..) if self.established.is_none() => self.on_ack().await,
            DialogState::Confirmed(..) if self.awaiting_answer.is_some() => self.on_late_answer(),
            DialogState::Updated(_, request, handle) => self.on_reinvite(&request, &handle).await,
            DialogState::Info(_, request, handle) => {
                self.on_info(&request);
                respond(&handle, StatusCode::OK, stack::abilities(), None).await;
            }
            DialogState::Options(_, _, handle) => {
                respond(&handle, StatusCode::OK, stack::abilities(), None).await;
            }
            DialogState::Notify(_, _, handle)
            | DialogState::Refer(_, _, handle)
            | DialogState::Message(_, _, handle)
            | DialogState::Publish(_, _, handle) => {
                respond(&handle, StatusCode::MethodNotAllowed, stack::abilities(), None).await;
            }
            DialogState::Terminated(_, reason) => {
                let (by, text) = match reason {
                    TerminatedReason::UacCancel => (HangupBy::Them, "cancelled"),
                    TerminatedReason::Timeout => (HangupBy::Failure, "no ack"),
                    _ if self.answered => (HangupBy::Them, "bye"),
                    _ => (HangupBy::Them, "gave up"),
                };
                self.end(by, text).await;
            }
            _ => {}
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Ring => {
                if !self.answered {
                    // Fails only when the transaction has just ended, which its state tells.
                    let _ = self.dialog.ringing(None, None);
                }
            }
            Command::Answer(reply) => match self.answer_now() {
                Ok(Some(call)) => {
                    if reply.send(Ok(call)).is_err() {
                        self.hangup("nobody there").await;
                    }
                }
                Ok(None) => self.answer = Some(reply),
                Err(error) => {
                    let code = match error {
                        Error::NoCodec => 488,
                        _ => 503,
                    };
                    self.refuse(code, "cannot take the call").await;
                    drop(reply.send(Err(error)));
                }
            },
            Command::Refuse { code, reason, done } => {
                self.refuse(code, &reason).await;
                if let Some(done) = done {
                    let _ = done.send(());
                }
            }
            Command::Hangup { reason, done } => {
                self.hangup(&reason).await;
                let _ = done.send(());
            }
            Command::Press { digit, duration_ms } => {
                if let Some(media) = self.media.as_ref().filter(|m| m.running) {
                    // Full only if the media thread stands still.
                    let _ = self.shared.media.press(media.id, digit, duration_ms);
                }
            }
        }
    }

    /// Sends the 200. With an offer in hand the call is ready at once; else (`None`) when the ACK brings the answer.
    fn answer_now(&mut self) -> Result<Option<Call>, Error> {
        if self.answered || self.dialog.state().is_terminated() {
            return Err(Error::Gone);
        }
        let codecs = vec![Codec::Pcmu, Codec::Pcma];
        let mut media = Media::open(&self.shared, self.info.source, codecs)?;
        let (sdp, agreed) = match &self.offer {
            Some(offer) => {
                let (sdp, n) = offer::answer(offer, &media.local).map_err(|_| Error::NoCodec)?;
                (sdp, Some(n))
            }
            None => (offer::offer(&media.local), None),
        };
        let body = media.say(sdp);
        let ends = match agreed {
            Some(n) => Some(media.start(&self.shared, n)?),
            None => None,
        };
        self.media = Some(media);
        let mut headers = stack::abilities();
        headers.push(Header::ContentType(crate::validate::ACCEPT.into()));
        self.dialog
            .accept(Some(headers), Some(body.into_bytes()))
            .map_err(|_| Error::Gone)?;
        self.answered = true;
        let codec = self.codec();
        tracing::info!(target: "roomtone::sip", call = %self.info.call_id, trace = %self.info.trace,
            codec = codec.map_or("late", Codec::name), "answered");
        self.record("sip.answered", |e| {
            e.with("codec", codec.map_or("late", Codec::name))
        });
        Ok(ends.map(|ends| self.call(ends)))
    }

    fn codec(&self) -> Option<Codec> {
        self.media
            .as_ref()
            .and_then(|m| m.agreed.as_ref())
            .map(|n| n.send.codec)
    }

    fn call(&mut self, ends: Ends) -> Call {
        let stats = self.media.as_ref().map(|m| m.stats.clone()).unwrap_or_default();
        let events = self
            .events_out
            .take()
            .unwrap_or_else(|| mpsc::unbounded_channel().1);
        Call {
            info: self.info.clone(),
            codec: self.codec().unwrap_or(Codec::Pcmu),
            media: CallMedia {
                inbound: ends.inbound,
                outbound: ends.outbound,
                sent: ends.sent,
                stats,
            },
            events,
            handle: self.handle.clone(),
        }
    }

    async fn on_ack(&mut self) {
        self.established = Some(self.shared.clock().mono());
        if let Some(reply) = self.answer.take() {
            let answer = self.ack_description();
            let started = match (answer, &mut self.media) {
                (Some(answer), Some(media)) => offer::accept(&answer, &media.local)
                    .map_err(|_| Error::NoCodec)
                    .and_then(|n| media.start(&self.shared, n)),
                _ => Err(Error::NoCodec),
            };
            match started {
                Ok(ends) => {
                    let call = self.call(ends);
                    if reply.send(Ok(call)).is_err() {
                        self.hangup("nobody there").await;
                        return;
                    }
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                    self.hangup("no usable answer").await;
                    return;
                }
            }
        }
        tracing::debug!(target: "roomtone::sip", call = %self.info.call_id, trace = %self.info.trace, "established");
        self.tell(CallEvent::Established);
    }

    /// The description that the last ACK carried.
    fn ack_description(&self) -> Option<Sdp> {
        let ack = self.dialog.last_remote_ack()?;
        std::str::from_utf8(&ack.body)
            .ok()
            .and_then(|t| Sdp::parse(t).ok())
    }

    fn on_late_answer(&mut self) {
        // The ACK of an earlier re-INVITE may be told only now.
        let number = self
            .dialog
            .last_remote_ack()
            .and_then(|a| a.cseq_header().and_then(|c| c.seq()).ok());
        if number != self.awaiting_answer {
            return;
        }
        self.awaiting_answer = None;
        let answer = self.ack_description();
        let Some(media) = &mut self.media else { return };
        if let Some(n) = answer.and_then(|a| offer::accept(&a, &media.local).ok()) {
            media.change(&self.shared, n);
            self.tell_hold();
        }
    }

    /// A re-INVITE: hold, resume, another address, or just a sign of life. Without a body we offer what holds now.
    async fn on_reinvite(&mut self, request: &Request, handle: &TransactionHandle) {
        let Some(media) = &mut self.media else {
            respond(handle, status(491), Vec::new(), None).await;
            return;
        };
        let answer = if request.body.is_empty() {
            self.awaiting_answer = request.cseq_header().and_then(|c| c.seq()).ok();
            Ok(offer::offer(&media.local))
        } else {
            let parsed = std::str::from_utf8(&request.body)
                .ok()
                .and_then(|t| Sdp::parse(t).ok());
            parsed
                .and_then(|o| offer::answer(&o, &media.local).ok())
                .map_or(Err(()), |(sdp, n)| {
                    media.change(&self.shared, n);
                    Ok(sdp)
                })
        };
        match answer {
            Ok(sdp) => {
                let body = media.say(sdp).into_bytes();
                let mut headers = stack::abilities();
                headers.push(Header::ContentType(crate::validate::ACCEPT.into()));
                respond(handle, StatusCode::OK, headers, Some(body)).await;
                self.tell_hold();
            }
            Err(()) => respond(handle, status(488), Vec::new(), None).await,
        }
    }

    /// A key by INFO counts only if none comes by RTP with it: some telephones send both.
    fn on_info(&mut self, request: &Request) {
        let Some(media) = self.media.as_ref().filter(|m| m.running) else {
            return;
        };
        let kind = request.header_value("Content-Type").unwrap_or_default();
        let press = std::str::from_utf8(&request.body)
            .ok()
            .and_then(|b| digits::from_info(&kind, b));
        if let Some(press) = press.filter(|_| self.info_keys.len() < digits::QUEUE) {
            let due = self.shared.clock().mono() + INFO_WAIT;
            self.info_keys.push((due, media.stats.snapshot().digits, press));
        }
    }

    fn take_info_keys(&mut self) {
        let now = self.shared.clock().mono();
        let Some(media) = self.media.as_ref().filter(|m| m.running) else {
            return;
        };
        let by_rtp = media.stats.snapshot().digits;
        self.info_keys.retain(|(due, before, press)| {
            if now < *due {
                return true;
            }
            if *before == by_rtp {
                self.shared.media.heard(media.id, press.digit, press.duration_ms);
            }
            false
        });
    }

    fn tell_hold(&mut self) {
        let held = self
            .media
            .as_ref()
            .and_then(|m| m.agreed.as_ref())
            .is_some_and(|n| !n.we_send);
        if held != self.held {
            self.held = held;
            tracing::debug!(target: "roomtone::sip", call = %self.info.call_id, trace = %self.info.trace, held, "hold");
            self.tell(if held { CallEvent::Held } else { CallEvent::Resumed });
        }
    }

    async fn watch(&mut self) {
        self.take_info_keys();
        let Some(stats) = self
            .media
            .as_ref()
            .filter(|m| m.running)
            .map(|m| m.stats.snapshot())
        else {
            return;
        };
        if let (Some(at), false) = (stats.first_packet_at, self.first_packet_told) {
            self.first_packet_told = true;
            let kind = if self.info.source.ip().is_loopback() {
                "loopback"
            } else {
                "network"
            };
            self.record("rtp.first_packet", |e| {
                e.with("ssrc", stats.ssrc.unwrap_or(0))
                    .with("source", kind)
                    .with("mono_ms", at.as_millis())
            });
        }
        let Some(established) = self.established else {
            return;
        };
        let agreed = self.media.as_ref().and_then(|m| m.agreed.as_ref());
        if self.held || agreed.is_some_and(|n| !n.they_send) {
            // Held calls are silent by agreement; the clock starts anew with the resume.
            self.established = Some(self.shared.clock().mono());
            return;
        }
        let now = self.shared.clock().mono();
        let dead = match stats.last_packet_at {
            None => now.since(established) >= FIRST_PACKET,
            Some(last) => now.since(last.max(established)) >= INACTIVITY,
        };
        if dead {
            self.bye("no media").await;
            self.end(HangupBy::Failure, "no media").await;
        }
    }

    async fn refuse(&mut self, code: u16, reason: &str) {
        if self.answered || self.ended {
            return;
        }
        let code = if (400..700).contains(&code) { code } else { 480 };
        let text = match stack::reason(code, reason) {
            Header::Reason(r) if !reason.is_empty() => {
                Some(rsipstack::sip::prelude::UntypedHeader::value(&r).to_owned())
            }
            _ => None,
        };
        // Fails only when the transaction has just ended.
        let _ = self.dialog.reject(Some(status(code)), text);
        tracing::info!(target: "roomtone::sip", call = %self.info.call_id, trace = %self.info.trace, code, "refused");
        self.end(HangupBy::Us, reason).await;
    }

    async fn hangup(&mut self, reason: &str) {
        if self.ended {
            return;
        }
        if !self.answered {
            self.refuse(480, reason).await;
            return;
        }
        self.bye(reason).await;
        self.end(HangupBy::Us, reason).await;
    }

    /// Sends BYE, if the dialog is in a state for it, and waits a little for the answer.
    async fn bye(&mut self, reason: &str) {
        if let Some(media) = &mut self.media {
            media.stop(&self.shared).await;
        }
        if self.dialog.state().waiting_ack() {
            return;
        }
        self.send_bye(reason).await;
    }

    async fn send_bye(&self, reason: &str) {
        let dialog = self.dialog.clone();
        let headers = vec![stack::reason(200, reason)];
        let bye = tokio::spawn(quiet(async move {
            dialog.hangup_with_headers(Some(headers)).await.is_ok()
        }));
        let wait = self.shared.clock().sleep(BYE_WAIT);
        tokio::select! {
            _ = bye => {}
            () = wait => {}
        }
    }

    /// The callee must not send BYE before the ACK or the end of its wait for it (RFC 3261 section 15): a call hung
    /// up in between ends here.
    async fn bye_after_ack(&mut self) {
        while self.dialog.state().waiting_ack() {
            if self.states.recv().await.is_none() {
                return;
            }
        }
        if self.dialog.state().is_confirmed() {
            self.send_bye("hung up").await;
        }
    }

    /// The call is over: media stops, the owner is told. Nothing happens the second time.
    async fn end(&mut self, by: HangupBy, reason: &str) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.cancelled.cancel();
        if let Some(media) = &mut self.media {
            media.stop(&self.shared).await;
        }
        if let Some(reply) = self.answer.take() {
            let _ = reply.send(Err(Error::Gone));
        }
        let stats = self
            .media
            .as_ref()
            .map(|m| m.stats.snapshot())
            .unwrap_or_default();
        tracing::info!(target: "roomtone::sip", call = %self.info.call_id, trace = %self.info.trace, ?by, reason,
            received = stats.received, lost = stats.lost, sent = stats.sent, "ended");
        let by_text = match by {
            HangupBy::Us => "us",
            HangupBy::Them => "them",
            HangupBy::Failure => "failure",
        };
        self.record("sip.ended", |e| {
            e.with("by", by_text)
                .with("reason", reason)
                .with("received", stats.received)
                .with("lost", stats.lost)
                .with("sent", stats.sent)
        });
        self.tell(CallEvent::Ended {
            by,
            reason: reason.to_owned(),
        });
    }
}

/// Writes a step of a call down.
pub(crate) fn record(shared: &Shared, info: &CallInfo, step: &str, with: impl FnOnce(Evidence) -> Evidence) {
    let evidence =
        Evidence::new(info.trace.clone(), shared.clock().now(), step, "sip").call(info.call_id.clone());
    shared.deps.evidence.record(with(evidence));
}

fn status(code: u16) -> StatusCode {
    stack::status(code)
}

async fn respond(
    handle: &TransactionHandle,
    status: StatusCode,
    headers: Vec<Header>,
    body: Option<Vec<u8>>,
) {
    // The transaction may be gone; then nobody waits for an answer.
    let _ = handle.respond(status, Some(headers), body).await;
}
