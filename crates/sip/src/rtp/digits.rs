//! Keys as telephone events (RFC 4733 section 2.5), received and sent.

use std::time::Duration;

use roomtone_base::Mono;

/// An unfinished event without news for so long is over: its end packets were lost.
const SILENCE: Duration = Duration::from_millis(200);
/// Samples of the 8 kHz clock in a millisecond.
const SAMPLES_PER_MS: u32 = 8;
/// A packet's last possible duration; a longer press goes on in a new segment (RFC 4733 section 2.5.1.3).
const SEGMENT: u32 = 0xffff;
/// Volume of the digits that we send, −10 dBm0.
const VOLUME: u8 = 10;

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Press {
    /// `0`–`9`, `*`, `#`, `A`–`D`.
    pub digit: u8,
    /// How long it was held.
    pub duration_ms: u16,
}

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// The event code of a key (RFC 4733 section 3.2).
pub(crate) fn code(digit: u8) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    KEYS.iter().position(|k| *k == digit).map(|i| i as u8)
}

#[derive(Clone, Copy)]
struct Event {
    code: u8,
    start: u32,
    /// Samples of finished segments.
    before: u32,
    duration: u32,
    given: bool,
    heard: Mono,
}

impl Event {
    fn press(&mut self) -> Option<Press> {
        if self.given {
            return None;
        }
        self.given = true;
        let ms = (self.before + self.duration) / SAMPLES_PER_MS;
        Some(Press {
            digit: KEYS[usize::from(self.code)],
            duration_ms: ms.min(u32::from(u16::MAX)) as u16,
        })
    }
}

/// Event packets of one stream, in order, into presses: one per key however often its packets come, with or without
/// marker and end packets.
#[derive(Default)]
pub(crate) struct Receiver {
    event: Option<Event>,
}

impl Receiver {
    /// A packet's timestamp and payload. Up to two presses: the one before, whose end was lost, and this one, if the
    /// packet is an end. Events that are no keys are ignored.
    pub(crate) fn packet(&mut self, timestamp: u32, payload: &[u8], now: Mono) -> [Option<Press>; 2] {
        let Some((&[event, flags, hi, lo], _)) = payload.split_first_chunk() else {
            return [None; 2];
        };
        if usize::from(event) >= KEYS.len() {
            return [None; 2];
        }
        let ends = flags & 0x80 != 0;
        let duration = u32::from(u16::from_be_bytes([hi, lo]));
        let mut first = None;
        match &mut self.event {
            Some(e) if e.start == timestamp && e.code == event => {
                e.duration = e.duration.max(duration);
                e.heard = now;
            }
            Some(e) if (timestamp.wrapping_sub(e.start) as i32) < 0 => return [None; 2],
            Some(e)
                if e.code == event
                    && !e.given
                    && e.duration == SEGMENT
                    && timestamp == e.start.wrapping_add(SEGMENT) =>
            {
                e.before += SEGMENT;
                (e.start, e.duration, e.heard) = (timestamp, duration, now);
            }
            other => {
                first = other.as_mut().and_then(Event::press);
                *other = Some(Event {
                    code: event,
                    start: timestamp,
                    before: 0,
                    duration,
                    given: false,
                    heard: now,
                });
            }
        }
        let second = if ends {
            self.event.as_mut().and_then(Event::press)
        } else {
            None
        };
        [first, second]
    }

    /// Sound came: an event that lies before it is over.
    pub(crate) fn audio(&mut self, timestamp: u32) -> Option<Press> {
        let e = self.event.as_mut().filter(|e| !e.given)?;
        let after = timestamp.wrapping_sub(e.start.wrapping_add(e.duration)) as i32;
        if after >= 0 { e.press() } else { None }
    }

    /// Time went by.
    pub(crate) fn tick(&mut self, now: Mono) -> Option<Press> {
        let e = self.event.as_mut().filter(|e| !e.given)?;
        if now.since(e.heard) >= SILENCE {
            e.press()
        } else {
            None
        }
    }

    /// The stream ends or starts anew.
    pub(crate) fn reset(&mut self) -> Option<Press> {
        self.event.take().as_mut().and_then(Event::press)
    }
}

