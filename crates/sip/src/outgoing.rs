//! A call that we place, up to its answer.

use std::{net::SocketAddr, sync::Arc};

use roomtone_audio::Codec;
use rsipstack::dialog::{dialog::DialogStateReceiver, invite_dialog::InviteDialog};
use tokio::sync::mpsc;

use crate::{
    Call, CallHandle, CallInfo, Error,
    endpoint::{Active, Shared},
    offer,
    own_media::Media,
    sdp::Sdp,
    session::Session,
    stack::Token,
};

/// A call that we place: the port and our offer first, then, if the other side agrees, a session.
pub(crate) struct Outgoing {
    media: Media,
    pub offer: String,
}

impl Outgoing {
    pub(crate) fn open(shared: &Shared, peer: SocketAddr, codecs: Vec<Codec>) -> Result<Self, Error> {
        let mut media = Media::open(shared, peer, codecs)?;
        let sdp = offer::offer(&media.local);
        let offer = media.say(sdp);
        Ok(Outgoing { media, offer })
    }

    /// Starts media and the call's task with the answer's body.
    pub(crate) fn answered(
        mut self,
        shared: &Arc<Shared>,
        dialog: InviteDialog,
        states: DialogStateReceiver,
        info: CallInfo,
        body: &[u8],
        active: Active,
    ) -> Result<Call, Error> {
        let answer = std::str::from_utf8(body)
            .ok()
            .and_then(|t| Sdp::parse(t).ok())
            .ok_or(Error::NoCodec)?;
        let agreed = offer::accept(&answer, &self.media.local).map_err(|_| Error::NoCodec)?;
        let ends = self.media.start(shared, agreed)?;
        let (sender, commands) = mpsc::unbounded_channel();
        let handle = CallHandle { commands: sender };
        shared.remember(&handle);
        let session = Session::incoming(
            shared.clone(),
            dialog,
            states,
            commands,
            handle,
            info,
            None,
            Token::new(),
            active,
        );
        let (session, call) = session.placed(self.media, ends);
        tokio::spawn(session.run());
        Ok(call)
    }
}
