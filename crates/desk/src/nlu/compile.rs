//! Phrases brought into the form of normalised text, with every rule put in its place.

use std::{collections::BTreeSet, sync::Arc};

use roomtone_lang::{Expr, Kind, Language, Rules};

use crate::pack::{FrameFile, Lexicon, SlotKind};

/// Name of the rule that a recogniser hears a slot's values by.
pub(crate) fn slot_rule(kind: &SlotKind, length: Option<usize>) -> Arc<str> {
    match (kind, length) {
        (SlotKind::Value(Kind::RoomNumber), Some(n @ 1..=4)) => {
            format!("{}_{n}", Kind::RoomNumber.name()).into()
        }
        (SlotKind::Value(kind), _) => kind.name().into(),
        (SlotKind::List(name), _) => format!("list_{name}").into(),
    }
}

/// Opens contractions, applies the lexicon's rewritings and puts rules in place, so that the phrase can be held against
/// normalised tokens. Slots keep their name; their rule is set by type. A rule that is unknown, or nested deeper than
/// eight, becomes a word that nobody says.
pub(crate) fn flatten(expr: &Expr, rules: &Rules, lexicon: &Lexicon, language: &dyn Language) -> Expr {
    inline(expr, rules, lexicon, language, 0)
}

fn inline(expr: &Expr, rules: &Rules, lexicon: &Lexicon, language: &dyn Language, depth: usize) -> Expr {
    let go = |e: &Expr| inline(e, rules, lexicon, language, depth);
    match expr {
        Expr::Word(w) => {
            let opened = language.open(w).unwrap_or(w);
            let words = opened
                .split(' ')
                .map(|w| lexicon.rewrite.get(w).map_or(w, String::as_str));
            Expr::words(&words.collect::<Vec<_>>().join(" "))
        }
        Expr::Seq(all) => Expr::Seq(all.iter().map(go).collect()),
        Expr::Alt(all) => Expr::Alt(all.iter().map(go).collect()),
        Expr::Opt(e) => go(e).opt(),
        Expr::Many(e, min, max) => Expr::Many(Box::new(go(e)), *min, *max),
        Expr::Mark(_, e) | Expr::Quiet(e) => go(e),
        Expr::Rule(name) => match rules.get(name) {
            Some(e) if depth < 8 => inline(e, rules, lexicon, language, depth + 1),
            _ => Expr::Word("\u{0}".into()),
        },
        Expr::Slot(_, _) | Expr::Gap(_) => expr.clone(),
    }
}

/// Slots get the rule of their type; a slot that no frame has keeps its own name.
pub(crate) fn bind_slots(expr: &Expr, frames: &[&FrameFile]) -> Expr {
    let go = |e: &Expr| bind_slots(e, frames);
    match expr {
        Expr::Slot(name, rule) => {
            let slot = frames.iter().find_map(|f| f.slot(name));
            Expr::Slot(
                name.clone(),
                slot.map_or_else(|| rule.clone(), |s| slot_rule(&s.kind, s.length)),
            )
        }
        Expr::Seq(all) => Expr::Seq(all.iter().map(go).collect()),
        Expr::Alt(all) => Expr::Alt(all.iter().map(go).collect()),
        Expr::Opt(e) => go(e).opt(),
        Expr::Many(e, min, max) => Expr::Many(Box::new(go(e)), *min, *max),
        Expr::Mark(m, e) => Expr::Mark(*m, Box::new(go(e))),
        Expr::Quiet(e) => go(e).quiet(),
        other => other.clone(),
    }
}

/// All words of a flattened phrase.
pub(crate) fn vocabulary(expr: &Expr) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    expr.visit(&mut |e| {
        if let Expr::Word(w) = e {
            out.insert(w.to_string());
        }
    });
    out
}
