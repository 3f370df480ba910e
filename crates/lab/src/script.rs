//! A scripted caller: when to say what. A pure state machine over time and what the ear hears.

use std::time::Duration;

use roomtone_base::Mono;

use crate::ear::Ear;

/// When a clip is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// When the other side has spoken since our last clip and has then been quiet for
    /// [`Manners::quiet_after`].
    WhenQuiet,
    /// So long after the other side began to speak, into its words.
    Interrupt {
        /// From the first packet with speech on.
        after: Duration,
    },
}

/// How patient the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Quiet that says "your turn".
    pub quiet_after: Duration,
    /// Waiting for longer than this, the caller speaks (or, at the end, hangs up) anyway.
    pub max_wait: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Manners {
            quiet_after: Duration::from_millis(700),
            max_wait: Duration::from_secs(15),
        }
    }
}

/// What the caller does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing new.
    Wait,
    /// Begins this clip.
    Speak(usize),
    /// Has said all and heard the answer.
    HangUp,
}

enum State {
    /// Before clip `next`, or before the end. Our last clip (or the call) began at `began` and ended at `since`.
    Waiting {
        next: usize,
        began: Mono,
        since: Mono,
    },
    Speaking {
        clip: usize,
        began: Mono,
    },
    Done,
}

/// The caller.
pub struct Script {
    starts: Vec<Start>,
    manners: Manners,
    state: State,
}

impl Script {
    /// Begins at `now`, when the call was answered.
    pub fn new(starts: Vec<Start>, manners: Manners, now: Mono) -> Self {
        Script {
            starts,
            manners,
            state: State::Waiting {
                next: 0,
                began: now,
                since: now,
            },
        }
    }

    /// What to do at `now`. `speaking`: is a clip still being said?
    pub fn tick(&mut self, now: Mono, ear: &Ear, speaking: bool) -> Act {
        match &mut self.state {
            State::Done => Act::Wait,
            State::Speaking { clip, began } => {
                if !speaking {
                    self.state = State::Waiting {
                        next: *clip + 1,
                        began: *began,
                        since: now,
                    };
                }
                Act::Wait
            }
            State::Waiting { next, began, since } => {
                // An answer may begin in the quiet tail of the clip; words that the clip broke into are none.
                let heard = ear.started().is_some_and(|s| s >= *began);
                let tired = now.since(*since) >= self.manners.max_wait;
                let quiet = heard
                    && !ear.is_speaking()
                    && ear
                        .last_loud()
                        .is_none_or(|l| now.since(l) >= self.manners.quiet_after);
                let next = *next;
                let go = match self.starts.get(next) {
                    Some(Start::Interrupt { after }) => {
                        ear.is_speaking() && ear.started().is_some_and(|s| now.since(s) >= *after)
                    }
                    Some(Start::WhenQuiet) | None => quiet,
                };
                if !go && !tired {
                    return Act::Wait;
                }
                if next < self.starts.len() {
                    self.state = State::Speaking {
                        clip: next,
                        began: now,
                    };
                    Act::Speak(next)
                } else {
                    self.state = State::Done;
                    Act::HangUp
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ear::EarSettings;

    /// Runs a script against an other side that speaks in the given spans of milliseconds; a clip lasts 400 ms.
    fn run(starts: Vec<Start>, spans: &[(u64, u64)]) -> Vec<(u64, Act)> {
        let manners = Manners {
            quiet_after: Duration::from_millis(500),
            max_wait: Duration::from_secs(5),
        };
        let mut script = Script::new(starts, manners, Mono::ZERO);
        let mut ear = Ear::new(EarSettings::default());
        let mut acts = Vec::new();
        let mut busy_until = 0;
        for ms in (0..20_000).step_by(20) {
            let now = Mono::from_duration(Duration::from_millis(ms));
            let loud = spans.iter().any(|(a, b)| (*a..*b).contains(&ms));
            ear.packet(now, if loud { -20.0 } else { -96.0 });
            let act = script.tick(now, &ear, ms < busy_until);
            if act != Act::Wait {
                acts.push((ms, act));
                busy_until = ms + 400;
            }
        }
        acts
    }

    #[test]
    fn the_caller_waits_for_its_turn() {
        let acts = run(
            vec![Start::WhenQuiet, Start::WhenQuiet],
            &[(200, 2_000), (4_000, 5_000), (7_000, 8_000)],
        );
        assert_eq!(
            acts,
            [
                (2_480, Act::Speak(0)),
                (5_480, Act::Speak(1)),
                (8_480, Act::HangUp)
            ]
        );
    }

    #[test]
    fn an_interruption_comes_into_the_words() {
        let acts = run(
            vec![Start::Interrupt {
                after: Duration::from_millis(800),
            }],
            &[(200, 1_500), (3_000, 4_000)],
        );
        assert_eq!(acts, [(1_000, Act::Speak(0)), (4_480, Act::HangUp)]);
    }

    #[test]
    fn silence_is_not_waited_for_for_ever() {
        let acts = run(vec![Start::WhenQuiet], &[]);
        assert_eq!(acts, [(5_000, Act::Speak(0)), (10_400, Act::HangUp)]);
    }
}
