//! `cargo xtask check-house`: the rules of the house hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::{
    dependencies, forbidden,
    house::{self, Crate, House, Violation},
    read,
};

const OURS: &str = "roomtone-";

/// Prints every violation; true if there is none.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .exec()?;
    let house = survey(&metadata)?;
    let mut found = house::judge(&house);
    found.extend(forbidden::search(root)?);
    let drift = dependencies::drift_in(root)?;
    found.extend(
        drift
            .into_iter()
            .map(|rule| Violation::new(dependencies::PAGE, rule, "correct the page's table")),
    );
    found.sort();
    for Violation { place, rule, remedy } in &found {
        println!("{place}: {rule}\n    {remedy}");
    }
    match found.len() {
        0 => println!("{} crates, every rule holds", house.crates.len()),
        count => println!("{count} violations"),
    }
    Ok(found.is_empty())
}

/// What cargo and the files say about our crates. The name of the program's own crate counts as any other.
fn survey(metadata: &Metadata) -> Result<House> {
    let mut house = House::default();
    for package in metadata.workspace_packages() {
        let Some(name) = package.name.strip_prefix(OURS) else {
            continue;
        };
        // What stands beside the house (`bench/`) may use any of its floors.
        if !package.manifest_path.as_str().contains("/crates/") {
            continue;
        }
        house.crates.insert(name.to_owned(), look_at(metadata, package)?);
    }
    Ok(house)
}

fn look_at(metadata: &Metadata, package: &Package) -> Result<Crate> {
    let uses = package
        .dependencies
        .iter()
        .filter_map(|used| used.name.strip_prefix(OURS))
        .map(str::to_owned)
        .collect();
    let manifest: toml::Table = read(package.manifest_path.as_std_path())?.parse()?;
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(toml::Value::as_bool);
    let folder = package
        .manifest_path
        .parent()
        .context("a manifest lies in a folder")?;
    let roots = ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file));
    let code = roots
        .iter()
        .find(|file| file.exists())
        .map(|file| read(file.as_std_path()))
        .transpose()?;
    Ok(Crate {
        uses,
        reaches: reach(metadata, &package.id)?,
        has_workspace_lints: lints == Some(true),
        root_lines: code.as_deref().map(lines_of_code),
        modules: code.as_deref().map_or(0, modules),
    })
}

/// Every package that `from` pulls in, except for its tests.
fn reach(metadata: &Metadata, from: &PackageId) -> Result<BTreeSet<String>> {
    let graph = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let nodes: BTreeMap<_, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(id) = open.pop() {
        let used = nodes.get(id).map_or(&[][..], |node| &node.deps);
        let built_in = used.iter().filter(|used| {
            used.dep_kinds
                .iter()
                .any(|kind| matches!(kind.kind, DependencyKind::Normal | DependencyKind::Build))
        });
        open.extend(
            built_in
                .filter(|used| seen.insert(&used.pkg))
                .map(|used| &used.pkg),
        );
    }
    Ok(seen.into_iter().map(|id| metadata[id].name.to_string()).collect())
}

fn lines_of_code(text: &str) -> usize {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

fn modules(text: &str) -> usize {
    let declares = |line: &&str| {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.starts_with("mod ") && line.ends_with(';')
    };
    text.lines().map(str::trim).filter(declares).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_code_and_modules_are_counted() {
        let text = "//! A crate.\n\nmod a;\npub mod b;\npub(crate) mod c;\n// mod d;\nmod tests {\n}\n";
        assert_eq!((lines_of_code(text), modules(text)), (5, 3));
    }

    #[test]
    fn what_cargo_says_is_understood() {
        let metadata = serde_json::json!({
            "packages": [
                package("roomtone-base", &[]),
                package("roomtone-room", &["roomtone-base", "tokio"]),
                package("tokio", &[]),
                package("proptest", &[]),
            ],
            "workspace_members": ["roomtone-base", "roomtone-room"],
            "resolve": {"root": null, "nodes": [
                {"id": "roomtone-base", "dependencies": [], "deps": []},
                {"id": "roomtone-room", "dependencies": [], "deps": [
                    used("roomtone-base", null()), used("tokio", null()), used("proptest", "dev".into()),
                ]},
                {"id": "tokio", "dependencies": [], "deps": []},
                {"id": "proptest", "dependencies": [], "deps": []},
            ]},
            "target_directory": "t", "workspace_root": "w", "version": 1,
        });
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
        let reached = reach(
            &metadata,
            &PackageId {
                repr: "roomtone-room".to_owned(),
            },
        )
        .unwrap();
        assert_eq!(
            reached.into_iter().collect::<Vec<_>>(),
            ["roomtone-base", "tokio"],
            "not what only tests use"
        );
    }

    fn null() -> serde_json::Value {
        serde_json::Value::Null
    }

    fn used(name: &str, kind: serde_json::Value) -> serde_json::Value {
        serde_json::json!({"name": name.replace('-', "_"), "pkg": name, "dep_kinds": [{"kind": kind, "target": null}]})
    }

    fn package(name: &str, uses: &[&str]) -> serde_json::Value {
        let uses: Vec<_> = uses
            .iter()
            .map(|used| {
                serde_json::json!({"name": used, "source": null, "req": "*", "kind": null, "optional": false,
                    "uses_default_features": true, "features": [], "target": null})
            })
            .collect();
        serde_json::json!({"name": name, "version": "0.1.0", "id": name, "source": null, "dependencies": uses,
            "targets": [], "features": {}, "manifest_path": "m", "authors": [], "edition": "2024"})
    }
}
