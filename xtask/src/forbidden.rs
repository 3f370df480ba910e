//! Text that must not be in the repository: folders of somebody's machine, hosts that only some can reach.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::house::Violation;

/// Beginnings of folders that exist on one machine only, and hosts of registries and their mirrors. Written in two
/// halves, so that this file does not hold them.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/wo", "rk/"),
    ("/Us", "ers/"),
    ("C:\\Us", "ers"),
    ("index.cra", "tes.io"),
    ("static.cra", "tes.io"),
    ("pypi", ".org"),
    ("pythonho", "sted.org"),
    ("registry.np", "mjs.org"),
    ("proxy.gol", "ang.org"),
    ("artif", "actory"),
];

/// Looks through every file that git tracks.
pub(crate) fn search(root: &Path) -> Result<Vec<Violation>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    ensure!(
        listed.status.success(),
        "git ls-files failed: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let mut found = Vec::new();
    for name in String::from_utf8_lossy(&listed.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        // A file that was deleted and not yet committed is none; sounds and pictures hold no text.
        let Ok(text) = std::fs::read_to_string(root.join(name)) else {
            continue;
        };
        found.extend(look(name, &text));
    }
    Ok(found)
}

fn look(name: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (first, second) in FORBIDDEN {
            let word = format!("{first}{second}");
            if stands_alone(line, &word) {
                let place = format!("{name}:{}", number + 1);
                let rule = format!("holds `{word}`");
                found.push(Violation::new(
                    &place,
                    rule,
                    "say it without a place that others do not have",
                ));
            }
        }
    }
    found
}

/// A folder's beginning is one only where a path begins: `frame/work/` is none.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with('/')
            || before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '~')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_one_machine_are_found_and_relative_ones_are_not() {
        let (home, index) = (["/ho", "me/"].concat(), ["index.cra", "tes.io"].concat());
        let text = format!("fine\nsee {home}me/notes\nfrom https://{index}/x\nin docs{home}x");
        let places: Vec<_> = look("a.md", &text)
            .into_iter()
            .map(|violation| violation.place)
            .collect();
        assert_eq!(places, ["a.md:2", "a.md:3"]);
    }
}
