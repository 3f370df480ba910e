//! Order and loss (VP-040): packets leave in the order of their numbers, as soon as that order is known.
//!
//! There is no playout delay here: a packet that comes in order goes straight through. When a number is missing,
//! later packets wait for it until the wait is over or the window is full; only then is it lost, for good. A pause of
//! the sender is no gap in the numbers and therefore no loss (VP-041).

use std::time::Duration;

use roomtone_base::Mono;

/// Packets that may wait for a missing one.
pub(crate) const WINDOW: u32 = 32;
/// How long they wait.
pub(crate) const PATIENCE: Duration = Duration::from_millis(60);

/// Jump forward that is still the same stream (RFC 3550 A.1, MAX_DROPOUT).
const MAX_DROPOUT: i16 = 3_000;
/// Jump backward that is still the same stream (RFC 3550 A.1, MAX_MISORDER).
const MAX_MISORDER: i16 = -100;

/// What comes out, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out<T> {
    /// The next packet, with its number extended to 32 bits.
    Packet(u32, T),
    /// So many packets are missing at this place and will not be given any more.
    Lost(u32),
}

/// What became of a packet that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In order.
    InOrder,
    /// Ahead of a missing one, or the missing one itself.
    Reordered,
    /// The same number was here before.
    Duplicate,
    /// It had been given up already.
    Late,
    /// Its number is from another stream; if the next one follows it, the stream restarts there (RFC 3550 A.1).
    Stray,
}

#[derive(Clone, Copy)]
struct Waiting<T> {
    number: u32,
    since: Mono,
    item: T,
}

/// The window of one stream.
pub(crate) struct Order<T> {
    slots: Box<[Option<Waiting<T>>]>,
    waiting: u32,
    /// The number that comes out next; `None` before the first packet.
    next: Option<u32>,
    /// Bit n: the packet n + 1 before `next` was given (clear: it was lost).
    given: u64,
    /// Where a new stream would go on, after a stray.
    restart: Option<u16>,
}

impl<T: Copy> Order<T> {
    /// An empty window. The only place that allocates.
    pub(crate) fn new() -> Self {
        let slots = vec![None; WINDOW as usize].into_boxed_slice();
        Order {
            slots,
            waiting: 0,
            next: None,
            given: 0,
            restart: None,
        }
    }

    fn slot(&mut self, number: u32) -> &mut Option<Waiting<T>> {
        &mut self.slots[(number % WINDOW) as usize]
    }

    /// Puts a packet in; `out` gets what can leave.
    pub(crate) fn push(&mut self, sequence: u16, item: T, now: Mono, mut out: impl FnMut(Out<T>)) -> Fate {
        let Some(next) = self.next else {
            // One cycle of head room, so that a packet before the first does not wrap below zero.
            let number = 0x1_0000 + u32::from(sequence);
            self.next = Some(number.wrapping_add(1));
            self.given = 1;
            out(Out::Packet(number, item));
            return Fate::InOrder;
        };
        let delta = sequence.wrapping_sub(next as u16) as i16;
        if !(MAX_MISORDER..MAX_DROPOUT).contains(&delta) {
            if self.restart == Some(sequence) {
                self.resume_at(sequence, &mut out);
                return self.push(sequence, item, now, out);
            }
            self.restart = Some(sequence.wrapping_add(1));
            return Fate::Stray;
        }
        self.restart = None;
        let number = next.wrapping_add_signed(i32::from(delta));
        if delta < 0 {
            let before = u32::from(delta.unsigned_abs()) - 1;
            let given = before >= 64 || self.given >> before & 1 == 1;
            return if given { Fate::Duplicate } else { Fate::Late };
        }
        if delta == 0 {
            self.give(number, item, &mut out);
            let fate = if self.waiting > 0 {
                Fate::Reordered
            } else {
                Fate::InOrder
            };
            self.drain(&mut out);
            return fate;
        }
        self.make_room_for(number, &mut out);
        let next = self.next.expect("set above, never cleared by making room");
        if number == next {
            self.give(number, item, &mut out);
            self.drain(&mut out);
            return Fate::Reordered;
        }
        let slot = self.slot(number);
        if slot.is_some() {
            return Fate::Duplicate;
        }
        *slot = Some(Waiting {
            number,
            since: now,
            item,
        });
        self.waiting += 1;
        Fate::Reordered
    }

