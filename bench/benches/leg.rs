//! Cost of the phone chain per 20 ms frame and call, by stage and whole, for one call and for a hundred.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use roomtone_audio::{
    Codec, Drain, Encoded, Feed, Frame, INBOUND_FRAMES, LegConfig, LegHandle, OUTBOUND_FRAMES, PhoneLeg, Stage,
    VadConfig, ring,
    stage::{Cleanup, Resampler, Vad},
};
use roomtone_base::Mono;

/// Something like speech: a buzz of 140 Hz with noise, on and off.
fn speech(i: usize) -> i16 {
    let on = (i / 4_000).is_multiple_of(2);
    let phase = (i * 140 % 8_000) as f32 / 8_000.0;
    let noise = ((i as u32).wrapping_mul(1_664_525).wrapping_add(1_013_904_223) >> 22) as f32;
    (if on { (0.4 - phase * 0.8) * 16_000.0 } else { 0.0 } + noise) as i16
}

struct Bench {
    to_leg: Feed<Encoded>,
    from_leg: Drain<Encoded>,
    leg: PhoneLeg,
    handle: LegHandle,
}

fn leg() -> Bench {
    let (to_leg, line_in) = ring(INBOUND_FRAMES);
    let (line_out, from_leg) = ring(OUTBOUND_FRAMES);
    let config = LegConfig { codec: Codec::Pcmu, vad: VadConfig::default(), denoise: true };
    let (leg, handle) = PhoneLeg::new(&config, line_in, line_out).unwrap();
    Bench { to_leg, from_leg, leg, handle }
}

impl Bench {
    fn frame(&mut self, packet: &Encoded, now: Mono) {
        let mut packet = *packet;
        packet.arrived = now;
        self.to_leg.push(packet);
        self.leg.tick(now);
        self.leg.tick(now);
        while let Some(heard) = self.handle.heard.pop() {
            black_box(&heard);
        }
        self.from_leg.clear();
    }
}

fn whole(c: &mut Criterion) {
    let packets: Vec<Encoded> = (0..500)
        .map(|p| {
            let bytes: Vec<u8> =
                (0..160).map(|i| roomtone_audio::g711::encode_ulaw(speech(p * 160 + i))).collect();
            Encoded::audio(Codec::Pcmu, &bytes)
        })
        .collect();
    for calls in [1usize, 100] {
        let mut legs: Vec<Bench> = (0..calls).map(|_| leg()).collect();
        let mut group = c.benchmark_group("phone leg, frame and call");
        group.throughput(Throughput::Elements(calls as u64)).measurement_time(Duration::from_secs(3));
        let (mut p, mut now) = (0, Mono::ZERO);
        group.bench_function(format!("{calls} calls"), |b| {
            b.iter(|| {
                p = (p + 1) % packets.len();
                now = now + Duration::from_millis(20);
                legs.iter_mut().for_each(|l| l.frame(&packets[p], now));
            });
        });
    }
}

fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("stage, 20 ms");
    group.measurement_time(Duration::from_secs(2));
    let source: Vec<i16> = (0..16_000).map(speech).collect();
    let frame = |b: &mut criterion::Bencher, rate: u32, run: &mut dyn FnMut(&mut Frame)| {
        let n = rate as usize / 50;
        let mut at = 0;
        b.iter(|| {
            at = (at + n) % (16_000 - n);
            let mut f = Frame::silence(rate, n);
            f.fill_i16(&source[at..at + n]);
            run(&mut f);
            black_box(&f);
        });
    };
    let mut up = Resampler::new(8_000, 16_000).unwrap();
    group.bench_function("resample 8 to 16 kHz", |b| frame(b, 8_000, &mut |f| up.process(f)));
    let mut down = Resampler::new(16_000, 8_000).unwrap();
    group.bench_function("resample 16 to 8 kHz", |b| frame(b, 16_000, &mut |f| down.process(f)));
    let mut cleanup = Cleanup::new();
    group.bench_function("high-pass and noise suppression", |b| frame(b, 16_000, &mut |f| cleanup.process(f)));
    let mut vad = Vad::new(VadConfig::default());
    group.bench_function("voice activity", |b| {
        frame(b, 16_000, &mut |f| {
            vad.process(f, |e| {
                black_box(e);
            });
        });
    });
}

criterion_group!(benches, whole, stages);
criterion_main!(benches);