/// A key in the body of an INFO: `application/dtmf-relay` (`Signal=5`, `Duration=160` in milliseconds) or
/// `application/dtmf` (the key alone). Older telephones and gateways press keys so; no RFC describes it.
pub(crate) fn from_info(content_type: &str, body: &str) -> Option<Press> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let (mut key, mut duration_ms) = (None, 0);
    if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        for (name, value) in body.lines().filter_map(|l| l.split_once('=')) {
            match name.trim() {
                n if n.eq_ignore_ascii_case("signal") => key = Some(value.trim()),
                n if n.eq_ignore_ascii_case("duration") => duration_ms = value.trim().parse().unwrap_or(0),
                _ => {}
            }
        }
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        key = Some(body.trim());
    }
    let [key] = key?.as_bytes() else { return None };
    Some(Press {
        digit: KEYS[usize::from(code(*key)?)],
        duration_ms,
    })
}

/// Digits that may wait to be sent; more are refused.
pub(crate) const QUEUE: usize = 32;

/// One event packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventPacket {
    pub marker: bool,
    pub timestamp: u32,
    pub payload: [u8; 4],
}

#[derive(Clone, Copy)]
struct Sounding {
    code: u8,
    start: u32,
    /// Samples so far.
    elapsed: u32,
    total: u32,
    ends_sent: u8,
}

/// Keys to send, one after the other.
#[derive(Default)]
pub(crate) struct Sender {
    queue: [(u8, u16); QUEUE],
    first: usize,
    waiting: usize,
    now: Option<Sounding>,
}

impl Sender {
    /// Queues a key; `false` if it is no key or the queue is full.
    pub(crate) fn press(&mut self, digit: u8, duration_ms: u16) -> bool {
        let Some(code) = code(digit) else { return false };
        if self.waiting == QUEUE {
            return false;
        }
        self.queue[(self.first + self.waiting) % QUEUE] = (code, duration_ms.clamp(40, 6_000));
        self.waiting += 1;
        true
    }

    /// Is a key sounding or waiting?
    #[cfg(test)]
    fn is_busy(&self) -> bool {
        self.now.is_some() || self.waiting > 0
    }

