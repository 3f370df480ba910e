//! The program under measurement, as a child process.

use std::{
    net::UdpSocket,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use roomtone_base::{IdSource, NoEvidence, Rng, SharedClock, SystemClock};
use roomtone_lab::{CallPlan, CallResult, Softphone};
use roomtone_sip::Deps;
use tokio::process::{Child, Command};

/// A running program with a state folder of its own.
pub(crate) struct Program {
    child: Child,
    pub(crate) port: u16,
    pub(crate) clock: SharedClock,
    binary: PathBuf,
    config: PathBuf,
    state: tempfile::TempDir,
}

fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A telephone on this machine.
pub(crate) async fn telephone(clock: &SharedClock) -> Result<Softphone> {
    let ids = IdSource::new(clock.clone(), Rng::from_entropy());
    let deps = Deps { clock: clock.clone(), ids, evidence: Arc::new(NoEvidence) };
    Ok(Softphone::bind(([127, 0, 0, 1], 0).into(), deps).await?)
}

fn spawn(binary: &Path, config: &Path, state: &Path, port: u16) -> Result<Child> {
    // The shipped configuration with another port: a copy whose conf.d moves the box aside.
    let folder = state.join("config");
    copy(config.parent().context("the configuration has no folder")?, &folder)?;
    std::fs::create_dir_all(folder.join("conf.d"))?;
    std::fs::write(
        folder.join("conf.d/99-bench.toml"),
        format!("[sip]\nlisten = \"127.0.0.1:{port}\"\nrtp_ports = \"0-0\"\nmax_calls = 100\n[log]\nlevel = \"warn\"\n"),
    )?;
    let file = folder.join(config.file_name().context("the configuration is no file")?);
    let mut command = Command::new(binary);
    command.arg("run").arg("--config").arg(file).arg("--state").arg(state.join("state"));
    command.stdout(std::process::Stdio::null()).kill_on_drop(true);
    command.spawn().with_context(|| format!("starting {}", binary.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Milliseconds from the program's start to its 200 for an INVITE that is sent again and again. State is fresh.
pub(crate) async fn start_to_answer(binary: &Path, config: &Path) -> Result<f64> {
    let clock = SystemClock::shared();
    let (state, port) = (tempfile::tempdir()?, free_port()?);
    let phone = telephone(&clock).await?;
    let began = clock.mono();
    let mut child = spawn(binary, config, state.path(), port)?;
    let plan = CallPlan::listen(format!("sip:desk@127.0.0.1:{port}"), Duration::from_millis(20));
    // An INVITE is repeated after 500 ms, 1 s, …; the first one is sent when the port is open, so that the figure is
    // the program's and not the timer's.
    while UdpSocket::bind(("127.0.0.1", port)).is_ok() {
        if clock.mono().since(began) > Duration::from_secs(20) || child.try_wait()?.is_some() {
            bail!("the program did not open its port");
        }
        clock.sleep(Duration::from_millis(2)).await;
    }
    let before_call = clock.mono();
    let report = phone.call_once(plan).await?;
    let took = before_call.since(began).as_secs_f64() * 1_000.0 + report.setup_ms as f64;
    child.kill().await?;
    phone.close().await;
    if report.result != CallResult::Answered {
        bail!("the first call was not answered ({})", report.sip_code);
    }
    Ok(took)
}

impl Program {
    /// Starts the program with fresh state and waits until its port is open.
    pub(crate) async fn start(binary: &Path, config: &Path) -> Result<Self> {
        let clock = SystemClock::shared();
        let (state, port) = (tempfile::tempdir()?, free_port()?);
        let child = spawn(binary, config, state.path(), port)?;
        let began = clock.mono();
        while UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            if clock.mono().since(began) > Duration::from_secs(20) {
                bail!("the program did not open its port");
            }
            clock.sleep(Duration::from_millis(10)).await;
        }
        Ok(Program { child, port, clock, binary: binary.to_owned(), config: config.to_owned(), state })
    }

    /// A first call, and time for what the program does in the background after its start.
    pub(crate) async fn warm(&self) -> Result<()> {
        let phone = telephone(&self.clock).await?;
        phone.call_once(CallPlan::listen(self.target(), Duration::from_secs(3))).await?;
        phone.close().await;
        self.clock.sleep(Duration::from_secs(5)).await;
        Ok(())
    }

    pub(crate) fn target(&self) -> String {
        format!("sip:desk@127.0.0.1:{}", self.port)
    }

    fn stat(&self, file: &str) -> Result<String> {
        let id = self.child.id().context("the program has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let status = self.stat("status")?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1_024)
    }

    /// CPU time of the program so far, user and system.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = self.stat("stat")?;
        let after_name = stat.rsplit(')').next().context("no stat")?;
        let mut fields = after_name.split_whitespace().skip(11);
        let mut next = || fields.next().and_then(|f| f.parse::<u64>().ok()).context("no times in stat");
        // USER_HZ is 100 on Linux for every supported processor.
        Ok(Duration::from_millis((next()? + next()?) * 10))
    }

    /// The turns of the last call, as `roomtone transcript last --json` gives them.
    pub(crate) async fn transcript(&self) -> Result<serde_json::Value> {
        let output = Command::new(&self.binary)
            .arg("transcript")
            .arg("last")
            .arg("--json")
            .arg("--config")
            .arg(&self.config)
            .arg("--state")
            .arg(self.state.path().join("state"))
            .output()
            .await?;
        if !output.status.success() {
            bail!("transcript: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
