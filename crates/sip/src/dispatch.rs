//! Requests that open a transaction: which call they belong to, or what they are told.

use std::sync::Arc;

use rsipstack::{
    dialog::dialog::Dialog,
    sip::{Header, Method, Request, StatusCode, prelude::HeadersExt},
    transaction::{TransactionReceiver, transaction::Transaction},
};
use tokio::sync::mpsc;

use crate::{
    CallHandle, CallInfo, Incoming,
    endpoint::{Active, Shared},
    message::{NameAddr, user_of},
    offer::{self, Local},
    sdp::Sdp,
    session::{Session, record},
    stack::{self, Token, quiet},
};

/// Seconds after which a caller who got 503 may try again.
const RETRY_AFTER_S: u32 = 30;

/// Takes transactions until the endpoint closes.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut transactions: TransactionReceiver,
    calls: mpsc::Sender<Incoming>,
) {
    loop {
        let tx = tokio::select! {
            () = shared.stack.cancel().cancelled() => return,
            tx = transactions.recv() => match tx {
                Some(tx) => tx,
                None => return,
            },
        };
        let in_dialog = tx
            .original
            .to_header()
            .ok()
            .and_then(|t| t.tag().ok().flatten())
            .is_some();
        if in_dialog {
            within_dialog(&shared, tx);
        } else {
            out_of_dialog(&shared, tx, &calls);
        }
    }
}

/// Answers and sees the transaction to its end.
fn reply(mut tx: Transaction, code: u16, headers: Vec<Header>) {
    tokio::spawn(quiet(async move {
        if tx.reply_with(stack::status(code), headers, None).await.is_ok() {
            while tx.receive().await.is_some() {}
        }
    }));
}

fn within_dialog(shared: &Shared, mut tx: Transaction) {
    let Some(Dialog::Invite(mut dialog)) = shared.stack.layer.match_dialog(&tx) else {
        // RFC 3261 section 12.2.2.
        reply(tx, 481, Vec::new());
        return;
    };
    let number = tx.original.cseq_header().and_then(|c| c.seq()).unwrap_or(0);
    if number < dialog.snapshot().remote_cseq {
        reply(tx, 500, Vec::new());
        return;
    }
    let state = dialog.state();
    match tx.original.method {
        Method::Bye if state.is_confirmed() || state.waiting_ack() => {}
        Method::Bye => {
            // The caller may also end an early dialog so (RFC 3261 section 15).
            let _ = dialog.reject(Some(StatusCode::RequestTerminated), None);
            reply(tx, 200, Vec::new());
            return;
        }
        // Not before the ACK of the last one.
        Method::Invite if !state.is_confirmed() => {
            reply(tx, 491, Vec::new());
            return;
        }
        Method::Invite => {}
        Method::Info if state.is_confirmed() => {}
        Method::Info | Method::Options => {
            reply(tx, 200, stack::abilities());
            return;
        }
        _ => {
            reply(tx, 405, stack::abilities());
            return;
        }
    }
    tokio::spawn(quiet(async move {
        // What goes wrong shows in the dialog's state, which its call watches.
        let _ = dialog.handle(&mut tx).await;
    }));
}

fn out_of_dialog(shared: &Arc<Shared>, tx: Transaction, calls: &mpsc::Sender<Incoming>) {
    match tx.original.method {
        Method::Invite => {}
        Method::Options => {
            reply(tx, 200, stack::abilities());
            return;
        }
        _ => {
            reply(tx, 481, Vec::new());
            return;
        }
    }
    match admit(shared, &tx, calls) {
        Ok((incoming, session, permit)) => {
            let dialog = session.dialog().clone();
            tokio::spawn(quiet(async move {
                let (mut dialog, mut tx) = (dialog, tx);
                let _ = dialog.handle(&mut tx).await;
            }));
            tokio::spawn(session.run());
            permit.send(incoming);
        }
        Err((code, headers)) => {
            tracing::info!(target: "roomtone::sip", code, "call refused");
            reply(tx, code, headers);
        }
    }
}

type Refused = (u16, Vec<Header>);

