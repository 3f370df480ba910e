//! When does the other side speak? Levels of packets, and a detector over them.

use std::time::Duration;

use roomtone_base::Mono;

/// Level of silence, dBFS: below anything that a codec can carry.
pub const SILENCE_DBFS: f32 = -96.0;

/// Root mean square of samples in dBFS (0 is a full-scale square wave); [`SILENCE_DBFS`] if there is nothing.
pub fn level_dbfs(samples: &[i16]) -> f32 {
    if samples.is_empty() {
        return SILENCE_DBFS;
    }
    let sum: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    let rms = (sum / samples.len() as f64).sqrt() / 32_768.0;
    if rms <= 0.0 {
        SILENCE_DBFS
    } else {
        (20.0 * rms.log10()).max(f64::from(SILENCE_DBFS)) as f32
    }
}

/// Settings of an [`Ear`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarSettings {
    /// Packets above this level are speech, dBFS.
    pub threshold_dbfs: f32,
    /// So many loud packets in a row begin speech: one alone is a click.
    pub onset_packets: u32,
    /// So long without a loud packet ends it.
    pub hangover: Duration,
}

impl Default for EarSettings {
    fn default() -> Self {
        EarSettings {
            threshold_dbfs: -45.0,
            onset_packets: 2,
            hangover: Duration::from_millis(240),
        }
    }
}

/// What an [`Ear`] noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// Speech began with the packet that arrived then.
    Started(Mono),
    /// Speech ended with the packet that arrived then: its last loud one.
    Ended(Mono),
}

/// An energy detector over received packets.
#[derive(Clone, Debug)]
pub struct Ear {
    settings: EarSettings,
    run: u32,
    run_began: Mono,
    speaking: bool,
    started: Option<Mono>,
    last_loud: Option<Mono>,
}

impl Ear {
    /// Hears nothing yet.
    pub fn new(settings: EarSettings) -> Self {
        Ear {
            settings,
            run: 0,
            run_began: Mono::ZERO,
            speaking: false,
            started: None,
            last_loud: None,
        }
    }

    /// A packet of this level arrived.
    pub fn packet(&mut self, at: Mono, level_dbfs: f32) -> Option<Noticed> {
        if level_dbfs <= self.settings.threshold_dbfs {
            self.run = 0;
            return self.tick(at);
        }
        if self.run == 0 {
            self.run_began = at;
        }
        self.run += 1;
        if self.speaking {
            self.last_loud = Some(at);
            return None;
        }
        if self.run < self.settings.onset_packets {
            return None;
        }
        self.speaking = true;
        self.started = Some(self.run_began);
        self.last_loud = Some(at);
        Some(Noticed::Started(self.run_began))
    }

    /// Time went by, with or without packets.
    pub fn tick(&mut self, now: Mono) -> Option<Noticed> {
        let last = self.last_loud.filter(|_| self.speaking)?;
        if now.since(last) < self.settings.hangover {
            return None;
        }
        self.speaking = false;
        self.run = 0;
        Some(Noticed::Ended(last))
    }

    /// Is somebody speaking?
    pub fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// When the speech that is going on, or the last one, began.
    pub fn started(&self) -> Option<Mono> {
        self.started
    }

    /// When the last loud packet of speech arrived.
    pub fn last_loud(&self) -> Option<Mono> {
        self.last_loud
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::from_duration(Duration::from_millis(ms))
    }

    #[test]
    fn levels() {
        assert_eq!(level_dbfs(&[]), SILENCE_DBFS);
        assert_eq!(level_dbfs(&[0; 160]), SILENCE_DBFS);
        assert!(level_dbfs(&[32_767; 160]).abs() < 0.01);
        assert!((level_dbfs(&[3_277; 160]) + 20.0).abs() < 0.01);
    }

    #[test]
    fn speech_begins_with_its_first_packet_and_ends_with_its_last() {
        let mut e = Ear::new(EarSettings::default());
        assert_eq!(e.packet(at(0), -20.0), None);
        assert_eq!(e.packet(at(20), -60.0), None);
        assert_eq!(e.packet(at(40), -20.0), None);
        assert_eq!(e.packet(at(60), -20.0), Some(Noticed::Started(at(40))));
        for i in 4..14 {
            assert_eq!(e.packet(at(i * 20), -60.0), None, "{i}");
        }
        assert!(e.is_speaking());
        assert_eq!(e.packet(at(280), -20.0), None);
        assert_eq!(e.tick(at(519)), None);
        assert_eq!(e.tick(at(520)), Some(Noticed::Ended(at(280))));
        assert_eq!(e.tick(at(900)), None);
    }
}
