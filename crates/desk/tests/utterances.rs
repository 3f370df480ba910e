//! The specification's public utterances: what this desk has no task for must not become a deed.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use roomtone_desk::nlu::Command;

/// The specification's topics that the shipped desk answers, under its own names.
const TOPICS: [(&str, &str); 8] = [
    ("breakfast", "breakfast"),
    ("wifi", "wifi"),
    ("parking", "parking"),
    ("pool", "pool"),
    ("restaurant_hours", "restaurant"),
    ("check_in_time", "check_in"),
    ("check_out_time", "check_out"),
    ("directions", "directions"),
];

#[test]
fn the_public_lines_lead_to_no_wrong_deed() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/spec/utterances/en.jsonl"
    );
    let desk = common::desk();
    let (mut lines, mut own, mut right, mut wrong) = (0, 0, 0, Vec::new());
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let gold: serde_json::Value = serde_json::from_str(line).unwrap();
        if gold.get("asked").is_some() {
            continue;
        }
        let (text, intent) = (gold["text"].as_str().unwrap(), gold["intent"].as_str().unwrap());
        let topic = gold["slots"]
            .as_array()
            .and_then(|s| s.iter().find(|s| s["name"] == "topic"));
        let topic = topic.and_then(|t| t["value"].as_str()).unwrap_or_default();
        let wanted = match intent {
            "late_check_out" => Some("late_check_out"),
            "ask_info" if topic == "ai" => Some("ai"),
            "ask_info" => TOPICS.iter().find(|t| t.0 == topic).map(|t| t.1),
            _ => None,
        };
        let understood = desk.understand(&desk.open_conversation("u"), text, &common::now());
        let got = understood.commands.iter().find_map(|c| match c {
            Command::Start { frame } => Some(frame.as_str()),
            Command::Answer { topic } => Some(topic.as_str()),
            _ => None,
        });
        lines += 1;
        own += usize::from(wanted.is_some());
        right += usize::from(wanted.is_some() && wanted == got);
        if got.is_some() && got != wanted {
            wrong.push(format!("{text}: {got:?} instead of {intent} {topic}"));
        }
    }
    println!(
        "{lines} lines, {right} of {own} own intents right, {} wrong deeds\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(lines > 200);
    assert!(
        wrong.len() * 100 <= lines * 4,
        "acted wrongly: {} of {lines}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(right * 100 >= own * 75, "{right} of {own}");
}
