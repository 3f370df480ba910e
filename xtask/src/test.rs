//! `cargo xtask test`

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{check_house, packages, step};

/// Everything that must hold before a change is handed in. `arguments` go to the test runner.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<()> {
    packages::install(&[packages::RUN, packages::TEST].concat(), "The test")?;
    step::titled("format", || step::cargo(root, &["fmt", "--all", "--check"]))?;
    step::titled("house", || {
        anyhow::ensure!(check_house::run(root)?, "the house is not in order");
        Ok(())
    })?;
    step::titled("lints", || {
        step::cargo(
            root,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ],
        )
    })?;
    step::titled("tests", || {
        // The runner of the two that is there: it runs tests side by side over all crates and names the slow ones.
        let nextest = Command::new("cargo-nextest")
            .args(["nextest", "--version"])
            .output()
            .is_ok();
        let runner: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
        step::cargo(root, &[runner, &["--workspace", "--locked"], arguments].concat())
    })?;
    step::titled("documentation", || {
        step::cargo(root, &["doc", "--workspace", "--no-deps", "--locked", "--quiet"])
    })
}
