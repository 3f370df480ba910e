//! Debian packages that something needs, installed when they are missing.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What the program needs to run: voice, recogniser, its English model.
pub(crate) const RUN: &[&str] = &[
    "libflite1",
    "libpocketsphinx3",
    "libsphinxbase3",
    "pocketsphinx-en-us",
];
/// What the tests call with: real telephones.
pub(crate) const TEST: &[&str] = &["baresip-core", "sip-tester"];

/// Installs those of `wanted` that are missing, after saying which; does nothing if all are there.
pub(crate) fn install(wanted: &[&str], why: &str) -> Result<()> {
    let missing: Vec<&str> = wanted.iter().copied().filter(|p| !is_installed(p)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let sudo: &[&str] = if is_root()? { &[] } else { &["sudo"] };
    println!("{why} needs Debian packages that are not here yet: {list}");
    if !exists("apt-get") {
        bail!(
            "this is no Debian: install these packages' counterparts yourself ({list}), then run this again"
        );
    }
    if !sudo.is_empty() && !exists("sudo") {
        bail!("neither root nor sudo: have somebody run `apt-get install {list}`, then run this again");
    }
    apt(sudo, &["update", "-qq"])?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    apt(sudo, &[&install[..], &missing[..]].concat())
}

fn apt(sudo: &[&str], arguments: &[&str]) -> Result<()> {
    let words: Vec<&str> = [sudo, &["apt-get"], arguments].concat();
    println!("  $ {}", words.join(" "));
    let (program, rest) = words.split_first().context("no command")?;
    let status = Command::new(program)
        .args(rest)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status();
    match status.with_context(|| format!("{program} could not be started"))? {
        status if status.success() => Ok(()),
        status => bail!("`{}` failed ({status})", words.join(" ")),
    }
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["-W", "-f=${Status}", package])
        .stderr(Stdio::null())
        .output();
    query.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).ends_with("ok installed"))
}

fn exists(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

fn is_root() -> Result<bool> {
    let output = Command::new("id")
        .arg("-u")
        .output()
        .context("id could not be started")?;
    Ok(output.stdout.trim_ascii() == b"0")
}
