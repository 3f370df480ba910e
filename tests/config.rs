//! What is wrong is said in one line that helps, before anything is started.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::{fs, io::Write, net::UdpSocket, path::Path, process::Command, time::Duration};

use roomtone_desk::Desk;
use support::{PROGRAM, Place, engines_missing, finish_within, now};

/// However wrong it is, nobody waits longer for being told.
const SOON: Duration = Duration::from_secs(5);

/// Something wrong: how it comes about, and what the line must have.
struct Case {
    what: &'static str,
    overrides: &'static str,
    spoil: fn(&Place),
    says: &'static [&'static str],
}

fn nothing(_: &Place) {}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

const fn config(what: &'static str, overrides: &'static str, says: &'static [&'static str]) -> Case {
    Case {
        what,
        overrides,
        spoil: nothing,
        says,
    }
}

const fn file(what: &'static str, spoil: fn(&Place), says: &'static [&'static str]) -> Case {
    Case {
        what,
        overrides: "",
        spoil,
        says,
    }
}

const CASES: [Case; 22] = [
    config(
        "an unknown key",
        "[sip]\nlisen = \"x\"\n",
        &["99-test.toml:2:1: ", "`lisen`", "did you mean `listen`?"],
    ),
    config(
        "an unknown section",
        "[spech]\n",
        &["99-test.toml:1:2: ", "`spech`", "did you mean `speech`?"],
    ),
    config(
        "a value out of range",
        "[voice]\nendpoint_ms = 30\n",
        &["99-test.toml:2:1: ", "[voice] endpoint_ms", "100 to 3000"],
    ),
    config(
        "no calls at all",
        "[sip]\nmax_calls = 0\n",
        &["99-test.toml:2:1: ", "[sip] max_calls"],
    ),
    config(
        "a value of the wrong kind",
        "[sip]\nmax_calls = \"many\"\n",
        &["99-test.toml:2:13: ", "\"many\""],
    ),
    config(
        "no choice",
        "[voice]\ninterruption = \"confirm\"\n",
        &["99-test.toml:2:16: ", "did you mean `confirmed`?"],
    ),
    config(
        "no range of ports",
        "[sip]\nrtp_ports = \"1000\"\n",
        &["99-test.toml:2:13: ", "1000"],
    ),
    config(
        "no network",
        "[sip]\nallow = [\"nowhere\"]\n",
        &["99-test.toml:2:9: ", "nowhere"],
    ),
    config("no TOML", "[sip\n", &["99-test.toml:1:"]),
    config(
        "no model",
        "[speech]\nmodel = \"/nowhere/model\"\n",
        &["/nowhere/model", " → ", "pocketsphinx-en-us"],
    ),
    config(
        "no such voice",
        "[speech]\nvoice = \"nobody\"\n",
        &["\"nobody\"", " → use one of: ", "slt"],
    ),
    config(
        "no such ears",
        "[speech]\nstt = \"whisper\"\n",
        &["\"whisper\"", " → use one of: pocketsphinx"],
    ),
    config(
        "no such mouth",
        "[speech]\ntts = \"espeak\"\n",
        &["\"espeak\"", " → use one of: flite"],
    ),
    config(
        "no such log level",
        "[log]\nlevel = \"sip=loud\"\n",
        &["[log] level", "use error, warn, info, debug"],
    ),
    config("no desk", "[desk]\npath = \"no-desk\"\n", &["no-desk", " → "]),
    config(
        "no hotel",
        "[hotel]\nseed = \"no-hotel.toml\"\n",
        &["no-hotel.toml", "[hotel] seed"],
    ),
    file(
        "no configuration",
        |p| fs::remove_file(p.config_folder().join("roomtone.toml")).unwrap(),
        &["roomtone.toml", " → ", "--config"],
    ),
    file(
        "a broken desk",
        |p| append(&p.config_folder().join("desk/desk.toml"), "\nopen = [\n"),
        &["desk.toml:"],
    ),
    file(
        "a figure in a prompt's place",
        |p| append(&p.config_folder().join("desk/lang/en/prompts.ftl"), "\nbye = {\n"),
        &["prompts.ftl", " → "],
    ),
    file(
        "an unknown key in a form",
        |p| {
            append(
                &p.config_folder().join("desk/frames/late_check_out.toml"),
                "\n[nonsense]\n",
            )
        },
        &["late_check_out.toml:", "nonsense"],
    ),
    file(
        "a broken hotel",
        |p| append(&p.config_folder().join("hotel.toml"), "\n[[stay]]\nroom = 7\n"),
        &["hotel.toml", " → "],
    ),
    file(
        "a state folder that is a file",
        |p| fs::write(p.state(), "").unwrap(),
        &["state"],
    ),
];

/// The verb fails soon, with exit code 1, and says one line that has all of `says`.
fn fails(place: &Place, verb: &str, what: &str, says: &[&str]) -> Result<(), String> {
    let began = now();
    let output = finish_within(place.command(&[verb]), SOON);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    let told = || {
        format!(
            "{what}, {verb}, {:?} after {:?}\n{out}{err}",
            output.status,
            now().since(began)
        )
    };
    if output.status.code() != Some(1) || format!("{out}{err}").contains("panicked") {
        return Err(told());
    }
    let prefix = if verb == "run" { "roomtone: " } else { " wrong  " };
    let text = if verb == "run" { &err } else { &out };
    // `check` goes on after what is wrong; `run` says nothing but that.
    let told_here = |l: &&str| verb == "run" || l.starts_with(prefix);
    let lines: Vec<&str> = text.lines().filter(told_here).collect();
    match lines.as_slice() {
        [line] if line.starts_with(prefix) && says.iter().all(|s| line.contains(s)) => Ok(()),
        _ => Err(told()),
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    if engines_missing() {
        return;
    }
    let mut wrong = Vec::new();
    for case in &CASES {
        for verb in ["check", "run"] {
            let place = Place::new(case.overrides);
            (case.spoil)(&place);
            wrong.extend(fails(&place, verb, case.what, case.says).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_port_in_use_is_named() {
    if engines_missing() {
        return;
    }
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new(&format!("[sip]\nlisten = \"{address}\"\n"));
    for verb in ["check", "run"] {
        fails(&place, verb, "a port in use", &[&address, " → ", "[sip] listen"]).unwrap();
    }
}

#[test]
fn two_boxes_do_not_share_a_state_folder() {
    if engines_missing() {
        return;
    }
    let place = Place::new("");
    let mut running = place.start();
    let state = place.state().display().to_string();
    fails(
        &place,
        "run",
        "a second box",
        &[&state, "another roomtone", " → ", "--state"],
    )
    .unwrap();
    assert!(running.is_alive());
    // What only reads may be used beside it.
    place.says(&["check"]);
}

#[test]
fn the_shipped_configuration_is_well() {
    if engines_missing() {
        return;
    }
    let said = Place::new("").says(&["check"]);
    assert!(
        said.ends_with("All is well.\n") && !said.contains("warn"),
        "{said}"
    );
}

#[test]
fn the_shipped_calibration_is_of_the_shipped_desk() {
    // A grammar that was changed and not measured anew refuses callers who speak clearly.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/desk");
    let desk = Desk::open(&folder, &roomtone_hotel::specs()).unwrap();
    let grammars = desk.grammars();
    let stale: Vec<&str> = grammars
        .iter()
        .filter(|(_, g)| g.threshold.is_none())
        .map(|(_, g)| g.name.as_str())
        .collect();
    assert!(
        !grammars.is_empty() && stale.is_empty(),
        "`roomtone check --calibrate config/desk/lang/en/calibration.toml` measures {stale:?} anew"
    );
}

#[test]
fn misuse_is_told_from_failure() {
    let misuses: [&[&str]; 6] = [
        &[],
        &["rum"],
        &["run", "--lve"],
        &["call"],
        &["call", "sip:desk@127.0.0.1", "--codec", "mp3"],
        &["transcript", "a", "b"],
    ];
    for args in misuses {
        let mut command = Command::new(PROGRAM);
        command.args(args);
        let output = finish_within(command, SOON);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    // No call yet: used rightly, but nothing to show.
    let place = Place::new("");
    for verb in ["transcript", "trace"] {
        let output = finish_within(place.command(&[verb, "last"]), SOON);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{verb}: {err}");
        assert!(
            err.contains(&place.state().display().to_string()) && err.contains(" → "),
            "{verb}: {err}"
        );
    }
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let (gone, pipe) = std::io::pipe().unwrap();
    drop(gone);
    let done = Command::new(PROGRAM)
        .arg("version")
        .stdout(pipe)
        .output()
        .unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}
