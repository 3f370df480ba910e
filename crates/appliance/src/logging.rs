//! Log lines: to standard error, one line each, the call's id on every line about a call.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

/// What `level` lets through.
///
/// # Errors
/// `level` is no filter.
pub(crate) fn filter(level: &str) -> Result<EnvFilter> {
    let filter = EnvFilter::try_new(level)
        .with_context(|| format!("[log] level: {level:?} is no level → use error, warn, info, debug"))?;
    // It quotes whole messages, callers' names and numbers included.
    let quiet = format!("{}=off", roomtone_sip::QUIET_TARGET);
    Ok(filter.add_directive(quiet.parse().context("the filter for the SIP library")?))
}

/// Starts logging at `level`; a second start (in one process) changes nothing.
///
/// # Errors
/// `level` is no filter.
pub(crate) fn start(level: &str) -> Result<()> {
    let filter = filter(level)?;
    // Under systemd the journal adds the time itself.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // An error says that logging was started before.
    let _ = if journal {
        builder.without_time().try_init()
    } else {
        builder.try_init()
    };
    Ok(())
}