    /// The packet of this slot, if a key sounds. `timestamp` is the stream's time, `step` samples after the last
    /// slot. The three end packets (RFC 4733 section 2.5.1.4) take a slot each, which leaves the pause that the next
    /// key needs.
    pub(crate) fn slot(&mut self, timestamp: u32, step: u32) -> Option<EventPacket> {
        let mut s = match self.now {
            Some(s) => s,
            None => {
                if self.waiting == 0 {
                    return None;
                }
                let (code, ms) = self.queue[self.first];
                self.first = (self.first + 1) % QUEUE;
                self.waiting -= 1;
                let total = u32::from(ms) * SAMPLES_PER_MS;
                Sounding {
                    code,
                    start: timestamp,
                    elapsed: 0,
                    total,
                    ends_sent: 0,
                }
            }
        };
        let marker = s.elapsed == 0;
        if s.elapsed < s.total {
            s.elapsed = (s.elapsed + step).min(s.total);
        }
        let ends = s.elapsed == s.total && !marker;
        if ends {
            s.ends_sent += 1;
        }
        let [hi, lo] = (s.elapsed.min(SEGMENT) as u16).to_be_bytes();
        let payload = [s.code, u8::from(ends) << 7 | VOLUME, hi, lo];
        self.now = (s.ends_sent < 3).then_some(s);
        Some(EventPacket {
            marker,
            timestamp: s.start,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::from_duration(Duration::from_millis(ms))
    }

    fn send(text: &str) -> Vec<EventPacket> {
        let mut s = Sender::default();
        for d in text.bytes() {
            assert!(s.press(d, 100));
        }
        let mut timestamp = 1_000u32;
        let mut packets = Vec::new();
        while let Some(p) = s.slot(timestamp, 160) {
            packets.push(p);
            timestamp = timestamp.wrapping_add(160);
        }
        assert!(!s.is_busy());
        packets
    }

    fn receive(packets: &[EventPacket]) -> String {
        let mut r = Receiver::default();
        let mut got = String::new();
        for (i, p) in packets.iter().enumerate() {
            for press in r
                .packet(p.timestamp, &p.payload, at(i as u64 * 20))
                .into_iter()
                .flatten()
            {
                got.push(char::from(press.digit));
            }
        }
        if let Some(press) = r.tick(at(1_000_000)) {
            got.push(char::from(press.digit));
        }
        assert!(r.tick(at(2_000_000)).is_none());
        got
    }

    #[test]
    fn a_key_is_five_packets_and_three_ends_of_one_timestamp() {
        let packets = send("5");
        assert!(packets.iter().all(|p| p.timestamp == 1_000 && p.payload[0] == 5));
        let durations: Vec<u16> = packets
            .iter()
            .map(|p| u16::from_be_bytes([p.payload[2], p.payload[3]]))
            .collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        let ends: Vec<bool> = packets.iter().map(|p| p.payload[1] & 0x80 != 0).collect();
        assert_eq!(ends, [false, false, false, false, true, true, true]);
        assert_eq!(packets.iter().filter(|p| p.marker).count(), 1);
    }

    #[test]
    fn all_sixteen_keys_travel_and_their_length_is_told() {
        assert_eq!(receive(&send("0123456789*#ABCD")), "0123456789*#ABCD");
        let mut r = Receiver::default();
        let press: Vec<Press> = send("7")
            .iter()
            .flat_map(|p| r.packet(p.timestamp, &p.payload, at(0)))
            .flatten()
            .collect();
        assert_eq!(
            press,
            [Press {
                digit: b'7',
                duration_ms: 100
            }]
        );
    }

    #[test]
    fn lost_ends_are_made_up_by_the_next_key_sound_or_silence() {
        let mut packets = send("11");
        packets.retain(|p| p.payload[1] & 0x80 == 0);
        assert_eq!(receive(&packets), "11");
        let mut r = Receiver::default();
        r.packet(1_000, &[3, 10, 3, 32], at(0));
        assert_eq!(r.audio(1_100), None);
        assert_eq!(
            r.audio(1_800),
            Some(Press {
                digit: b'3',
                duration_ms: 100
            })
        );
        assert_eq!(r.audio(1_960), None);
    }

    #[test]
    fn a_single_end_packet_is_a_press() {
        let packets = send("9");
        assert_eq!(receive(&packets[5..6]), "9");
        assert_eq!(receive(&packets[5..]), "9");
    }

    #[test]
    fn keys_in_info_bodies() {
        let cases = [
            (
                "application/dtmf-relay",
                "Signal=5\r\nDuration=160\r\n",
                Some((b'5', 160)),
            ),
            (
                "Application/DTMF-Relay; x=y",
                "Duration = 90\nSignal = *",
                Some((b'*', 90)),
            ),
            ("application/dtmf", "#\r\n", Some((b'#', 0))),
            ("application/dtmf", "12", None),
            ("application/dtmf-relay", "Signal=x", None),
            ("text/plain", "5", None),
            ("application/dtmf", "", None),
        ];
        for (kind, body, want) in cases {
            assert_eq!(
                from_info(kind, body).map(|p| (p.digit, p.duration_ms)),
                want,
                "{kind} {body:?}"
            );
        }
    }

    #[test]
    fn a_very_long_press_is_one_press() {
        let mut r = Receiver::default();
        r.packet(0, &[1, 10, 0xff, 0xff], at(0));
        r.packet(0xffff, &[1, 10, 0, 160], at(20));
        let press = r.packet(0xffff, &[1, 0x8a, 1, 64], at(40));
        assert_eq!(
            press,
            [
                None,
                Some(Press {
                    digit: b'1',
                    duration_ms: 8_231
                })
            ]
        );
    }

    #[test]
    fn other_events_and_short_payloads_are_ignored() {
        let mut r = Receiver::default();
        assert_eq!(r.packet(1, &[16, 0x80, 0, 1], at(0)), [None; 2]);
        assert_eq!(r.packet(1, &[1, 0x80], at(0)), [None; 2]);
        assert!(!Sender::default().press(b'x', 100));
    }

    proptest! {
        #[test]
        fn presses_survive_loss_and_doubling(
            keys in "[0-9*#]{1,12}",
            fate in prop::collection::vec(0u8..4, 200),
        ) {
            // Of each key's packets at least the second is kept.
            let packets = send(&keys);
            let mut arrived = Vec::new();
            let mut index_in_key = 0;
            let mut last = None;
            for (p, fate) in packets.iter().zip(fate) {
                index_in_key = if last == Some(p.timestamp) { index_in_key + 1 } else { 0 };
                last = Some(p.timestamp);
                let copies = match fate { 0 if index_in_key != 1 => 0, 1 => 2, _ => 1 };
                arrived.extend(std::iter::repeat_n(*p, copies));
            }
            prop_assert_eq!(receive(&arrived), keys);
        }
    }
}
