//! `lists/*.toml`: values that have names.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its items.
    pub item: Vec<Item>,
}

/// An item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What tools know it by.
    pub id: String,
    /// Names per language, the one that is said first, then nicknames.
    pub names: BTreeMap<String, Vec<String>>,
}
