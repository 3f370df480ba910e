//! A single call: what to do, what came of it.

use std::{path::PathBuf, time::Duration};

use roomtone_audio::Codec;
use roomtone_base::CallId;
use roomtone_sip::{CallFailed, HangupBy, MediaSnapshot};
use serde::Serialize;

/// A call to place.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// Whom: `sip:user@host:port`.
    pub target: String,
    /// What to say, 8 kHz; silence after it, or altogether if `None`.
    pub play: Option<Vec<i16>>,
    /// Where to write what was heard (WAV, 8 kHz mono).
    pub record: Option<PathBuf>,
    /// Keys to press, from half a second after the answer on.
    pub dtmf: String,
    /// When to hang up, counted from the answer. `None`: when all is said and pressed, or when the other side does.
    pub hangup_after: Option<Duration>,
    /// What to offer, alone; both codecs if `None`.
    pub codec: Option<Codec>,
}

impl CallPlan {
    /// A call that says nothing and waits for the other side to hang up, at most `hangup_after`.
    pub fn listen(target: impl Into<String>, hangup_after: Duration) -> Self {
        CallPlan {
            target: target.into(),
            play: None,
            record: None,
            dtmf: String::new(),
            hangup_after: Some(hangup_after),
            codec: None,
        }
    }
}

/// How a call came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallResult {
    /// It was taken.
    Answered,
    /// 486 or 600.
    Busy,
    /// Another refusal: a status from 400 on that the other side chose.
    Refused,
    /// Nobody answered, or it never left this machine.
    Failed,
}

/// Who ended an answered call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hangup {
    /// This side, failures that this side noticed included.
    Us,
    /// The other side.
    Them,
}

/// What came of a call; the shape of `call --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallReport {
    /// Our own id of the call; empty if it was not answered.
    pub call_id: String,
    /// How it came out.
    pub result: CallResult,
    /// Final SIP status; 0 if it never left this machine.
    pub sip_code: u16,
    /// INVITE to final response, milliseconds.
    pub setup_ms: u64,
    /// Answer to end, milliseconds; 0 if it was not answered.
    pub duration_ms: u64,
    /// What was spoken.
    pub codec: Option<Codec>,
    /// RTP packets sent.
    pub sent_packets: u64,
    /// RTP packets received.
    pub received_packets: u64,
    /// RTP packets given up as lost.
    pub lost_packets: u64,
    /// Interarrival jitter at the end (RFC 3550 A.8), milliseconds.
    pub jitter_ms: f64,
    /// Answer to first RTP packet, milliseconds.
    pub first_audio_ms: Option<u64>,
    /// Keys that were pressed.
    pub digits_sent: String,
    /// Who ended it; `None` if it was not answered.
    pub hangup: Option<Hangup>,
    /// The recording, if one was written.
    pub record: Option<PathBuf>,
}

impl CallReport {
    /// A call that did not come about.
    pub(crate) fn failed(failed: &CallFailed, setup: Duration) -> Self {
        let result = match failed.sip_code {
            486 | 600 => CallResult::Busy,
            0 | 408 => CallResult::Failed,
            _ => CallResult::Refused,
        };
        CallReport {
            call_id: String::new(),
            result,
            sip_code: failed.sip_code,
            setup_ms: millis(setup),
            duration_ms: 0,
            codec: None,
            sent_packets: 0,
            received_packets: 0,
            lost_packets: 0,
            jitter_ms: 0.0,
            first_audio_ms: None,
            digits_sent: String::new(),
            hangup: None,
            record: None,
        }
    }

    /// A call that was answered and is over.
    pub(crate) fn answered(
        call_id: &CallId,
        codec: Codec,
        setup: Duration,
        duration: Duration,
        first_audio: Option<Duration>,
        media: &MediaSnapshot,
        by: HangupBy,
    ) -> Self {
        CallReport {
            call_id: call_id.as_str().to_owned(),
            result: CallResult::Answered,
            sip_code: 200,
            setup_ms: millis(setup),
            duration_ms: millis(duration),
            codec: Some(codec),
            sent_packets: media.sent,
            received_packets: media.received,
            lost_packets: media.lost,
            jitter_ms: (media.jitter_ms * 100.0).round() / 100.0,
            first_audio_ms: first_audio.map(millis),
            digits_sent: String::new(),
            hangup: Some(if by == HangupBy::Them {
                Hangup::Them
            } else {
                Hangup::Us
            }),
            record: None,
        }
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_has_its_shape() {
        let failed = CallFailed {
            sip_code: 486,
            reason: "Busy Here".into(),
        };
        let report = CallReport::failed(&failed, Duration::from_millis(12));
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            "{\"call_id\":\"\",\"result\":\"busy\",\"sip_code\":486,\"setup_ms\":12,\"duration_ms\":0,\"codec\":null,\
             \"sent_packets\":0,\"received_packets\":0,\"lost_packets\":0,\"jitter_ms\":0.0,\"first_audio_ms\":null,\
             \"digits_sent\":\"\",\"hangup\":null,\"record\":null}"
        );
        for (code, want) in [
            (403, CallResult::Refused),
            (600, CallResult::Busy),
            (408, CallResult::Failed),
        ] {
            let failed = CallFailed {
                sip_code: code,
                reason: String::new(),
            };
            assert_eq!(CallReport::failed(&failed, Duration::ZERO).result, want);
        }
    }
}
