//! `roomtone run`

use std::{
    fs::File,
    io::{BufRead, IsTerminal},
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use roomtone_base::{IdSource, NoEvidence, Rng, SystemClock};
use roomtone_lab::{Softphone, TalkPlan};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};

use super::Place;
use crate::{house::House, live, logging};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  roomtone run\n  roomtone run --config config/roomtone.toml --state .roomtone --live\n  \
    roomtone run --live --demo config/demo.toml"
)]
pub(crate) struct Args {
    /// Show calls as they happen on standard output.
    #[arg(long)]
    live: bool,
    /// Call the box once it is up, with the sentences of this file, and go on running.
    #[arg(long, value_name = "FILE")]
    demo: Option<PathBuf>,
}

/// A caller who calls once to show what happens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    voice: String,
    say: Vec<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<ExitCode> {
    let loaded = place.load()?;
    // Beside the conversation on a terminal only what is wrong is worth a line.
    let shown = args.live && std::io::stderr().is_terminal();
    logging::start(if shown { "warn" } else { &loaded.config.log.level })?;
    let state = place.state(&loaded);
    let demo = args.demo.as_deref().map(read_demo).transpose()?;
    let _only = only_one(&state)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(async {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let house = tokio::select! {
            house = House::open(&loaded, &state) => house?,
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        };
        // Outside systemd nobody listens, which is fine.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        let watchdog = tokio::spawn(feed_watchdog());
        house.keep_phrases(&loaded.config.voice.closing);
        tracing::info!(target: "roomtone", version = env!("CARGO_PKG_VERSION"), sip = %house.endpoint.local_addr(),
            realtime = house.pool.realtime(), "answering calls");
        let shown = args.live.then(|| {
            introduce(&house, &state, demo.is_some());
            tokio::spawn(live::show(house.voice.watch()))
        });
        let caller = demo.map(|demo| {
            let target = format!("sip:desk@127.0.0.1:{}", house.endpoint.local_addr().port());
            tokio::spawn(async move {
                if let Err(error) = call(demo, target).await {
                    eprintln!("roomtone: the demonstration call failed: {}", crate::problem::one_line(&error));
                }
                outln!("\nThat was the box answering a telephone call. It stays up: call it yourself, or press Ctrl-C.");
            })
        });
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!(target: "roomtone", calls = house.voice.calls(), "stopping");
        watchdog.abort();
        if let Some(caller) = caller {
            caller.abort();
        }
        house.close().await;
        if let Some(shown) = shown {
            shown.abort();
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn read_demo(path: &Path) -> Result<Demo> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("--demo: {} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

/// Two boxes on one state folder would answer twice and number twice: the second says so and stops.
pub(crate) fn only_one(state: &Path) -> Result<File> {
    std::fs::create_dir_all(state).with_context(|| format!("the state folder {}", state.display()))?;
    let path = state.join("roomtone.lock");
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            bail!(
                "another roomtone runs on {} → stop it, or name another folder with --state",
                state.display()
            )
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Tells systemd that the runtime still turns, as often as it asks for.
async fn feed_watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        tokio::time::sleep(limit / 3).await;
    }
}

fn introduce(house: &House, state: &Path, demo: bool) {
    let port = house.endpoint.local_addr().port();
    outln!("Roomtone {} answers calls.", env!("CARGO_PKG_VERSION"));
    for address in addresses(house.endpoint.local_addr().ip()) {
        let from = if address.is_loopback() {
            "this machine"
        } else {
            "this network"
        };
        outln!("  Call it       sip:desk@{address}:{port}  (UDP, G.711, from {from})");
    }
    let program = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let (program, state) = (from_here(&program), from_here(state));
    outln!("  It hears      English only, until a recogniser model for other languages is added");
    outln!("  It keeps      everything in {state}");
    outln!("  Read a call   {program} transcript last --state {state}");
    outln!("  Stop it       Ctrl-C");
    if demo {
        outln!("\nA guest calls, over SIP and RTP on this machine:\n");
    } else {
        outln!();
    }
}

/// A path as a person in this folder would type it.
fn from_here(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

/// Addresses that a telephone may dial, the network's before this machine's own.
fn addresses(bound: IpAddr) -> Vec<IpAddr> {
    if !bound.is_unspecified() {
        return vec![bound];
    }
    let mut found: Vec<IpAddr> = local_ipv4();
    found.push(IpAddr::from([127, 0, 0, 1]));
    found
}

/// IPv4 addresses of this machine's interfaces, from the kernel's own list.
fn local_ipv4() -> Vec<IpAddr> {
    let Ok(file) = File::open("/proc/net/fib_trie") else {
        return Vec::new();
    };
    let mut last = None;
    let mut found = Vec::new();
    for line in std::io::BufReader::new(file).lines().map_while(Result::ok) {
        let line = line.trim();
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<IpAddr>().ok();
        } else if line.starts_with("/32 host LOCAL")
            && let Some(address) = last.filter(|a| !a.is_loopback() && !found.contains(a))
        {
            found.push(address);
        }
    }
    found
}

async fn call(demo: Demo, target: String) -> Result<()> {
    let clips = super::call::clips(&demo.say, &demo.voice)?;
    let clock = SystemClock::shared();
    let ids = IdSource::new(clock.clone(), Rng::from_entropy());
    let deps = roomtone_sip::Deps {
        clock,
        ids,
        evidence: std::sync::Arc::new(NoEvidence),
    };
    let phone = Softphone::bind(([127, 0, 0, 1], 0).into(), deps).await?;
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let plan = TalkPlan {
        longest: Duration::from_secs(120),
        ..TalkPlan::new(target, clips)
    };
    phone.converse(plan, events).await?;
    phone.close().await;
    Ok(())
}