    /// Gives up what has been waited for long enough. Call on every tick.
    pub(crate) fn tick(&mut self, now: Mono, mut out: impl FnMut(Out<T>)) {
        while self.waiting > 0 {
            let Some(first) = self.first_waiting() else { return };
            if now.since(first.since) < PATIENCE {
                return;
            }
            self.skip_to(first.number, &mut out);
            self.drain(&mut out);
        }
    }

    /// Another stream begins (its source changed): what waits goes out, numbering goes on upwards.
    pub(crate) fn reset(&mut self, sequence: u16, mut out: impl FnMut(Out<T>)) {
        self.resume_at(sequence, &mut out);
    }

    fn resume_at(&mut self, sequence: u16, out: &mut impl FnMut(Out<T>)) {
        self.restart = None;
        while self.waiting > 0 {
            let Some(first) = self.first_waiting() else { break };
            self.skip_to(first.number, out);
            self.drain(out);
        }
        if let Some(next) = self.next {
            let cycle = (next & 0xffff_0000).wrapping_add(0x1_0000);
            self.next = Some(cycle | u32::from(sequence));
            // Nothing before this number belongs to the stream: do not call it late.
            self.given = u64::MAX;
        }
    }

    fn first_waiting(&self) -> Option<Waiting<T>> {
        let next = self.next?;
        self.slots
            .iter()
            .flatten()
            .min_by_key(|w| w.number.wrapping_sub(next))
            .copied()
    }

    fn make_room_for(&mut self, number: u32, out: &mut impl FnMut(Out<T>)) {
        while let Some(next) = self.next
            && number.wrapping_sub(next) >= WINDOW
        {
            let limit = number.wrapping_sub(WINDOW - 1);
            let target = match self.first_waiting() {
                Some(first) if first.number.wrapping_sub(next) < limit.wrapping_sub(next) => first.number,
                _ => limit,
            };
            self.skip_to(target, out);
            self.drain(out);
        }
    }

    /// Declares everything before `number` lost.
    fn skip_to(&mut self, number: u32, out: &mut impl FnMut(Out<T>)) {
        let next = self.next.unwrap_or(number);
        let missing = number.wrapping_sub(next);
        if missing > 0 {
            self.given = self.given.checked_shl(missing).unwrap_or(0);
            self.next = Some(number);
            out(Out::Lost(missing));
        }
    }

    fn give(&mut self, number: u32, item: T, out: &mut impl FnMut(Out<T>)) {
        self.next = Some(number.wrapping_add(1));
        self.given = self.given << 1 | 1;
        out(Out::Packet(number, item));
    }

