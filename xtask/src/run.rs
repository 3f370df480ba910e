//! `cargo xtask run`

use std::path::Path;

use anyhow::Result;

use crate::{packages, step};

/// Installs what is missing, builds, starts the box with the shipped configuration and lets a guest call it.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    let demo = !arguments.contains(&"--no-demo");
    let rest: Vec<&str> = arguments.iter().copied().filter(|a| *a != "--no-demo").collect();
    packages::install(packages::RUN, "Roomtone")?;
    println!("Building (a first build takes some minutes) …");
    step::cargo(root, &["build", "--release", "--package", "roomtone-appliance"])?;
    let program = step::target(root)?.join("release/roomtone");
    let (config, state) = (root.join("config/roomtone.toml"), root.join(".roomtone"));
    let demo_file = root.join("config/demo.toml");
    let mut words = vec![
        "run".as_ref(),
        "--live".as_ref(),
        "--config".as_ref(),
        config.as_os_str(),
    ];
    words.extend(["--state".as_ref(), state.as_os_str()]);
    if demo {
        words.extend(["--demo".as_ref(), demo_file.as_os_str()]);
    }
    words.extend(rest.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
    println!();
    step::replace(&program, &words)
}
