//! `cargo xtask bench`

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{packages, step};

/// Measures the running box, then the audio path alone.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    packages::install(packages::RUN, "The benchmark")?;
    step::cargo(
        root,
        &[
            "build",
            "--release",
            "--package",
            "roomtone-appliance",
            "--package",
            "roomtone-bench",
        ],
    )?;
    let release = step::target(root)?.join("release");
    if arguments.first().is_none_or(|a| *a == "box") {
        let mut bench = Command::new(release.join("roomtone-bench"));
        bench
            .arg(release.join("roomtone"))
            .arg(root.join("config/roomtone.toml"));
        step::command(&mut bench, "roomtone-bench")?;
    }
    if arguments.first().is_none_or(|a| *a == "audio") {
        step::cargo(root, &["bench", "--package", "roomtone-bench", "--bench", "leg"])?;
    }
    Ok(())
}
