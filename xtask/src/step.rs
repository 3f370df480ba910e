//! Running other programs.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// Runs cargo with its own output shown.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(
        Command::new(cargo).args(arguments).current_dir(root),
        &format!("cargo {}", arguments.join(" ")),
    )
}

/// Runs a command with its own output shown.
pub(crate) fn command(command: &mut Command, shown: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("`{shown}` could not be started"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("`{shown}` failed ({status})")
    }
}

/// Does something under a title, and says how long it took.
#[allow(
    clippy::disallowed_methods,
    reason = "the build system times itself by the machine's clock"
)]
pub(crate) fn titled(title: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n── {title}");
    let began = Instant::now();
    work()?;
    println!("── {title}: done in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Where cargo builds.
pub(crate) fn target(root: &Path) -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// Becomes another program, so that signals reach it and its exit is ours.
pub(crate) fn replace(program: &Path, arguments: &[&OsStr]) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("{} could not be started", program.display()))
}
