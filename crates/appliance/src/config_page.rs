//! The configuration's page says what the structs say: every key with its default, and no key that is none.

use std::collections::BTreeMap;

use crate::config::Config;

const PAGE: &str = include_str!("../../../docs/reference/configuration.md");
/// What the page writes for a key that has no default.
const UNSET: &str = "unset";

/// Keys that are optional, and therefore not in the serialised defaults.
const OPTIONAL: &[&str] = &["sip.advertise"];

/// Default by `section.key`, as TOML.
fn defaults() -> BTreeMap<String, String> {
    let table = toml::Table::try_from(Config::default()).unwrap();
    let mut found: BTreeMap<String, String> = table
        .iter()
        .flat_map(|(section, keys)| {
            let keys = keys.as_table().expect("a section is a table");
            keys.iter()
                .map(move |(key, value)| (format!("{section}.{key}"), value.to_string()))
        })
        .collect();
    for key in OPTIONAL {
        let before = found.insert((*key).to_owned(), UNSET.to_owned());
        assert_eq!(before, None, "{key} has a default: it is not optional any more");
    }
    found
}

/// Default by `section.key`, from the first two cells of the rows under headings such as "## \[sip\]".
fn page() -> BTreeMap<String, String> {
    let mut section = None;
    let mut found = BTreeMap::new();
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.strip_prefix("`[").and_then(|h| h.split_once("]`")).map(|(s, _)| s);
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
    assert_eq!(page(), defaults());
}

/// The optional keys exist: a name that no struct knows would be refused.
#[test]
fn optional_keys_exist() {
    for (key, value) in [("sip.advertise", "\"203.0.113.7\"")] {
        assert!(OPTIONAL.contains(&key));
        let (section, name) = key.split_once('.').unwrap();
        let text = format!("[{section}]\n{name} = {value}\n");
        let read: Config = toml::from_str(&text).unwrap();
        assert_ne!(read, Config::default(), "{key} changes nothing");
    }
}

/// Every example of the page is a configuration that would be taken.
#[test]
fn the_pages_examples_are_read() {
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
