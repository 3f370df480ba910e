//! What went over the line, packet by packet, and what can be read from it.

use std::time::Duration;

use roomtone_base::Mono;

/// A received packet, or a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// When it was read from the socket; for a gap, when the packet after it was.
    pub at: Mono,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Samples in it.
    pub samples: u32,
    /// Level, dBFS; a gap is silence.
    pub level_dbfs: f32,
    /// Was this lost?
    pub lost: bool,
}

/// A sent packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spoken {
    /// When the socket took it.
    pub at: Mono,
    /// RTP sequence number.
    pub sequence: u16,
    /// Level, dBFS.
    pub level_dbfs: f32,
    /// The clip that it belongs to.
    pub clip: Option<usize>,
}

/// Both directions of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Received packets in order.
    pub heard: Vec<Heard>,
    /// Sent packets in order.
    pub spoken: Vec<Spoken>,
    /// Received sound, 8 kHz; gaps are silence, pauses of the sender are not in it.
    pub pcm: Vec<i16>,
}

/// How long the other side took after a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The clip.
    pub clip: usize,
    /// When its last loud packet was sent.
    pub asked: Mono,
    /// When the first loud packet of the answer was received.
    pub answered: Mono,
}

impl Reply {
    /// Last speech of ours to first speech of theirs.
    pub fn delay(&self) -> Duration {
        self.answered.since(self.asked)
    }
}

/// How the other side took an interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yield {
    /// The clip that interrupted.
    pub clip: usize,
    /// When its first loud packet was sent.
    pub interrupted: Mono,
    /// When the first packet arrived from which on the other side was at least [`DUCK_DB`] quieter, or silent.
    pub yielded: Mono,
}

impl Yield {
    /// First speech of ours to quiet of theirs.
    pub fn delay(&self) -> Duration {
        self.yielded.since(self.interrupted)
    }
}

/// A drop of the level by so much counts as giving way, dB.
pub const DUCK_DB: f32 = 6.0;
/// The level has to stay down for so long: speech itself has pauses between syllables.
const DUCK_HOLD: Duration = Duration::from_millis(160);
/// The level before an interruption is taken from so much of what was heard.
const REFERENCE: Duration = Duration::from_secs(1);

impl Record {
    /// The packet at which the other side gave way after `since`, judged by packets up to `now`; `None` if it has
    /// not, or has not long enough to be sure. The measure is the level that the loudest fifth of packets (above
    /// `threshold_dbfs`) reached in the second before.
    pub fn ducked(&self, since: Mono, now: Mono, threshold_dbfs: f32) -> Option<Mono> {
        let before = self.heard.iter().rev().skip_while(|h| h.at > since);
        let mut levels: Vec<f32> = before
            .take_while(|h| since.since(h.at) <= REFERENCE)
            .map(|h| h.level_dbfs)
            .filter(|l| *l > threshold_dbfs)
            .collect();
        levels.sort_by(|a, b| b.total_cmp(a));
        let reference = *levels.get(levels.len() / 5)?;
        let is_down = |h: &Heard| h.level_dbfs <= reference - DUCK_DB;
        let mut began = None;
        for h in self.heard.iter().filter(|h| h.at > since && h.at <= now) {
            match (is_down(h), began) {
                (true, None) => began = Some(h.at),
                (true, Some(b)) if h.at.since(b) >= DUCK_HOLD => return Some(b),
                (true, Some(_)) => {}
                (false, _) => began = None,
            }
        }
        // A sender that stops sending altogether gave way too.
        let last = self.heard.last().map(|h| h.at).filter(|l| *l > since);
        match (began, last) {
            (Some(b), _) if now.since(b) >= DUCK_HOLD => Some(b),
            (None, Some(l)) if now.since(l) >= DUCK_HOLD => Some(l),
            _ => None,
        }
    }

    fn loud(&self, clip: usize, threshold_dbfs: f32) -> impl DoubleEndedIterator<Item = &Spoken> {
        self.spoken
            .iter()
            .filter(move |s| s.clip == Some(clip) && s.level_dbfs > threshold_dbfs)
    }

