//! The per-frame path of the phone chain never allocates: an allocator that counts stands guard.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Duration,
};

use roomtone_audio::{
    Codec, Encoded, FRAME_SAMPLES, INBOUND_FRAMES, LegConfig, OUTBOUND_FRAMES, Payload, PhoneLeg, Say,
    VadConfig, ring,
};
use roomtone_base::Mono;

struct Guard;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn note() {
    if WATCHED.get() {
        COUNT.set(COUNT.get() + 1);
    }
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches only thread-local cells that
// need no allocation of their own.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note();
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Guard = Guard;

/// Something like speech: a buzz of 140 Hz, on and off.
fn buzz(i: usize) -> u8 {
    let on = (i / 4_000).is_multiple_of(2);
    let phase = (i * 140 % 8_000) as f32 / 8_000.0;
    let sample = if on { (0.4 - phase * 0.8) * 20_000.0 } else { 0.0 };
    roomtone_audio::g711::encode_ulaw(sample as i16)
}

#[test]
fn the_phone_chain_does_not_allocate() {
    let (mut to_leg, line_in) = ring(INBOUND_FRAMES);
    let (line_out, mut from_leg) = ring(OUTBOUND_FRAMES);
    let config = LegConfig {
        codec: Codec::Pcmu,
        vad: VadConfig::default(),
        denoise: true,
    };
    let (mut leg, mut handle) = PhoneLeg::new(&config, line_in, line_out).unwrap();
    handle.control.duck_on_onset(true);
    let mut now = Mono::ZERO;
    let (mut heard, mut sent, mut made_up) = (0u32, 0u32, 0u32);
    WATCHED.set(true);
    for tick in 0..1_500usize {
        if tick % 2 == 0 && tick % 200 < 160 {
            let mut packet = [0u8; 160];
            for (i, byte) in packet.iter_mut().enumerate() {
                *byte = buzz(tick * 80 + i);
            }
            if tick % 70 == 0 {
                to_leg.push(Encoded::empty(Payload::Lost { samples: 160 }));
                made_up += 1;
            }
            if tick % 150 == 0 {
                to_leg.push(Encoded::empty(Payload::Digit {
                    digit: b'5',
                    duration_ms: 100,
                }));
            }
            let mut record = Encoded::audio(Codec::Pcmu, &packet);
            record.arrived = now;
            to_leg.push(record);
        }
        let samples = [(tick % 100) as i16 * 50; FRAME_SAMPLES];
        handle.say.push(Say {
            utterance: 1 + tick as u32 / 300,
            tag: 0,
            last: tick % 300 == 299,
            samples,
        });
        if tick % 400 == 399 {
            handle.control.stop_before(2 + tick as u32 / 300);
            handle.control.set_gain(1.0);
        }
        leg.tick(now);
        while handle.heard.pop().is_some() {
            heard += 1;
        }
        while from_leg.pop().is_some() {
            sent += 1;
        }
        now = now + Duration::from_millis(10);
    }
    WATCHED.set(false);
    assert!(
        heard > 700 && sent > 700 && made_up > 5,
        "the chain did not run: {heard} {sent} {made_up}"
    );
    assert_eq!(COUNT.get(), 0, "allocations on the per-frame path");
}
