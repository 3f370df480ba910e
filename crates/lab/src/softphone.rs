//! A telephone without a handset.

use std::{net::SocketAddr, time::Duration};

use roomtone_audio::Codec;
use roomtone_base::{Mono, SharedClock};
use roomtone_sip::{
    AllowRule, Call, CallEvent, CallFailed, CallOptions, Deps, Endpoint, HangupBy, PortRange, SipConfig,
};
use tokio::sync::mpsc;

use crate::{
    CallPlan, CallReport, Error,
    ear::{Ear, EarSettings, Noticed},
    line::{Left, Line, Mouth},
    record::Record,
    script::{Act, Manners, Script, Start},
    wav,
};

/// How often sound is moved.
const PUMP: Duration = Duration::from_millis(5);
/// Pause before the first key.
const BEFORE_KEYS: Duration = Duration::from_millis(500);
/// How long a key is held, and the pause after it that the line needs.
const KEY_HELD: Duration = Duration::from_millis(120);
const KEY_TAKES: Duration = Duration::from_millis(200);
/// The longest that a call may take if the plan says nothing.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Something to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// 8 kHz.
    pub pcm: Vec<i16>,
    /// The words, for the record.
    pub text: String,
    /// When.
    pub start: Start,
}

/// A conversation to hold.
#[derive(Clone, Debug)]
pub struct TalkPlan {
    /// Whom: `sip:user@host:port`.
    pub target: String,
    /// What to say, in order.
    pub clips: Vec<Clip>,
    /// How patient the caller is.
    pub manners: Manners,
    /// How speech is told from silence, the other side's and ours.
    pub ear: EarSettings,
    /// What to offer, alone; both codecs if `None`.
    pub codec: Option<Codec>,
    /// The longest that the call may take.
    pub longest: Duration,
}

impl TalkPlan {
    /// A conversation with the usual manners, five minutes at most.
    pub fn new(target: impl Into<String>, clips: Vec<Clip>) -> Self {
        TalkPlan {
            target: target.into(),
            clips,
            manners: Manners::default(),
            ear: EarSettings::default(),
            codec: None,
            longest: Duration::from_secs(300),
        }
    }
}

/// How a conversation goes, told while it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TalkEvent {
    /// The call was taken.
    Answered {
        /// When.
        at: Mono,
    },
    /// A clip began.
    ClipStarted {
        /// Which.
        index: usize,
        /// When its first packet was sent.
        at: Mono,
    },
    /// A clip's last loud packet was sent.
    ClipEnded {
        /// Which.
        index: usize,
        /// When.
        at: Mono,
    },
    /// The other side began to speak.
    FarSpeechStarted {
        /// When the first loud packet came.
        at: Mono,
    },
    /// The other side fell silent.
    FarSpeechEnded {
        /// When the last loud packet came.
        at: Mono,
    },
    /// The other side gave way to an interruption: at least 6 dB quieter for good, or silent.
    FarDucked {
        /// When the first quieter packet came.
        at: Mono,
    },
    /// The call is over.
    HungUp {
        /// Who ended it.
        by: HangupBy,
    },
}

/// A conversation that was held.
#[derive(Clone, Debug, PartialEq)]
pub struct Talk {
    /// The call itself.
    pub report: CallReport,
    /// Every packet, both ways.
    pub record: Record,
}

/// A telephone on an endpoint of its own. It takes no calls.
#[derive(Clone, Debug)]
pub struct Softphone {
    endpoint: Endpoint,
    clock: PhoneClock,
}

#[derive(Clone)]
struct PhoneClock(SharedClock);

impl std::fmt::Debug for PhoneClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("clock")
    }
}

struct Placed {
    line: Line,
    setup: Duration,
    answered: Mono,
}

impl Softphone {
    /// A telephone on `listen`; port 0 for any. All times in reports, records and events are of `deps.clock`.
    ///
    /// # Errors
    /// [`Error::Sip`] if the port cannot be had.
    pub async fn bind(listen: SocketAddr, deps: Deps) -> Result<Self, Error> {
        let clock = PhoneClock(deps.clock.clone());
        let everybody = ["0.0.0.0/0", "::/0"]
            .iter()
            .filter_map(|r| r.parse::<AllowRule>().ok());
        let config = SipConfig {
            listen,
            rtp_ports: PortRange::ANY,
            advertise: None,
            // Whoever is called may hang up.
            allow: everybody.collect(),
            max_calls: 1_000,
        };
        let (endpoint, _) = Endpoint::bind(config, deps).await?;
        Ok(Softphone { endpoint, clock })
    }

    /// The endpoint below.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Hangs up and closes the port.
    pub async fn close(&self) {
        self.endpoint.close().await;
    }

    fn now(&self) -> Mono {
        self.clock.0.mono()
    }

    async fn place(&self, target: &str, codec: Option<Codec>) -> Result<Placed, (CallFailed, Duration)> {
        let mut options = CallOptions {
            from_user: "softphone".into(),
            ..CallOptions::default()
        };
        if let Some(codec) = codec {
            options.codecs = vec![codec];
        }
        let began = self.now();
        let call: Call = self
            .endpoint
            .call(target, options)
            .await
            .map_err(|f| (f, self.now().since(began)))?;
        let answered = self.now();
        Ok(Placed {
            line: Line::new(call),
            setup: answered.since(began),
            answered,
        })
    }

