//! `roomtone check`

use std::{fmt::Display, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use roomtone_desk::{Desk, Error as DeskError, pack::Finding};
use roomtone_speech::{
    Stt, Tts,
    calibrate::calibrate,
    flite::Flite,
    pocketsphinx::{self, PocketSphinx},
};
use serde_json::json;

use super::Place;
use crate::{config::Loaded, house, logging, problem};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  roomtone check\n  roomtone check --config config/roomtone.toml --calibrate config/desk/lang/en/calibration.toml"
)]
pub(crate) struct Args {
    /// Measure with the voices where sense ends and nonsense begins for each grammar, and write it to this file
    /// (a desk's `lang/en/calibration.toml`). Takes about two minutes.
    #[arg(long, value_name = "FILE")]
    calibrate: Option<PathBuf>,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// What was looked at, and what was found.
#[derive(Default)]
struct Report {
    good: Vec<String>,
    warnings: Vec<String>,
    problems: Vec<String>,
}

impl Report {
    fn good(&mut self, what: impl Display) {
        self.good.push(what.to_string());
    }

    fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|e| self.problems.push(problem::one_line(&e))).ok()
    }
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<ExitCode> {
    let mut report = Report::default();
    if let Some(loaded) = report.take(place.load().map_err(Into::into)) {
        report.good(format!(
            "configuration: {}",
            loaded
                .files
                .iter()
                .map(|f| f.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ));
        look(place, &loaded, &mut report);
        if let Some(file) = args.calibrate.as_deref().filter(|_| report.problems.is_empty()) {
            let measured = measure(place, &loaded, file);
            report.take(measured);
        }
    }
    if args.json {
        outln!(
            "{}",
            json!({ "good": report.good, "warnings": report.warnings, "problems": report.problems })
        );
    } else {
        report.good.iter().for_each(|line| outln!("    ok  {line}"));
        report.warnings.iter().for_each(|line| outln!("  warn  {line}"));
        report.problems.iter().for_each(|line| outln!(" wrong  {line}"));
        if report.problems.is_empty() {
            outln!("All is well.");
        }
    }
    Ok(if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn look(place: &Place, loaded: &Loaded, report: &mut Report) {
    let config = &loaded.config;
    report.take(logging::filter(&config.log.level));
    let path = loaded.path(&config.desk.path);
    let shown = |finding: &Finding| {
        let text = format!("{}/{finding}", path.display());
        match &finding.remedy {
            Some(remedy) if !text.contains(remedy.as_str()) => format!("{text} → {remedy}"),
            _ => text,
        }
    };
    let desk = match Desk::open(&path, &roomtone_hotel::specs()) {
        Ok(desk) => {
            report.warnings.extend(desk.warnings().iter().map(shown));
            report.good(format!("desk: {}", path.display()));
            report.take(house::load_desk(loaded));
            Some(desk)
        }
        Err(DeskError::Pack(findings)) => {
            report.problems.extend(findings.iter().map(shown));
            None
        }
        Err(DeskError::File(finding)) => {
            report.problems.push(shown(&finding));
            None
        }
        Err(error) => {
            report.problems.push(problem::one_line(&error.into()));
            None
        }
    };
    if report.take(house::load_seed(loaded)).is_some() {
        report.good("hotel: the seed can be read");
    }
    let state = place.state(loaded);
    if report.take(writable(&state)).is_some() {
        report.good(format!("state folder: {}", state.display()));
    }
    if let Some(desk) = &desk
        && let Some(ears) = report.take(house::ears(&config.speech, desk, &state))
        && report
            .take(pocketsphinx::probe(&ears.model).map_err(Into::into))
            .is_some()
        && let Some(unheard) = report.take(house::unheard_words(&ears, &desk.grammars()))
    {
        if unheard.is_empty() {
            report.good("ears: pocketsphinx, English only");
        } else {
            let error = roomtone_speech::Error::UnknownWords {
                grammar: "desk".into(),
                words: unheard,
            };
            report.problems.push(problem::one_line(&error.into()));
        }
    }
    if report.take(house::mouth(&config.speech)).is_some() {
        report.good(format!("voice: {} {}", config.speech.tts, config.speech.voice));
    }
    if super::run::only_one(&state).is_err() {
        report
            .warnings
            .push("a roomtone runs on this state folder: its port was not tried".to_owned());
    } else if report.take(port_free(loaded)).is_some() {
        report.good(format!("telephone: {} is free", config.sip.listen));
    }
}

fn writable(state: &std::path::Path) -> Result<()> {
    let context = || format!("the state folder {} cannot be written", state.display());
    std::fs::create_dir_all(state).with_context(context)?;
    let probe = state.join(".check");
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(context)
}

fn port_free(loaded: &Loaded) -> Result<()> {
    let listen = loaded.config.sip.listen;
    std::net::UdpSocket::bind(listen).map(|_| ()).map_err(|e| {
        anyhow::anyhow!("[sip] listen: {listen} cannot be had: {e} → stop what uses it (a running roomtone?), or choose another port")
    })
}

/// Measures every grammar and writes the thresholds.
fn measure(place: &Place, loaded: &Loaded, file: &std::path::Path) -> Result<()> {
    use std::fmt::Write as _;
    let desk = house::load_desk(loaded)?;
    let config = house::ears(&loaded.config.speech, &desk, &place.state(loaded))?;
    let stt = PocketSphinx::new(config, roomtone_base::SystemClock::shared())?;
    let tts = Flite::new()?;
    let mut text = String::from(
        "# Measured by `roomtone check --calibrate`; a grammar that changes is measured anew.\n",
    );
    for (_, grammar) in desk.grammars() {
        eprintln!(
            "{}: {} sentences, two voices …",
            grammar.name,
            grammar.examples.len()
        );
        let found = calibrate(
            &stt as &dyn Stt,
            &tts as &dyn Tts,
            &["slt", "rms"],
            &Arc::new((*grammar).clone()),
        )?;
        let (refused, taken) = found.errors();
        eprintln!(
            "  threshold {:.2}: {:.0} % of sense heard word for word, {:.0} % refused; {:.0} % of nonsense taken",
            found.threshold,
            found.exact * 100.0,
            refused * 100.0,
            taken * 100.0
        );
        for (score, said, heard) in found.wrong.iter().take(12) {
            eprintln!("    {score:>7.2}  {said:?} heard as {heard:?}");
        }
        let _ = write!(
            text,
            "\n[grammars.{}]\nhash = \"{}\"\nthreshold = {:.2}\n",
            grammar.name, grammar.hash, found.threshold
        );
    }
    std::fs::write(file, text).with_context(|| file.display().to_string())
}
