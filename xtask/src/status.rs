//! `cargo xtask status`: what the product can do, and how to see that it can.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::read;

/// The list.
const LIST: &str = "docs/capabilities.toml";

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Works,
    Partial,
    Planned,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Works => "works",
            State::Partial => "partial",
            State::Planned => "planned",
        })
    }
}

/// One thing that the product does or is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capability {
    id: String,
    title: String,
    /// `<page> <section>` of docs/reference/spec, or `issue`.
    source: String,
    state: State,
    /// What is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    /// The command that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
}

/// A section of the specification that asks for nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Background {
    source: String,
    why: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    capability: Vec<Capability>,
    background: Vec<Background>,
}

#[derive(Serialize)]
struct Report<'a> {
    totals: BTreeMap<State, usize>,
    capabilities: &'a [Capability],
}

/// Prints the list.
pub(crate) fn run(root: &Path, form: Form) -> Result<bool> {
    let list = load(root)?;
    match form {
        Form::Table => print!("{}", table(&list)),
        Form::Json => {
            let report = Report {
                totals: totals(&list),
                capabilities: &list.capability,
            };
            println!("{}", serde_json::to_string_pretty(&report)?);
        }
    }
    Ok(true)
}

fn load(root: &Path) -> Result<List> {
    toml::from_str(&read(&root.join(LIST))?).with_context(|| format!("{LIST} is not what it should be"))
}

fn totals(list: &List) -> BTreeMap<State, usize> {
    let mut totals = BTreeMap::from([(State::Works, 0), (State::Partial, 0), (State::Planned, 0)]);
    for capability in &list.capability {
        *totals.entry(capability.state).or_default() += 1;
    }
    totals
}

fn table(list: &List) -> String {
    let wide = list
        .capability
        .iter()
        .map(|capability| capability.title.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let mut page = "";
    for Capability {
        title,
        source,
        state,
        missing,
        proof,
        ..
    } in &list.capability
    {
        let of = source.split(' ').next().unwrap_or_default();
        if of != page {
            page = of;
            text += &format!("\n{page}\n");
        }
        let rest = [
            missing.as_ref().map(|what| format!("missing: {what}")),
            proof.clone(),
        ];
        let rest: Vec<_> = rest.into_iter().flatten().collect();
        let line = format!("  {state:<8} {title:<wide$}  {}", rest.join(" · "));
        text += line.trim_end();
        text.push('\n');
    }
    let totals: Vec<_> = totals(list)
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    text + &format!(
        "\n{} capabilities: {}\n",
        list.capability.len(),
        totals.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::PathBuf};

    use super::*;
    use crate::root;

    const PAGES: [&str; 5] = [
        "room-engine",
        "voice-pipeline",
        "intelligence",
        "dialogue-engine",
        "receptionist",
    ];

    /// `## 12. Routing to a room` of `room-engine.md` is `room-engine 12`.
    fn sections() -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for page in PAGES {
            let text = read(&root().join(format!("docs/reference/spec/{page}.md"))).unwrap();
            let headings = text
                .lines()
                .filter_map(|line| line.strip_prefix("## ")?.split_once('.'));
            found.extend(headings.map(|(number, _)| format!("{page} {number}")));
        }
        found
    }

    #[test]
    fn every_section_of_the_specification_is_in_the_list_once() {
        let list = load(&root()).unwrap();
        let mut named = BTreeSet::new();
        let sources = list.capability.iter().map(|capability| &capability.source);
        for source in sources.chain(list.background.iter().map(|background| &background.source)) {
            assert!(
                source == "issue" || named.insert(source.clone()),
                "{source} twice"
            );
        }
        let sections = sections();
        assert!(sections.len() > 80);
        let missing: Vec<_> = sections.difference(&named).collect();
        let unknown: Vec<_> = named.difference(&sections).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "missing {missing:?}, unknown {unknown:?}"
        );
    }

    #[test]
    fn what_works_can_be_proved_and_what_is_partial_says_what_is_missing() {
        let list = load(&root()).unwrap();
        let mut ids = BTreeSet::new();
        for capability in &list.capability {
            let id = &capability.id;
            assert!(ids.insert(id), "{id} twice");
            assert_eq!(
                capability.proof.is_some(),
                capability.state != State::Planned,
                "{id}"
            );
            assert_eq!(
                capability.missing.is_some(),
                capability.state == State::Partial,
                "{id}"
            );
        }
    }

    /// Proofs of the form `cargo test -p PACKAGE… [FILTER]` name packages, and tests of each.
    #[test]
    fn proofs_name_tests_that_exist() {
        for Capability { id, proof, .. } in load(&root()).unwrap().capability {
            let Some(mut test) = proof
                .as_deref()
                .and_then(|proof| proof.strip_prefix("cargo test "))
            else {
                continue;
            };
            let mut packages = Vec::new();
            while let Some(rest) = test.strip_prefix("-p ") {
                let (package, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                packages.push(package);
                test = rest;
            }
            for package in packages {
                let hit = tests_of(package).iter().any(|file| {
                    let text = read(file).unwrap();
                    text.lines()
                        .any(|line| line.contains("fn ") && line.contains(test))
                        || module(file) == test
                });
                assert!(hit, "{id}: nothing of {package} matches {test}");
            }
        }
    }

    /// Where a package's tests are. The whole-box tests beside the crates are the program's.
    fn tests_of(package: &str) -> Vec<PathBuf> {
        let folder = match package.strip_prefix("roomtone-") {
            Some(name) => root().join("crates").join(name),
            None => root().join(package),
        };
        assert!(folder.is_dir(), "no package {package}");
        let mut found = sources(folder);
        if package == "roomtone-appliance" {
            found.extend(sources(root().join("tests")));
        }
        found
    }

    fn module(file: &Path) -> String {
        format!("{}::", file.file_stem().unwrap().to_string_lossy())
    }

    fn sources(folder: PathBuf) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => found.extend(sources(path)),
                path if path.extension().is_some_and(|end| end == "rs") => found.push(path),
                _ => {}
            }
        }
        found
    }

    #[test]
    fn the_table_adds_up() {
        let list = load(&root()).unwrap();
        let table = table(&list);
        let lines = table.lines().filter(|line| line.starts_with("  ")).count();
        assert_eq!(lines, list.capability.len());
        assert_eq!(totals(&list).values().sum::<usize>(), lines);
    }
}
