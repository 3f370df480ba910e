//! `docs/design/dependencies.md` says what `Cargo.lock` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result};

use crate::read;

/// The page.
pub(crate) const PAGE: &str = "docs/design/dependencies.md";

/// Where page and lock differ, one sentence each.
pub(crate) fn drift_in(root: &Path) -> Result<Vec<String>> {
    let page = read(&root.join(PAGE))?;
    let manifest = read(&root.join("Cargo.toml"))?;
    let lock = read(&root.join("Cargo.lock"))?;
    drift(&page, &manifest, &lock)
}

/// Every dependency of the workspace must be in the page's table with a version that is in the lock. One that no
/// crate uses is not in the lock: its version is the one that is asked for.
fn drift(page: &str, manifest: &str, lock: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let asked = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("the workspace has no dependencies")?;
    let locked = locked(lock)?;
    let listed = table(page);
    let mut found = Vec::new();
    let external = asked.iter().filter(|(_, wanted)| wanted.get("path").is_none());
    for (name, wanted) in external {
        let Some(version) = listed.get(name.as_str()) else {
            found.push(format!("{name} is not listed"));
            continue;
        };
        let asked_for = wanted
            .as_str()
            .or_else(|| wanted.get("version").and_then(toml::Value::as_str));
        let known = match locked.get(name.as_str()) {
            Some(versions) => versions.clone(),
            None => asked_for
                .into_iter()
                .map(|version| version.trim_start_matches('=').to_owned())
                .collect(),
        };
        if !known.contains(*version) {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            found.push(format!(
                "{name} is listed as {version}, Cargo.lock has {}",
                known.join(", ")
            ));
        }
    }
    let gone = listed.keys().filter(|name| !asked.contains_key(**name));
    found.extend(gone.map(|name| format!("{name} is listed, and the workspace does not use it")));
    Ok(found)
}

/// Versions by package; what follows a `+` is no part of a version.
fn locked(lock: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let lock: toml::Table = lock.parse()?;
    let packages = lock
        .get("package")
        .and_then(toml::Value::as_array)
        .context("Cargo.lock lists no package")?;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let text = |key: &str| {
            package
                .get(key)
                .and_then(toml::Value::as_str)
                .context("a package without name")
        };
        let version = text("version")?;
        let version = version.split_once('+').map_or(version, |(version, _)| version);
        found
            .entry(text("name")?.to_owned())
            .or_default()
            .insert(version.to_owned());
    }
    Ok(found)
}

/// Version by crate, from the table whose head begins with `| crate | version |`.
fn table(page: &str) -> BTreeMap<&str, &str> {
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| crate | version |"))
        .skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((cells.next()?.trim_matches('`'), cells.next()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_the_lock_says() {
        let drift = drift_in(&crate::root()).unwrap();
        assert!(drift.is_empty(), "{PAGE}: {drift:#?}");
    }

    #[test]
    fn drift_is_found_both_ways() {
        let manifest = "[workspace.dependencies]\nours = { path = \"x\" }\na = \"1.2\"\nb = { version = \"=2.0\" }\nc = \"3\"\nd = \"4\"\n";
        let package =
            |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        let lock = [
            package("a", "1.2.3+x"),
            package("c", "3.1.0"),
            package("c", "2.9.0"),
        ]
        .concat();
        let page = "# Page\n\n| crate | version | licence |\n| --- | --- | --- |\n| `a` | 1.2.3 | MIT |\n| b | 2.0 | MIT |\n| c | 3.0.0 | MIT |\n| e | 5 | MIT |\n\n| x | y |\n";
        assert_eq!(
            drift(page, manifest, &lock).unwrap(),
            [
                "c is listed as 3.0.0, Cargo.lock has 2.9.0, 3.1.0",
                "d is not listed",
                "e is listed, and the workspace does not use it"
            ]
        );
    }
}
