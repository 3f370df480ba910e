//! The shipped desk loads, says no figures and can be heard.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeSet;

use roomtone_lang::{Expr, Language, accepts};

#[test]
fn the_shipped_desk_has_no_findings() {
    assert_eq!(common::desk().warnings(), []);
}

#[test]
fn every_word_of_every_grammar_can_be_pronounced() {
    let file = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict";
    let Ok(text) = std::fs::read_to_string(file) else {
        eprintln!("skipped: {file} is not installed (package pocketsphinx-en-us)");
        return;
    };
    let dictionary: BTreeSet<&str> = text.lines().filter_map(|l| l.split_whitespace().next()).collect();
    let own = common::desk().pronunciations("en");
    let words = common::desk().vocabulary("en");
    let unknown: Vec<&String> = words
        .iter()
        .filter(|w| !dictionary.contains(w.as_str()) && !own.contains_key(*w))
        .collect();
    assert_eq!(
        unknown,
        Vec::<&String>::new(),
        "add them to [pronunciations] in lexicon.toml"
    );
    assert!(
        words
            .iter()
            .all(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '\''))
    );
}

#[test]
fn every_grammar_is_one_public_rule_with_examples_that_it_accepts() {
    let desk = common::desk();
    let names: Vec<String> = desk.grammars().into_iter().map(|(_, g)| g.name.clone()).collect();
    let wanted = [
        "late_check_out_change",
        "late_check_out_confirm",
        "late_check_out_room",
        "late_check_out_time",
        "open",
        "yes_no",
    ];
    assert_eq!(names, wanted);
    for (_, g) in desk.grammars() {
        assert!(g.jsgf.starts_with(&format!(
            "#JSGF V1.0;\ngrammar {};\npublic <{}> = ",
            g.name, g.name
        )));
        assert_eq!(g.jsgf.matches("public ").count(), 1);
        assert!(
            !g.jsgf.contains("<VOID>") && !g.jsgf.contains("[]") && !g.jsgf.contains("()"),
            "{}",
            g.name
        );
        assert!(
            (25..=30).contains(&g.examples.len()),
            "{} has {} examples",
            g.name,
            g.examples.len()
        );
        // Measured on these very phrases: one of other phrases is ignored.
        assert!(g.threshold.is_some(), "{} is to be calibrated anew", g.name);
    }
}

/// What the recogniser can hear, the desk understands: each example leads to something.
#[test]
fn every_example_of_a_state_is_understood_there() {
    let desk = common::desk();
    for ask in [
        "",
        "late check out",
        "late check out until one",
        "late check out until one for room two oh four",
    ] {
        let mut call = common::Call::begin();
        if !ask.is_empty() {
            call.say(ask);
        }
        for text in desk.expectations(&call.state).grammar.examples.clone() {
            let understood = desk.understand(&call.state, &text, &common::now());
            assert!(
                !understood.rejected(),
                "in {}: \"{text}\" {understood:?}",
                call.last.expects
            );
        }
    }
}

#[test]
fn what_can_be_spoken_ahead_has_no_figures_and_no_gaps() {
    let all = common::desk().prompts_for_cache();
    let has = |text: &str| all.iter().any(|(_, t)| t == text);
    assert!(has("Good day, this is the automatic assistant of Heron House."));
    assert!(has("What is your room number?"));
    assert!(has(
        "Breakfast is from seven to half past ten in the morning, in the garden room."
    ));
    assert!(
        all.iter()
            .all(|(_, t)| !t.contains(|c: char| c.is_ascii_digit() || matches!(c, '{' | '$' | '}')))
    );
}

#[test]
fn digits_are_heard_in_the_length_the_house_uses() {
    let call = {
        let mut c = common::Call::begin();
        c.say("late check out until one");
        c
    };
    let jsgf = &common::desk().expectations(&call.state).grammar.jsgf;
    assert!(jsgf.contains("<room_number_3>"), "{jsgf}");
    let rules = roomtone_lang::English.rules();
    assert!(accepts(
        &Expr::rule("room_number_3"),
        rules,
        &["two", "oh", "four"]
    ));
    assert!(!accepts(&Expr::rule("room_number_3"), rules, &["two", "oh"]));
}

#[test]
fn a_measured_threshold_counts_only_for_the_phrases_it_was_measured_on() {
    let dir = tempfile::tempdir().unwrap();
    common::copy(&common::folder(), dir.path());
    let hash = |name: &str| {
        let all = common::desk().grammars();
        all.into_iter()
            .find(|(_, g)| g.name == name)
            .unwrap()
            .1
            .hash
            .clone()
    };
    let text = format!(
        "[grammars.open]\nhash = \"{}\"\nthreshold = -1.5\n[grammars.yes_no]\nhash = \"{}\"\nthreshold = 2.0\n",
        hash("open"),
        hash("open")
    );
    std::fs::write(dir.path().join("lang/en/calibration.toml"), text).unwrap();
    let desk = roomtone_desk::Desk::open(dir.path(), &common::specs()).unwrap();
    assert_eq!(desk.expectations_of("en", "open").grammar.threshold, Some(-1.5));
    assert_eq!(desk.expectations_of("en", "yes_no").grammar.threshold, None);
}