    fn drain(&mut self, out: &mut impl FnMut(Out<T>)) {
        while self.waiting > 0
            && let Some(next) = self.next
            && self.slot(next).is_some_and(|w| w.number == next)
            && let Some(w) = self.slot(next).take()
        {
            self.waiting -= 1;
            self.give(next, w.item, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::from_duration(Duration::from_millis(ms))
    }

    /// Feeds (arrival in ms, number) and gives what came out: `Ok` a packet, `Err` so many lost.
    fn run(packets: &[(u64, u16)]) -> (Vec<Result<u16, u32>>, Vec<Fate>) {
        let mut order = Order::new();
        let mut got = Vec::new();
        let mut fates = Vec::new();
        let mut put = |o: Out<u16>| {
            got.push(match o {
                Out::Packet(n, item) => {
                    assert_eq!(n as u16, item);
                    Ok(item)
                }
                Out::Lost(n) => Err(n),
            });
        };
        let mut time = 0;
        for (arrival, number) in packets {
            while time + 10 <= *arrival {
                time += 10;
                order.tick(at(time), &mut put);
            }
            fates.push(order.push(*number, *number, at(*arrival), &mut put));
        }
        order.tick(at(time + 1_000), &mut put);
        (got, fates)
    }

    #[test]
    fn in_order_packets_go_straight_through_even_over_the_wrap() {
        let (got, _) = run(&[(0, 65_534), (20, 65_535), (40, 0), (60, 1)]);
        assert_eq!(got, [Ok(65_534), Ok(65_535), Ok(0), Ok(1)]);
    }

    #[test]
    fn a_swap_is_put_right_and_nothing_is_lost_vp_040() {
        let (got, fates) = run(&[(0, 1), (20, 3), (25, 2), (40, 4)]);
        assert_eq!(got, [Ok(1), Ok(2), Ok(3), Ok(4)]);
        assert_eq!(
            fates,
            [Fate::InOrder, Fate::Reordered, Fate::Reordered, Fate::InOrder]
        );
    }

    #[test]
    fn loss_is_declared_only_after_the_patience() {
        let mut order = Order::new();
        let mut got = Vec::new();
        order.push(1, (), at(0), |o| got.push(o));
        order.push(3, (), at(20), |o| got.push(o));
        order.tick(at(79), |o| got.push(o));
        assert_eq!(got.len(), 1);
        order.tick(at(80), |o| got.push(o));
        assert_eq!(got[1], Out::Lost(1));
        assert_eq!(got.len(), 3);
    }

    #[test]
    fn a_packet_given_up_is_late_not_duplicate() {
        let (got, fates) = run(&[(0, 1), (20, 3), (200, 2), (210, 3), (220, 4)]);
        assert_eq!(got, [Ok(1), Err(1), Ok(3), Ok(4)]);
        assert_eq!(fates[2..], [Fate::Late, Fate::Duplicate, Fate::InOrder]);
    }

    #[test]
    fn a_pause_is_no_loss_vp_041() {
        let (got, _) = run(&[(0, 1), (5_000, 2)]);
        assert_eq!(got, [Ok(1), Ok(2)]);
    }

    #[test]
    fn a_burst_beyond_the_window_is_lost_at_once() {
        let (got, _) = run(&[(0, 1), (20, 100), (40, 101)]);
        assert_eq!(got, [Ok(1), Err(67), Err(1), Err(30), Ok(100), Ok(101)]);
    }

    #[test]
    fn a_restart_is_believed_at_its_second_packet() {
        let (got, fates) = run(&[(0, 1), (20, 30_000), (40, 30_001), (60, 30_002)]);
        assert_eq!(got, [Ok(1), Ok(30_001), Ok(30_002)]);
        assert_eq!(fates[1], Fate::Stray);
    }

    proptest! {
        #[test]
        fn each_number_comes_out_once_in_order_or_is_counted(
            start: u16,
            moves in prop::collection::vec((0i64..5, prop::bool::weighted(0.1), prop::bool::weighted(0.1)), 2..200),
        ) {
            // Packet i is sent at 20 i ms, arrives up to 2 packets late, may be dropped or doubled.
            let mut arrivals = Vec::new();
            for (i, (late, drop, double)) in moves.iter().enumerate().skip(1) {
                let arrival = 20 * i as i64 + late * 11;
                if !drop {
                    arrivals.push((arrival as u64, start.wrapping_add(i as u16)));
                    if *double {
                        arrivals.push((arrival as u64 + 15, start.wrapping_add(i as u16)));
                    }
                }
            }
            arrivals.insert(0, (0, start));
            arrivals.sort_by_key(|(t, _)| *t);
            let (got, _) = run(&arrivals);
            let mut expected = start;
            for o in got {
                match o {
                    Ok(n) => { prop_assert_eq!(n, expected); expected = expected.wrapping_add(1); }
                    Err(n) => {
                        for k in 0..n as u16 {
                            let gone = expected.wrapping_add(k);
                            prop_assert!(!arrivals.iter().any(|(_, s)| *s == gone), "{gone} arrived");
                        }
                        expected = expected.wrapping_add(n as u16);
                    }
                }
            }
        }

        #[test]
        fn any_numbers_at_any_time_never_panic_and_never_repeat(
            packets in prop::collection::vec((0u64..100, any::<u16>()), 0..300)) {
            let mut order = Order::new();
            let mut last: Option<u32> = None;
            let mut time = 0;
            for (dt, seq) in packets {
                time += dt;
                let mut seen = Vec::new();
                order.push(seq, (), at(time), |o| seen.push(o));
                order.tick(at(time), |o| seen.push(o));
                for o in seen {
                    if let Out::Packet(n, ()) = o {
                        prop_assert!(last.is_none_or(|l| n > l));
                        last = Some(n);
                    }
                }
            }
        }
    }
}
