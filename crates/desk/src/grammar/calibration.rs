//! `calibration.toml`: measured rejection thresholds, written by the program that calibrates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Thresholds by grammar. One whose hash differs from the grammar's was measured on other phrases and is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// By grammar name.
    #[serde(default)]
    pub grammars: BTreeMap<String, GrammarCalibration>,
}

/// One grammar's threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrammarCalibration {
    /// SHA-256 of the grammar that was measured, hex.
    pub hash: String,
    /// In the units of `roomtone_speech::Grammar::threshold`.
    pub threshold: f32,
}
