//! Conversations with the running program.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use roomtone_audio::{Frame, Stage, frame::to_i16, stage::Resampler};
use roomtone_base::SharedClock;
use roomtone_lab::{Clip, Talk, TalkPlan, script::Start};
use roomtone_speech::{Tts, flite::Flite};
use tokio::sync::mpsc;

use crate::program::{Program, telephone};

/// Questions that the shipped desk answers with facts.
const QUESTIONS: [&str; 5] = [
    "what time is breakfast",
    "is there parking",
    "when is check out",
    "do you have a swimming pool",
    "what is the wifi password",
];
/// Above this a packet counts as speech, dBFS.
const LOUD_DBFS: f32 = -45.0;

/// What 50 turns showed.
pub(crate) struct Turns {
    /// Caller's last speech packet to the first received packet with speech, ms.
    pub(crate) heard_ms: Vec<f64>,
    /// The program's own account by part, ms.
    pub(crate) split: Vec<(&'static str, Vec<f64>)>,
}

fn clip(flite: &Flite, text: &str, voice: &str, start: Start) -> Result<Clip> {
    let stream = flite.speak(text, voice)?;
    let wide = std::thread::spawn(move || stream.blocking_collect());
    let wide = wide.join().map_err(|_| anyhow::anyhow!("the voice failed"))??;
    let mut down = Resampler::new(16_000, 8_000)?;
    let mut pcm = Vec::with_capacity(wide.len() / 2);
    for chunk in wide.chunks_exact(320) {
        let mut frame = Frame::silence(16_000, 320);
        frame.fill_i16(chunk);
        down.process(&mut frame);
        pcm.extend(frame.samples().iter().map(|s| to_i16(*s)));
    }
    Ok(Clip {
        pcm,
        text: text.to_owned(),
        start,
    })
}

async fn talk(clock: SharedClock, target: String, clips: Vec<Clip>) -> Result<Talk> {
    let phone = telephone(&clock).await?;
    let (events, _) = mpsc::unbounded_channel();
    let mut plan = TalkPlan::new(target, clips);
    plan.manners.quiet_after = Duration::from_millis(450);
    let talk = phone.converse(plan, events).await?;
    phone.close().await;
    Ok(talk)
}

/// Asks until `count` answers are measured.
pub(crate) async fn turns(program: &Program, count: usize) -> Result<Turns> {
    const PARTS: [&str; 7] = ["vad", "endpoint", "stt", "room", "desk", "tts", "first_frame"];
    let flite = Flite::new()?;
    let mut turns = Turns {
        heard_ms: Vec::new(),
        split: PARTS.iter().map(|p| (*p, Vec::new())).collect(),
    };
    let mut calls = 0;
    while turns.heard_ms.len() < count {
        calls += 1;
        if calls > count {
            bail!("only {} answers in {calls} calls", turns.heard_ms.len());
        }
        let voice = if calls % 2 == 0 { "slt" } else { "rms" };
        let clips: Result<Vec<Clip>> = QUESTIONS
            .iter()
            .map(|q| clip(&flite, q, voice, Start::WhenQuiet))
            .collect();
        let clips = clips?;
        let asked = clips.len();
        let talk = talk(program.clock.clone(), program.target(), clips).await?;
        turns.heard_ms.extend(
            talk.record
                .replies(asked, LOUD_DBFS)
                .iter()
                .map(|r| r.delay().as_secs_f64() * 1_000.0),
        );
        // The last answer is noted when it has been spoken.
        program.clock.sleep(Duration::from_millis(300)).await;
        let transcript = program.transcript().await?;
        let said = transcript["turns"]
            .as_array()
            .context("the transcript has no turns")?;
        for waterfall in said.iter().map(|t| &t["waterfall_ms"]) {
            for (part, values) in &mut turns.split {
                values.extend(waterfall[*part].as_f64());
            }
        }
    }
    Ok(turns)
}

/// Talks over the greeting `count` times, four calls at a time: delays in ms.
pub(crate) async fn interruptions(program: &Program, count: usize) -> Result<Vec<f64>> {
    let flite = Flite::new()?;
    let mut delays = Vec::new();
    for first in (0..count).step_by(4) {
        let mut running = tokio::task::JoinSet::new();
        for i in first..(first + 4).min(count) {
            let voice = if i % 2 == 0 { "slt" } else { "rms" };
            // Spread over a packet's length and over the greeting's syllables.
            let after = Duration::from_millis(1_200 + 37 * i as u64);
            let clip = clip(
                &flite,
                QUESTIONS[i % QUESTIONS.len()],
                voice,
                Start::Interrupt { after },
            )?;
            running.spawn(talk(program.clock.clone(), program.target(), vec![clip]));
        }
        while let Some(talk) = running.join_next().await {
            let yields = talk??.record.yields(&[0], LOUD_DBFS);
            delays.extend(yields.iter().map(|y| y.delay().as_secs_f64() * 1_000.0));
        }
    }
    Ok(delays)
}

/// What several calls at once cost.
pub(crate) struct Load {
    pub(crate) cpu_percent: f64,
    pub(crate) resident_bytes: u64,
}

/// `calls` conversations at once for about `seconds`.
pub(crate) async fn load(program: &mut Program, calls: usize, seconds: u64) -> Result<Load> {
    let flite = Flite::new()?;
    let clips: Result<Vec<Clip>> = (0..20)
        .map(|i| clip(&flite, QUESTIONS[i % QUESTIONS.len()], "rms", Start::WhenQuiet))
        .collect();
    let clips = clips?;
    let cpu = program.cpu()?;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let (clock, target, clips) = (program.clock.clone(), program.target(), clips.clone());
        running.spawn(async move {
            let phone = telephone(&clock).await?;
            let (events, _) = mpsc::unbounded_channel();
            let plan = TalkPlan {
                longest: Duration::from_secs(seconds),
                ..TalkPlan::new(target, clips)
            };
            let talk = phone.converse(plan, events).await?;
            phone.close().await;
            anyhow::Ok(talk.report.duration_ms)
        });
    }
    program
        .clock
        .sleep(Duration::from_secs(seconds.saturating_sub(2)))
        .await;
    let resident_bytes = program.resident_bytes()?;
    let mut spoken_ms = 0;
    while let Some(done) = running.join_next().await {
        spoken_ms += done??;
    }
    let used = program.cpu()?.saturating_sub(cpu).as_secs_f64();
    Ok(Load {
        cpu_percent: used / (spoken_ms as f64 / 1_000.0) * 100.0,
        resident_bytes,
    })
}
