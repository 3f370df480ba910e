//! What can go wrong at this crate's boundary.

use std::{io, net::SocketAddr};

use roomtone_base::Remedy;

use crate::PortRange;

/// An error of the SIP and RTP gateway.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The SIP port could not be opened.
    #[error("cannot listen for SIP on {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// No port of the RTP range could be opened.
    #[error("no free RTP port in {range}")]
    NoRtpPort {
        /// The range that was searched.
        range: PortRange,
    },
    /// The media thread could not be started.
    #[error("cannot start the media thread: {0}")]
    MediaThread(#[source] io::Error),
    /// The media thread has no room for another call.
    #[error("the media thread is full")]
    MediaFull,
    /// The target of a call is not a SIP address that can be reached over UDP.
    #[error("`{target}` is not a SIP address that can be called")]
    Target {
        /// What was asked for.
        target: String,
    },
    /// The other side gave up, or the call is over.
    #[error("the call is over")]
    Gone,
    /// The offer has no codec that this box speaks; the caller has been told (488).
    #[error("no codec in common")]
    NoCodec,
    /// The signalling layer refused an operation.
    #[error("signalling: {0}")]
    Signalling(String),
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        matches!(
            self,
            Error::NoRtpPort { .. } | Error::MediaFull | Error::Bind { .. }
        )
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::Bind { address, source } if source.kind() == io::ErrorKind::AddrInUse => Some(format!(
                "another program uses UDP port {port}: stop it, or set `[sip] listen` to another port (`ss -ulpn` shows \
                 who has it)",
                port = address.port()
            )),
            Error::Bind { source, .. } if source.kind() == io::ErrorKind::AddrNotAvailable => Some(
                "this machine has no such address: set `[sip] listen` to one of its own or to 0.0.0.0".into(),
            ),
            Error::Bind { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("choose a port of 1024 or above in `[sip] listen`".into())
            }
            Error::NoRtpPort { .. } => Some("widen `[sip] rtp_ports` or lower `[sip] max_calls`".into()),
            Error::Target { .. } => Some("write it as sip:user@host:port".into()),
            _ => None,
        }
    }
}

/// Why a call that we placed did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("call failed: {sip_code} {reason}")]
pub struct CallFailed {
    /// The final SIP status (RFC 3261 section 21); 408 if nobody answered, 0 if it never left this machine.
    pub sip_code: u16,
    /// The reason phrase of the other side, or ours.
    pub reason: String,
}

impl Remedy for CallFailed {
    fn retryable(&self) -> bool {
        matches!(self.sip_code, 408 | 480 | 486 | 500 | 503 | 600)
    }

    fn remedy(&self) -> Option<String> {
        match self.sip_code {
            403 => Some("add this machine's address to the other side's allowed sources".into()),
            408 => Some("check the address and that UDP gets through".into()),
            488 => Some("the other side speaks no codec of ours: enable PCMU or PCMA there".into()),
            _ => None,
        }
    }
}
