//! Expressions as JSGF V1.0, the form that grammar recognisers read, and sentences out of them.
//!
//! What is emitted here is what [`crate::walk`] matches: what the recogniser can hear, the reader understands.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use crate::{Expr, Rules};

/// Name of the rule that stands for the words of a gap. If `rules` lacks it, a gap is emitted as nothing.
pub const FILLER: &str = "filler";

/// The whole grammar: header, one public rule `name` for `expr`, and every rule it needs. A rule that `rules` does not
/// hold can't be heard and becomes JSGF's `<VOID>`. `name` must be letters, digits and `_`.
pub fn grammar(name: &str, expr: &Expr, rules: &Rules) -> String {
    let mut needed = BTreeSet::new();
    gather(expr, rules, &mut needed);
    let mut out = format!(
        "#JSGF V1.0;\ngrammar {name};\npublic <{name}> = {};\n",
        body(expr, rules)
    );
    for rule in needed {
        if let Some(e) = rules.get(&rule) {
            let _ = writeln!(out, "<{rule}> = {};", body(e, rules));
        }
    }
    out
}

/// Every word that `expr` can make a recogniser hear.
pub fn words(expr: &Expr, rules: &Rules) -> BTreeSet<Arc<str>> {
    let mut needed = BTreeSet::new();
    gather(expr, rules, &mut needed);
    let mut out = BTreeSet::new();
    spoken(expr, &mut out);
    for rule in &needed {
        if let Some(e) = rules.get(rule) {
            spoken(e, &mut out);
        }
    }
    out
}

/// One sentence of `expr`. `choose(n)` picks below `n`, so the caller decides between chance and order.
pub fn sentence(expr: &Expr, rules: &Rules, choose: &mut dyn FnMut(usize) -> usize) -> Vec<Arc<str>> {
    let mut out = Vec::new();
    say(expr, rules, choose, 24, &mut out);
    out
}

fn spoken(expr: &Expr, out: &mut BTreeSet<Arc<str>>) {
    match expr {
        Expr::Word(w) => {
            out.insert(w.clone());
        }
        Expr::Seq(all) | Expr::Alt(all) => all.iter().for_each(|e| spoken(e, out)),
        Expr::Opt(e) | Expr::Many(e, _, _) | Expr::Mark(_, e) => spoken(e, out),
        Expr::Rule(_) | Expr::Slot(_, _) | Expr::Gap(_) | Expr::Quiet(_) => {}
    }
}

fn gather(expr: &Expr, rules: &Rules, out: &mut BTreeSet<Arc<str>>) {
    let mut follow = |name: &Arc<str>| {
        if let Some(e) = rules.get(name)
            && out.insert(name.clone())
        {
            gather(e, rules, out);
        }
    };
    match expr {
        Expr::Rule(name) | Expr::Slot(_, name) => follow(name),
        Expr::Gap(_) => follow(&FILLER.into()),
        Expr::Seq(all) | Expr::Alt(all) => all.iter().for_each(|e| gather(e, rules, out)),
        Expr::Opt(e) | Expr::Many(e, _, _) | Expr::Mark(_, e) => gather(e, rules, out),
        Expr::Word(_) | Expr::Quiet(_) => {}
    }
}

/// An expression as the right side of a rule. Alternatives always stand in brackets: JSGF binds a sequence tighter.
fn body(expr: &Expr, rules: &Rules) -> String {
    match expr {
        Expr::Word(w) => w.to_string(),
        Expr::Seq(all) => {
            let parts: Vec<String> = all
                .iter()
                .map(|e| body(e, rules))
                .filter(|s| !s.is_empty())
                .collect();
            parts.join(" ")
        }
        Expr::Alt(all) => {
            let parts: Vec<String> = all
                .iter()
                .filter(|e| !matches!(e, Expr::Quiet(_)))
                .map(|e| body(e, rules))
                .filter(|s| !s.is_empty())
                .collect();
            match parts.as_slice() {
                [] => String::new(),
                [one] => one.clone(),
                _ => format!("({})", parts.join(" | ")),
            }
        }
        Expr::Opt(e) => match body(e, rules) {
            inner if inner.is_empty() => inner,
            inner => format!("[{inner}]"),
        },
        Expr::Many(e, min, max) => {
            let inner = body(e, rules);
            let mut parts = vec![inner.clone(); usize::from(*min)];
            let extra = usize::from(max.saturating_sub(*min));
            if extra > 0 {
                // Nested, not side by side: `[d [d]]` has one way to say two digits, `[d] [d]` has two.
                parts.push(format!(
                    "{}{}{}",
                    format!("[{inner} ").repeat(extra - 1),
                    format_args!("[{inner}]"),
                    "]".repeat(extra - 1)
                ));
            }
            parts.join(" ")
        }
        Expr::Rule(name) | Expr::Slot(_, name) => {
            if rules.contains_key(name) {
                format!("<{name}>")
            } else {
                "<VOID>".to_owned()
            }
        }
        Expr::Mark(_, e) => body(e, rules),
        Expr::Gap(n) => {
            if rules.contains_key(FILLER) {
                body(&Expr::Many(Box::new(Expr::rule(FILLER)), 0, *n), rules)
            } else {
                String::new()
            }
        }
        Expr::Quiet(_) => String::new(),
    }
}

fn say(
    expr: &Expr,
    rules: &Rules,
    choose: &mut dyn FnMut(usize) -> usize,
    depth: usize,
    out: &mut Vec<Arc<str>>,
) {
    match expr {
        Expr::Word(w) => out.push(w.clone()),
        Expr::Seq(all) => all.iter().for_each(|e| say(e, rules, choose, depth, out)),
        Expr::Alt(all) => {
            let open: Vec<&Expr> = all.iter().filter(|e| !matches!(e, Expr::Quiet(_))).collect();
            if !open.is_empty() {
                let pick = choose(open.len()).min(open.len() - 1);
                say(open[pick], rules, choose, depth, out);
            }
        }
        Expr::Opt(e) => {
            if choose(2) == 1 {
                say(e, rules, choose, depth, out);
            }
        }
        Expr::Many(e, min, max) => {
            let times = usize::from(*min) + choose(usize::from(max.saturating_sub(*min)) + 1);
            (0..times).for_each(|_| say(e, rules, choose, depth, out));
        }
        Expr::Rule(name) | Expr::Slot(_, name) => {
            if let (Some(e), true) = (rules.get(name), depth > 0) {
                say(e, rules, choose, depth - 1, out);
            }
        }
        Expr::Mark(_, e) => say(e, rules, choose, depth, out),
        Expr::Gap(n) => {
            if let (Some(e), true) = (rules.get(FILLER), depth > 0) {
                let times = choose(usize::from(*n) + 1);
                (0..times).for_each(|_| say(e, rules, choose, depth - 1, out));
            }
        }
        Expr::Quiet(_) => {}
    }
}
