//! What whole-box tests share: the program as a process, a caller, ears that recognise what the desk said.
#![allow(dead_code, reason = "every test file uses its part")]

pub(crate) mod caller;
pub(crate) mod ears;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use roomtone_base::{Mono, SharedClock, SystemClock};
use roomtone_speech::{flite::Flite, pocketsphinx};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_roomtone");
/// Longer than anything takes that a test waits for, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Is everything installed that the program cannot run without? Says so if not.
pub(crate) fn engines_missing() -> bool {
    let ears = pocketsphinx::probe(Path::new(pocketsphinx::DEFAULT_MODEL)).err();
    let mouth = Flite::new()
        .and_then(|f| f.warm("rms").and_then(|()| f.warm("slt")))
        .err();
    let missing = ears.or(mouth);
    if let Some(error) = &missing {
        println!("skipped: {error}");
    }
    missing.is_some()
}

/// A time to measure from.
pub(crate) fn now() -> Mono {
    clock().mono()
}

/// The clock of all measurements: they are compared with each other.
pub(crate) fn clock() -> SharedClock {
    static CLOCK: std::sync::OnceLock<SharedClock> = std::sync::OnceLock::new();
    CLOCK.get_or_init(SystemClock::shared).clone()
}

/// Looks again and again until there is something; panics with `what` after [`PATIENCE`].
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(now().since(began) < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A folder with the shipped configuration and a state folder beside it, for one box and its successors.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// The shipped configuration, a telephone port that the system chooses, and `overrides` on top.
    pub(crate) fn new(overrides: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        copy(&shipped, &folder.path().join("config"));
        let place = Place { folder };
        fs::create_dir_all(place.config_folder().join("conf.d")).unwrap();
        let network = "[sip]\nlisten = \"127.0.0.1:0\"\nrtp_ports = \"0-0\"\n";
        fs::write(place.config_folder().join("conf.d/50-network.toml"), network).unwrap();
        fs::write(place.overrides(), overrides).unwrap();
        place
    }

    pub(crate) fn config_folder(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The file that holds what differs from the shipped configuration.
    pub(crate) fn overrides(&self) -> PathBuf {
        self.config_folder().join("conf.d/99-test.toml")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A file of the test's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with this configuration and state.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .arg("--config")
            .arg(self.config_folder().join("roomtone.toml"))
            .arg("--state")
            .arg(self.state())
            .stdin(Stdio::null());
        command
    }

    /// Standard output of a verb that must succeed.
    pub(crate) fn says(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The transcript of a call, as it is now.
    pub(crate) fn transcript(&self, which: &str) -> Transcript {
        let text = self.says(&["transcript", which, "--json"]);
        Transcript(serde_json::from_str(&text).unwrap())
    }

    /// The transcript of a call that is over, once its end has been written down.
    pub(crate) async fn ended_transcript(&self, which: &str) -> Transcript {
        until("the end of the call in its transcript", || {
            Some(self.transcript(which)).filter(|t| !t.0["ended"].is_null())
        })
        .await
    }

    /// The evidence of a call.
    pub(crate) fn trace(&self, which: &str) -> Vec<Value> {
        let text = self.says(&["trace", which, "--json"]);
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// Starts the box and waits until it answers calls.
    pub(crate) fn start(&self) -> Roomtone {
        let mut child = self
            .command(&["run", "--live"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Lines::read(child.stdout.take().unwrap());
        let err = Lines::read(child.stderr.take().unwrap());
        let mut running = Roomtone {
            child,
            sip: SocketAddr::from(([127, 0, 0, 1], 0)),
            out,
            err,
        };
        // The port is open before its address is printed, and the line names the one that the system chose.
        let line = running
            .out
            .wait("the address to call", |l| l.contains("sip:desk@"));
        let address = line.split("sip:desk@").nth(1).unwrap();
        running.sip = address.split_whitespace().next().unwrap().parse().unwrap();
        running
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a process prints, line by line.
#[derive(Clone)]
pub(crate) struct Lines(Arc<(Mutex<Printed>, Condvar)>);

#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    over: bool,
}

impl Lines {
    fn read(from: impl Read + Send + 'static) -> Lines {
        let lines = Lines(Arc::default());
        let shared = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                shared.0.0.lock().unwrap().lines.push(line);
                shared.0.1.notify_all();
            }
            shared.0.0.lock().unwrap().over = true;
            shared.0.1.notify_all();
        });
        lines
    }

    /// Everything so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    /// Everything, once the process has closed its end.
    pub(crate) fn all_of_it(&self) -> Vec<String> {
        let printed = self.0.0.lock().unwrap();
        let (printed, waited) = self
            .0
            .1
            .wait_timeout_while(printed, PATIENCE, |p| !p.over)
            .unwrap();
        assert!(!waited.timed_out(), "the output does not end");
        printed.lines.clone()
    }

    pub(crate) fn count(&self, is_it: impl Fn(&str) -> bool) -> usize {
        self.0.0.lock().unwrap().lines.iter().filter(|l| is_it(l)).count()
    }

    /// The first line of that kind; blocks until there is one.
    pub(crate) fn wait(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let printed = self.0.0.lock().unwrap();
        let found = |p: &Printed| p.lines.iter().find(|l| is_it(l)).cloned();
        let (printed, _) = self
            .0
            .1
            .wait_timeout_while(printed, PATIENCE, |p| found(p).is_none() && !p.over)
            .unwrap();
        found(&printed).unwrap_or_else(|| panic!("in vain: {what}; printed: {:#?}", printed.lines))
    }

    /// As [`Lines::wait`], for tasks.
    pub(crate) async fn see(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let began = now();
        loop {
            if let Some(line) = self.all().into_iter().find(|l| is_it(l)) {
                return line;
            }
            assert!(
                now().since(began) < PATIENCE,
                "in vain: {what}; printed: {:#?}",
                self.all()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The running program. Killed when dropped.
pub(crate) struct Roomtone {
    child: Child,
    /// Where it answers.
    pub(crate) sip: SocketAddr,
    /// Standard output: calls as they happen.
    pub(crate) out: Lines,
    /// Standard error: the log.
    pub(crate) err: Lines,
}

impl Drop for Roomtone {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Roomtone {
    pub(crate) fn target(&self) -> String {
        format!("sip:desk@{}", self.sip)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the end of the program", || self.child.try_wait().unwrap()).await
    }

    /// Kills it as a power cut does: nothing is finished or written any more.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.signal(Signal::KILL);
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it had ended before: {status}");
        self.out.all_of_it()
    }

    /// Asks it to stop and waits.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until the phrases of the desk are made: until then the program is busy with itself.
    pub(crate) async fn warm(&self) {
        self.err
            .see("ready phrases", |l| l.contains("phrases are ready"))
            .await;
    }

    /// Ids of the calls that were answered, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        call_ids(&self.out.all())
    }

    /// Local ports of its UDP sockets.
    pub(crate) fn udp_ports(&self) -> Vec<u16> {
        let mut inodes = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .unwrap()
            .flatten()
        {
            let Ok(link) = fs::read_link(entry.path()) else {
                continue;
            };
            let link = link.to_string_lossy().into_owned();
            inodes.extend(
                link.strip_prefix("socket:[")
                    .map(|i| i.trim_end_matches(']').to_owned()),
            );
        }
        let table = fs::read_to_string("/proc/net/udp").unwrap();
        let rows = table
            .lines()
            .skip(1)
            .map(|l| l.split_whitespace().collect::<Vec<_>>());
        rows.filter(|r| inodes.iter().any(|i| i == r[9]))
            .map(|r| u16::from_str_radix(r[1].split(':').nth(1).unwrap(), 16).unwrap())
            .collect()
    }
}

/// Ids of the calls that live output says were answered.
pub(crate) fn call_ids(lines: &[String]) -> Vec<String> {
    let call = |l: &String| Some(l.strip_prefix("── ")?.strip_suffix(" answered")?.to_owned());
    lines.iter().filter_map(call).collect()
}

/// What `transcript --json` gives.
#[derive(Debug)]
pub(crate) struct Transcript(pub(crate) Value);

impl Transcript {
    pub(crate) fn turns(&self) -> &[Value] {
        self.0["turns"].as_array().unwrap()
    }

    /// Who and what, in order.
    pub(crate) fn said(&self) -> Vec<(&str, &str)> {
        self.turns()
            .iter()
            .map(|t| (t["who"].as_str().unwrap(), t["text"].as_str().unwrap()))
            .collect()
    }

    /// The first turn after `words` of the caller.
    pub(crate) fn answer_to(&self, words: &str) -> Option<&Value> {
        let at = self.said().iter().position(|s| *s == ("caller", words))?;
        self.turns().get(at + 1).filter(|t| t["who"] == "desk")
    }
}

/// Runs a command that ends by itself within `limit`.
pub(crate) fn finish_within(mut command: Command, limit: Duration) -> Output {
    let began = now();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (out, err) = (
        Lines::read(child.stdout.take().unwrap()),
        Lines::read(child.stderr.take().unwrap()),
    );
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if now().since(began) >= limit {
            // Killed first: a failing test must leave nothing behind.
            let _ = child.kill();
            let _ = child.wait();
            panic!(
                "{command:?} runs longer than {limit:?}: {:?} {:?}",
                out.all(),
                err.all()
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Output {
        status,
        stdout: out.all_of_it().join("\n").into_bytes(),
        stderr: err.all_of_it().join("\n").into_bytes(),
    }
}
