//! The configuration's page says what the structs say: every key with its default, and no key that is none.

use std::collections::BTreeMap;

use crate::config::Config;

const PAGE: &str = include_str!("../../../docs/reference/configuration.md");
/// What the page writes for a key that has no default.
const UNSET: &str = "unset";

/// Names that a table knows, from the message that refuses one it does not know. Unlike the serialised defaults it
/// holds the optional ones too.
fn names(refused: &str) -> Vec<String> {
    let message = toml::from_str::<Config>(refused)
        .unwrap_err()
        .message()
        .to_owned();
    let (_, known) = message
        .split_once("expected ")
        .expect("serde names what it knows");
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Default by `section.key`, as TOML.
fn structs() -> BTreeMap<String, String> {
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    let mut found = BTreeMap::new();
    for section in names("_ = 0\n") {
        for key in names(&format!("[{section}]\n_ = 0\n")) {
            let default = defaults.get(&section).and_then(|s| s.get(&key));
            let default = default.map_or_else(|| UNSET.to_owned(), ToString::to_string);
            found.insert(format!("{section}.{key}"), default);
        }
    }
    found
}

/// Default by `section.key`, from the first two cells of the rows below headings such as "## `[sip]`: the telephone".
fn page() -> BTreeMap<String, String> {
    let mut section = None;
    let mut found = BTreeMap::new();
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let name = heading.strip_prefix("`[").and_then(|h| h.split_once("]`"));
            section = name.map(|(name, _)| name);
        }
        let (Some(section), Some(row)) = (section, line.strip_prefix("| `")) else {
            continue;
        };
        let (key, rest) = row.split_once("` | ").expect("a key's row has a default");
        let default = rest.split(" | ").next().unwrap_or_default().trim_matches('`');
        let before = found.insert(format!("{section}.{key}"), default.to_owned());
        assert_eq!(before, None, "[{section}] {key} is on the page twice");
    }
    found
}

#[test]
fn the_page_has_every_key_with_its_default_and_no_other() {
    let structs = structs();
    assert!(structs.len() > 20 && structs.values().any(|d| d == UNSET));
    assert_eq!(page(), structs);
}

#[test]
fn the_pages_examples_are_configurations() {
    let blocks: Vec<&str> = PAGE
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        if let Err(error) = toml::from_str::<Config>(block) {
            panic!("{error}\n{block}");
        }
    }
}
