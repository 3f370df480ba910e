//! The build system: `cargo xtask VERB`.

mod bench;
mod check_house;
mod dependencies;
mod forbidden;
mod house;
mod packages;
mod run;
mod status;
mod step;
mod test;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};

const USAGE: &str = "\
cargo xtask VERB

  run [--no-demo]  install what is missing, build, start the box, and let a guest call it
  test [FILTER]    install what the tests need, then format, house, lints, tests, documentation
  bench [box|audio]  measure the running box, the audio path
  check-house      prove the rules of the house: floors, what crates may know, lints, forbidden text, dependency page
  status [--json]  what the product can do, and the command that proves it
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check-house"] => check_house::run(&root()),
        ["status"] => status::run(&root(), status::Form::Table),
        ["status", "--json"] => status::run(&root(), status::Form::Json),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["run", rest @ ..] => run::run(&root(), rest).map(|()| true),
        ["test", rest @ ..] => test::run(&root(), rest).map(|()| true),
        ["bench", rest @ ..] => bench::run(&root(), rest).map(|()| true),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    // As cargo says now, not as it said when this was built: a build folder may serve several clones.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here)
        .parent()
        .expect("xtask lies in the workspace")
        .to_owned()
}

/// A file's text, with its name in the error.
fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