fn admit<'c>(
    shared: &Arc<Shared>,
    tx: &Transaction,
    calls: &'c mpsc::Sender<Incoming>,
) -> Result<(Incoming, Session, mpsc::Permit<'c, Incoming>), Refused> {
    let retry = || vec![Header::RetryAfter(RETRY_AFTER_S.to_string().into())];
    if let Some(refusal) = shared.refusal() {
        let mut headers = vec![stack::reason(refusal.code, &refusal.reason)];
        if refusal.code == 503 {
            headers.extend(retry());
        }
        return Err((refusal.code, headers));
    }
    let active = Active::take(shared).ok_or((486, Vec::new()))?;
    let offer = read_offer(shared, &tx.original)?;
    // Nobody takes calls just now: the queue is full or closed.
    let permit = calls.try_reserve().map_err(|_| (503, retry()))?;
    let info = info(shared, &tx.original, offer.as_ref()).ok_or((400, Vec::new()))?;
    let (state_sender, states) = shared.stack.layer.new_dialog_state_channel();
    let contact = shared.contact(info.source.ip());
    let dialog = shared
        .stack
        .layer
        .get_or_create_server_invite(tx, state_sender, None, Some(contact))
        .map_err(|_| (400, Vec::new()))?;
    let (sender, commands) = mpsc::unbounded_channel();
    let handle = CallHandle { commands: sender };
    shared.remember(&handle);
    tracing::info!(target: "roomtone::sip", call = %info.call_id, trace = %info.trace, "incoming call");
    record(shared, &info, "sip.invite", |e| {
        e.with("direction", "in")
            .with("offered", info.offered.join(","))
            .with("late_offer", offer.is_none())
    });
    let cancelled = Token::new();
    let incoming = Incoming::new(info.clone(), handle.clone(), cancelled.clone());
    let session = Session::incoming(
        shared.clone(),
        dialog,
        states,
        commands,
        handle,
        info,
        offer,
        cancelled,
        active,
    );
    Ok((incoming, session, permit))
}

/// The INVITE's offer, if it has one; 488 if nothing in it can be answered.
fn read_offer(shared: &Shared, request: &Request) -> Result<Option<Sdp>, Refused> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(&request.body).map_err(|_| (400, Vec::new()))?;
    let sdp = Sdp::parse(text).map_err(|_| (400, Vec::new()))?;
    // A rehearsal with an address that nobody sees.
    let codecs = vec![roomtone_audio::Codec::Pcmu, roomtone_audio::Codec::Pcma];
    let local = Local {
        address: shared.stack.addresses.bound,
        codecs,
        session_id: 0,
        version: 0,
        held: false,
    };
    match offer::answer(&sdp, &local) {
        Ok(_) => Ok(Some(sdp)),
        Err(_) => Err((488, Vec::new())),
    }
}

fn info(shared: &Shared, request: &Request, offer: Option<&Sdp>) -> Option<CallInfo> {
    let from = NameAddr::read(request.from_header().ok()?.value())?;
    let to = NameAddr::read(request.to_header().ok()?.value())?;
    let via = request.top_via_header().ok()?;
    let source = rsipstack::transport::SipConnection::parse_target_from_via(&via)
        .ok()?
        .1;
    let extra = |h: &Header| match h {
        Header::Other(name, value) if name.get(..2).is_some_and(|p| p.eq_ignore_ascii_case("X-")) => {
            Some((name.clone(), value.clone()))
        }
        _ => None,
    };
    Some(CallInfo {
        call_id: shared.deps.ids.short("call"),
        sip_call_id: request.call_id_header().ok()?.value().to_owned(),
        trace: shared.deps.ids.make(),
        from_user: user_of(&from.uri),
        from_uri: from.uri,
        from_display: Some(from.display).filter(|d| !d.is_empty()),
        to_user: user_of(&to.uri),
        source: source.try_into().ok()?,
        headers: request.headers.iter().filter_map(extra).collect(),
        offered: offer.map(offer::offered_codecs).unwrap_or_default(),
    })
}