    /// Places a call, plays, presses, records, hangs up.
    ///
    /// # Errors
    /// [`Error::Wav`] if the recording cannot be written. A call that fails is no error but a report.
    pub async fn call_once(&self, plan: CallPlan) -> Result<CallReport, Error> {
        let mut placed = match self.place(&plan.target, plan.codec).await {
            Ok(placed) => placed,
            Err((failed, setup)) => return Ok(CallReport::failed(&failed, setup)),
        };
        let mut mouth = Mouth::silent();
        if let Some(pcm) = &plan.play {
            mouth.say(pcm, None, EarSettings::default().threshold_dbfs);
        }
        let mut keys = plan
            .dtmf
            .chars()
            .filter(|c| c.is_ascii_digit() || "*#ABCDabcd".contains(*c));
        let mut next_key = placed.answered + BEFORE_KEYS;
        let mut pressed = String::new();
        let by = loop {
            let now = self.now();
            placed.line.pump(|| mouth.next(), |_| {}, |_, _| {});
            let mut keys_done = false;
            if now >= next_key {
                match keys.next() {
                    Some(key) if placed.line.call.handle.send_digit(key, KEY_HELD).is_ok() => {
                        pressed.push(key);
                        next_key = now + KEY_TAKES;
                    }
                    _ => keys_done = true,
                }
            }
            let end = match plan.hangup_after {
                Some(after) => now.since(placed.answered) >= after,
                None if plan.play.is_none() && plan.dtmf.is_empty() => now.since(placed.answered) >= LONGEST,
                None => keys_done && !mouth.is_speaking(),
            };
            if let Some(by) = self.step(&mut placed.line, end).await {
                break by;
            }
        };
        let mut report = self.report(&placed, by);
        report.digits_sent = pressed;
        if let Some(path) = plan.record {
            wav::write(&path, &placed.line.record.pcm)?;
            report.record = Some(path);
        }
        Ok(report)
    }

    /// Waits for the next pump, or ends the call; gives who ended it.
    async fn step(&self, line: &mut Line, end: bool) -> Option<HangupBy> {
        if end {
            let handle = line.call.handle.clone();
            handle.hangup("done").await;
        }
        loop {
            tokio::select! {
                event = line.call.events.recv() => match event {
                    Some(CallEvent::Ended { by, .. }) => {
                        line.pump(|| crate::line::Say::SILENCE, |_| {}, |_, _| {});
                        return Some(by);
                    }
                    Some(_) => {}
                    None => return Some(HangupBy::Failure),
                },
                () = self.clock.0.sleep(PUMP), if !end => return None,
            }
        }
    }

    fn report(&self, placed: &Placed, by: HangupBy) -> CallReport {
        let stats = placed.line.call.media.stats.snapshot();
        CallReport::answered(
            &placed.line.call.info.call_id,
            placed.line.call.codec,
            placed.setup,
            self.now().since(placed.answered),
            stats.first_packet_at.map(|at| at.since(placed.answered)),
            &stats,
            by,
        )
    }

    /// Holds a conversation by script. Events are sent as they happen; nobody has to read them.
    ///
    /// # Errors
    /// None at present; a call that fails is a report.
    pub async fn converse(
        &self,
        plan: TalkPlan,
        events: mpsc::UnboundedSender<TalkEvent>,
    ) -> Result<Talk, Error> {
        let mut placed = match self.place(&plan.target, plan.codec).await {
            Ok(placed) => placed,
            Err((failed, setup)) => {
                return Ok(Talk {
                    report: CallReport::failed(&failed, setup),
                    record: Record::default(),
                });
            }
        };
        let tell = |event| drop(events.send(event));
        tell(TalkEvent::Answered { at: placed.answered });
        let threshold = plan.ear.threshold_dbfs;
        let mut ear = Ear::new(plan.ear);
        let mut mouth = Mouth::silent();
        let starts = plan.clips.iter().map(|c| c.start).collect();
        let mut script = Script::new(starts, plan.manners, placed.answered);
        // The interruption that has not been given way to yet: since when we speak.
        let mut interrupting: Option<Mono> = None;
        let by = loop {
            let mut noticed = Vec::new();
            placed.line.pump(
                || mouth.next(),
                |left| match left {
                    Left::ClipStarted(index, at) => {
                        tell(TalkEvent::ClipStarted { index, at });
                        if matches!(plan.clips[index].start, Start::Interrupt { .. }) {
                            interrupting = Some(at);
                        }
                    }
                    Left::ClipEnded(index, at) => tell(TalkEvent::ClipEnded { index, at }),
                },
                |heard, _| noticed.extend(ear.packet(heard.at, heard.level_dbfs)),
            );
            let now = self.now();
            noticed.extend(ear.tick(now));
            for n in noticed {
                tell(match n {
                    Noticed::Started(at) => TalkEvent::FarSpeechStarted { at },
                    Noticed::Ended(at) => TalkEvent::FarSpeechEnded { at },
                });
            }
            if let Some(at) = interrupting.and_then(|since| placed.line.record.ducked(since, now, threshold))
            {
                interrupting = None;
                tell(TalkEvent::FarDucked { at });
            }
            let act = script.tick(now, &ear, mouth.is_speaking());
            if let Act::Speak(index) = act {
                interrupting = None;
                mouth.say(&plan.clips[index].pcm, Some(index), threshold);
            }
            let end = act == Act::HangUp || now.since(placed.answered) >= plan.longest;
            if let Some(by) = self.step(&mut placed.line, end).await {
                break by;
            }
        };
        tell(TalkEvent::HungUp { by });
        let report = self.report(&placed, by);
        Ok(Talk {
            report,
            record: placed.line.record,
        })
    }
}