    /// For each clip that was answered before the next one: from its last loud packet to the first of two loud
    /// packets in a row that arrived after it.
    pub fn replies(&self, clips: usize, threshold_dbfs: f32) -> Vec<Reply> {
        let one = |clip| {
            let asked = self.loud(clip, threshold_dbfs).next_back()?.at;
            let until = self.loud(clip + 1, threshold_dbfs).next().map(|s| s.at);
            let after: Vec<&Heard> = self
                .heard
                .iter()
                .filter(|h| h.at > asked && until.is_none_or(|u| h.at < u))
                .collect();
            let pair = after
                .windows(2)
                .find(|w| w.iter().all(|h| h.level_dbfs > threshold_dbfs))?;
            Some(Reply {
                clip,
                asked,
                answered: pair[0].at,
            })
        };
        (0..clips).filter_map(one).collect()
    }

    /// For each clip of `interruptions`: from its first loud packet to the other side's giving way, if it did before
    /// the clip's successor began.
    pub fn yields(&self, interruptions: &[usize], threshold_dbfs: f32) -> Vec<Yield> {
        let end = self.heard.last().map_or(Mono::ZERO, |h| h.at);
        let one = |clip: &usize| {
            let interrupted = self.loud(*clip, threshold_dbfs).next()?.at;
            let until = self.loud(clip + 1, threshold_dbfs).next().map_or(end, |s| s.at);
            let yielded = self.ducked(interrupted, until, threshold_dbfs)?;
            Some(Yield {
                clip: *clip,
                interrupted,
                yielded,
            })
        };
        interruptions.iter().filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::from_duration(Duration::from_millis(ms))
    }

    /// Packets every 20 ms with levels given as (level, packets).
    fn record(heard: &[(f32, usize)], spoken: &[(f32, usize, Option<usize>)]) -> Record {
        let mut r = Record::default();
        for (level_dbfs, n) in heard {
            for _ in 0..*n {
                let at = at(20 * r.heard.len() as u64 + 5);
                r.heard.push(Heard {
                    at,
                    timestamp: 0,
                    samples: 160,
                    level_dbfs: *level_dbfs,
                    lost: false,
                });
            }
        }
        for (level_dbfs, n, clip) in spoken {
            for _ in 0..*n {
                let at = at(20 * r.spoken.len() as u64);
                r.spoken.push(Spoken {
                    at,
                    sequence: 0,
                    level_dbfs: *level_dbfs,
                    clip: *clip,
                });
            }
        }
        r
    }

    #[test]
    fn a_reply_is_timed_from_last_speech_to_first_speech() {
        // We speak 0 to 1 s with a quiet tail of 200 ms; they answer at 1.505 s.
        let r = record(
            &[(-96.0, 75), (-20.0, 50)],
            &[(-20.0, 50, Some(0)), (-96.0, 10, Some(0)), (-96.0, 100, None)],
        );
        let replies = r.replies(1, -45.0);
        assert_eq!(
            replies,
            [Reply {
                clip: 0,
                asked: at(980),
                answered: at(1_505)
            }]
        );
        assert_eq!(replies[0].delay(), Duration::from_millis(525));
    }

    #[test]
    fn giving_way_is_timed_and_syllable_gaps_are_none() {
        // They speak with gaps of 60 ms, we begin at 1 s, they are 12 dB quieter from 1.305 s on.
        let mut heard = Vec::new();
        for _ in 0..5 {
            heard.extend([(-20.0, 10), (-60.0, 3)]);
        }
        heard.extend([(-32.0, 40)]);
        let r = record(&heard, &[(-96.0, 50, None), (-20.0, 50, Some(0))]);
        let yields = r.yields(&[0], -45.0);
        // The gap just before runs into the quiet.
        assert_eq!(
            yields,
            [Yield {
                clip: 0,
                interrupted: at(1_000),
                yielded: at(1_245)
            }]
        );
        let stubborn = record(&[(-20.0, 100)], &[(-96.0, 50, None), (-20.0, 50, Some(0))]);
        assert!(stubborn.yields(&[0], -45.0).is_empty());
    }

    #[test]
    fn falling_silent_without_packets_is_giving_way() {
        let r = record(&[(-20.0, 60)], &[(-96.0, 50, None), (-20.0, 50, Some(0))]);
        assert_eq!(r.ducked(at(1_000), at(1_345), -45.0), Some(at(1_185)));
        assert_eq!(r.ducked(at(1_000), at(1_344), -45.0), None);
    }
}
