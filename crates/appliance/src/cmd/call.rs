//! `roomtone call`

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use clap::ValueEnum;
use roomtone_audio::Codec;
use roomtone_base::{IdSource, NoEvidence, Rng, SystemClock};
use roomtone_lab::{CallPlan, CallReport, CallResult, Clip, Softphone, TalkPlan, script::Start};
use roomtone_sip::Deps;
use roomtone_speech::{Tts, flite::Flite};

use super::Place;

/// What is offered to the other side.
#[derive(Clone, Copy, ValueEnum)]
enum CodecName {
    Pcmu,
    Pcma,
}

/// How SIP travels.
#[derive(Clone, Copy, ValueEnum)]
enum Transport {
    Udp,
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  roomtone call sip:desk@127.0.0.1 --say \"what time is breakfast\" --record answer.wav\n  \
    roomtone call sip:desk@127.0.0.1:5060 --play question.wav --hangup-after 10 --json"
)]
pub(crate) struct Args {
    /// Whom to call: `sip:user@host[:port]`.
    target: String,
    /// A WAV file to play once the call is answered.
    #[arg(long, value_name = "WAV", conflicts_with = "say")]
    play: Option<PathBuf>,
    /// Say this when the other side has spoken and is quiet; may be given several times.
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,
    /// The voice for `--say`.
    #[arg(long, default_value = "rms")]
    voice: String,
    /// Write what is heard to this WAV file.
    #[arg(long, value_name = "WAV")]
    record: Option<PathBuf>,
    /// Keys to press after the answer: 0-9 * # A-D.
    #[arg(long, default_value = "", value_name = "KEYS", conflicts_with = "say")]
    dtmf: String,
    /// Hang up so many seconds after the answer.
    #[arg(long, value_name = "SECONDS")]
    hangup_after: Option<f64>,
    /// Offer this codec alone.
    #[arg(long, value_enum)]
    codec: Option<CodecName>,
    /// How SIP travels.
    #[arg(long, value_enum, default_value = "udp")]
    transport: Transport,
    /// For programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(_place: &Place, args: &Args) -> Result<ExitCode> {
    let Transport::Udp = args.transport;
    let report = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no runtime")?
        .block_on(place(args))?;
    if args.json {
        outln!("{}", serde_json::to_string(&report)?);
    } else {
        outln!("{}", words(&report));
    }
    Ok(if report.result == CallResult::Answered {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

async fn place(args: &Args) -> Result<CallReport> {
    let clock = SystemClock::shared();
    let ids = IdSource::new(clock.clone(), Rng::from_entropy());
    let deps = Deps {
        clock,
        ids,
        evidence: Arc::new(NoEvidence),
    };
    let phone = Softphone::bind(([0, 0, 0, 0], 0).into(), deps).await?;
    let codec = args.codec.map(|c| match c {
        CodecName::Pcmu => Codec::Pcmu,
        CodecName::Pcma => Codec::Pcma,
    });
    let limit = args
        .hangup_after
        .map(Duration::try_from_secs_f64)
        .transpose()
        .with_context(|| "--hangup-after is no time in seconds")?;
    let report = if args.say.is_empty() {
        let play = args.play.as_deref().map(roomtone_lab::wav::read).transpose()?;
        let plan = CallPlan {
            target: args.target.clone(),
            play,
            record: args.record.clone(),
            dtmf: args.dtmf.clone(),
            hangup_after: limit,
            codec,
        };
        phone.call_once(plan).await?
    } else {
        let clips = clips(&args.say, &args.voice)?;
        let mut plan = TalkPlan {
            codec,
            ..TalkPlan::new(args.target.clone(), clips)
        };
        if let Some(limit) = limit {
            plan.longest = limit;
        }
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        let mut talk = phone.converse(plan, events).await?;
        if let Some(path) = &args.record {
            roomtone_lab::wav::write(path, &talk.record.pcm)?;
            talk.report.record = Some(path.clone());
        }
        talk.report
    };
    phone.close().await;
    Ok(report)
}

/// Sentences as clips that a caller says one after the other.
pub(crate) fn clips(sentences: &[String], voice: &str) -> Result<Vec<Clip>> {
    let flite = Flite::new()?;
    let mut clips = Vec::new();
    for text in sentences {
        let sound = flite.speak(text, voice)?;
        let wide = std::thread::spawn(move || sound.blocking_collect());
        let wide = wide.join().map_err(|_| anyhow::anyhow!("the voice failed"))??;
        clips.push(Clip {
            pcm: to_telephone(&wide)?,
            text: text.clone(),
            start: Start::WhenQuiet,
        });
    }
    Ok(clips)
}

/// 16 kHz to 8 kHz.
fn to_telephone(wide: &[i16]) -> Result<Vec<i16>> {
    use roomtone_audio::{Frame, Stage, frame::to_i16, stage::Resampler};
    let mut down = Resampler::new(16_000, 8_000)?;
    let mut narrow = Vec::with_capacity(wide.len() / 2);
    for chunk in wide.chunks(320) {
        let mut frame = Frame::silence(16_000, 320);
        for (to, from) in frame.samples_mut().iter_mut().zip(chunk) {
            *to = f32::from(*from) / 32_768.0;
        }
        down.process(&mut frame);
        narrow.extend(frame.samples().iter().map(|s| to_i16(*s)));
    }
    Ok(narrow)
}

fn words(report: &CallReport) -> String {
    let packets = format!(
        "{} packets sent, {} received, {} lost, jitter {:.1} ms",
        report.sent_packets, report.received_packets, report.lost_packets, report.jitter_ms
    );
    match report.result {
        CallResult::Answered => format!(
            "answered after {} ms, {:.1} s, {}",
            report.setup_ms,
            report.duration_ms as f64 / 1_000.0,
            packets
        ),
        CallResult::Busy => format!("busy ({})", report.sip_code),
        CallResult::Refused => format!("refused ({})", report.sip_code),
        CallResult::Failed if report.sip_code == 0 => "not reached".to_owned(),
        CallResult::Failed => format!("no answer ({})", report.sip_code),
    }
}
