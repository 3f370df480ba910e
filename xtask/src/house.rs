//! The rules of the house, as data and as pure functions over what cargo says.

use std::collections::{BTreeMap, BTreeSet};

/// Crates by floor, the ground first (docs/architecture.md). A crate uses crates of lower floors only.
pub(crate) const FLOORS: &[&[&str]] = &[
    &["base"],
    &["room", "audio", "lang"],
    &["speech", "store", "sip", "line"],
    &["voice", "channels", "desk", "hotel", "guard"],
    &["fleet", "lab"],
    &["appliance"],
];

/// The one step sideways: hotel's tools are desk's tools.
const SIDEWAYS: &[(&str, &str)] = &[("hotel", "desk")];

/// What a crate must not know of, directly or through others, and why.
const KNOWS_NOTHING_OF: &[(&str, &[&str], &str)] = &[
    ("base", &["tokio"], "it is used where no async runtime is"),
    (
        "audio",
        &[
            "tokio",
            "ort",
            "sherpa-onnx",
            "cpal",
            "alsa",
            "rsipstack",
            "socket2",
            "rusqlite",
        ],
        "it runs on real-time threads: no runtime, network, device, model or disk",
    ),
    (
        "lang",
        &["tokio", "rusqlite", "socket2"],
        "it is pure: words in, values out",
    ),
    (
        "room",
        &["rusqlite", "rsipstack", "sonora", "rubato", "libloading"],
        "it knows no audio, network, provider or SQL",
    ),
    (
        "sip",
        &["rusqlite", "libloading"],
        "it knows no room, no recogniser, no disk",
    ),
];

/// A crate of the workspace, as far as the rules ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    /// By name without `roomtone-`.
    pub(crate) crates: BTreeMap<String, Crate>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Crate {
    /// Our crates that it uses, tests included.
    pub(crate) uses: BTreeSet<String>,
    /// Every package that it pulls in, at any depth, tests excluded.
    pub(crate) reaches: BTreeSet<String>,
    /// Its lints are the workspace's.
    pub(crate) has_workspace_lints: bool,
    /// Lines of code in `lib.rs` or `main.rs`, without comments and empty ones; none without such a file.
    pub(crate) root_lines: Option<usize>,
    /// Modules that it declares.
    pub(crate) modules: usize,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Crate or file.
    pub(crate) place: String,
    pub(crate) rule: String,
    pub(crate) remedy: String,
}

impl Violation {
    pub(crate) fn new(place: &str, rule: impl Into<String>, remedy: impl Into<String>) -> Self {
        Violation {
            place: place.to_owned(),
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

/// All rules, all violations.
pub(crate) fn judge(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, it) in &house.crates {
        judge_floor(name, it, &mut found);
        judge_knowledge(name, it, &mut found);
        if !it.has_workspace_lints {
            let rule = "does not use the workspace's lints";
            found.push(Violation::new(
                name,
                rule,
                "add `[lints] workspace = true` to its Cargo.toml",
            ));
        }
        match it.root_lines {
            None => {
                let rule = "has neither src/lib.rs nor src/main.rs";
                found.push(Violation::new(
                    name,
                    rule,
                    "write it, or take the crate out of the workspace",
                ));
            }
            Some(lines) if lines < 20 && it.modules == 0 => {
                let rule = format!("is empty: {lines} lines of code and no module");
                found.push(Violation::new(
                    name,
                    rule,
                    "write it, or take the crate out of the workspace",
                ));
            }
            Some(_) => {}
        }
    }
    found
}

fn judge_floor(name: &str, it: &Crate, found: &mut Vec<Violation>) {
    let Some(own) = floor(name) else {
        let remedy = "give it a floor in xtask/src/house.rs and in docs/architecture.md";
        found.push(Violation::new(name, "stands on no floor", remedy));
        return;
    };
    for used in it.uses.iter().filter(|used| *used != name) {
        let below = floor(used).is_some_and(|floor| floor < own);
        if !below && !SIDEWAYS.contains(&(name, used)) {
            let rule = format!("uses {used}, which does not stand on a lower floor");
            let remedy = "move what both need down, or turn it into a trait that the lower crate owns";
            found.push(Violation::new(name, rule, remedy));
        }
    }
}

fn judge_knowledge(name: &str, it: &Crate, found: &mut Vec<Violation>) {
    for (_, unknown, why) in KNOWS_NOTHING_OF.iter().filter(|(of, ..)| *of == name) {
        for package in unknown.iter().filter(|package| it.reaches.contains(**package)) {
            let rule = format!("reaches {package}; {why}");
            let remedy = format!("see who pulls it in: cargo tree -p roomtone-{name} -i {package}");
            found.push(Violation::new(name, rule, remedy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Crate {
        Crate {
            has_workspace_lints: true,
            root_lines: Some(50),
            modules: 3,
            ..Crate::default()
        }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn rules(name: &str, it: Crate) -> Vec<String> {
        let house = House {
            crates: BTreeMap::from([(name.to_owned(), it)]),
        };
        judge(&house)
            .into_iter()
            .map(|violation| violation.rule)
            .collect()
    }

    #[test]
    fn a_crate_uses_lower_floors_only() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("base", &[], true),
            ("room", &["base", "room"], true),
            ("room", &["audio"], false),
            ("store", &["base", "room"], true),
            ("room", &["store"], false),
            ("hotel", &["desk"], true),
            ("desk", &["hotel"], false),
            ("voice", &["desk"], false),
            ("lab", &["voice", "sip"], true),
            ("lab", &["appliance"], false),
            ("appliance", &["lab", "hotel", "base"], true),
            ("room", &["stranger"], false),
        ];
        for (name, uses, fine) in cases {
            let found = rules(
                name,
                Crate {
                    uses: set(uses),
                    ..sound()
                },
            );
            assert_eq!(found.is_empty(), *fine, "{name} {uses:?}: {found:?}");
        }
        assert_eq!(rules("cellar", sound()), ["stands on no floor"]);
    }

    #[test]
    fn a_crate_does_not_reach_what_it_must_not_know() {
        for (name, reaches, fine) in [
            ("base", "tokio", false),
            ("audio", "tokio", false),
            ("room", "tokio", true),
            ("room", "rusqlite", false),
        ] {
            let found = rules(
                name,
                Crate {
                    reaches: set(&[reaches]),
                    ..sound()
                },
            );
            assert_eq!(found.is_empty(), fine, "{name} {reaches}");
        }
    }

    #[test]
    fn empty_and_unlinted_crates_are_found() {
        let empty = Crate {
            root_lines: Some(3),
            modules: 0,
            ..sound()
        };
        assert_eq!(rules("room", empty), ["is empty: 3 lines of code and no module"]);
        assert!(
            rules(
                "room",
                Crate {
                    root_lines: Some(3),
                    modules: 1,
                    ..sound()
                }
            )
            .is_empty()
        );
        assert_eq!(
            rules(
                "room",
                Crate {
                    root_lines: None,
                    ..sound()
                }
            )
            .len(),
            1
        );
        let unlinted = Crate {
            has_workspace_lints: false,
            ..sound()
        };
        assert_eq!(rules("room", unlinted), ["does not use the workspace's lints"]);
    }
}
