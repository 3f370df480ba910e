//! Matching words against an expression, exactly.

use crate::{Expr, Mark, Rules};

/// Rules nested deeper than this match nothing: a rule that names itself ends here instead of never.
const DEPTH: usize = 24;

type Then<'k> = dyn FnMut(usize, &mut Vec<Mark>) + 'k;

/// Calls `found(end, marks)` for every way in which `expr` matches `words` from `start`. A rule that `rules` does not
/// hold matches nothing.
pub fn walk(expr: &Expr, rules: &Rules, words: &[&str], start: usize, found: &mut dyn FnMut(usize, &[Mark])) {
    let mut marks = Vec::new();
    step(expr, rules, words, start, DEPTH, &mut marks, &mut |end, marks| {
        found(end, marks)
    });
}

/// Does `expr` match all of `words`?
pub fn accepts(expr: &Expr, rules: &Rules, words: &[&str]) -> bool {
    let mut whole = false;
    walk(expr, rules, words, 0, &mut |end, _| whole |= end == words.len());
    whole
}

fn step(
    expr: &Expr,
    rules: &Rules,
    words: &[&str],
    at: usize,
    depth: usize,
    marks: &mut Vec<Mark>,
    then: &mut Then<'_>,
) {
    match expr {
        Expr::Word(w) => {
            if words.get(at).is_some_and(|x| *x == &**w) {
                then(at + 1, marks);
            }
        }
        Expr::Seq(all) => sequence(all, rules, words, at, depth, marks, then),
        Expr::Alt(all) => {
            for e in all {
                step(e, rules, words, at, depth, marks, then);
            }
        }
        Expr::Opt(e) => {
            step(e, rules, words, at, depth, marks, then);
            then(at, marks);
        }
        Expr::Many(e, min, max) => many(e, *min, *max, rules, words, at, depth, marks, then),
        Expr::Rule(name) | Expr::Slot(_, name) => {
            if let (Some(e), true) = (rules.get(name), depth > 0) {
                step(e, rules, words, at, depth - 1, marks, then);
            }
        }
        Expr::Mark(mark, e) => {
            let len = marks.len();
            marks.push(*mark);
            step(e, rules, words, at, depth, marks, then);
            marks.truncate(len);
        }
        Expr::Gap(n) => {
            for end in at..=(at + usize::from(*n)).min(words.len()) {
                then(end, marks);
            }
        }
        Expr::Quiet(e) => step(e, rules, words, at, depth, marks, then),
    }
}

fn sequence(
    all: &[Expr],
    rules: &Rules,
    words: &[&str],
    at: usize,
    depth: usize,
    marks: &mut Vec<Mark>,
    then: &mut Then<'_>,
) {
    match all {
        [] => then(at, marks),
        [first, rest @ ..] => {
            step(first, rules, words, at, depth, marks, &mut |next, marks| {
                sequence(rest, rules, words, next, depth, marks, then);
            });
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "the walk's state, spelled out once")]
fn many(
    e: &Expr,
    min: u8,
    max: u8,
    rules: &Rules,
    words: &[&str],
    at: usize,
    depth: usize,
    marks: &mut Vec<Mark>,
    then: &mut Then<'_>,
) {
    if min == 0 {
        then(at, marks);
    }
    if max > 0 {
        step(e, rules, words, at, depth, marks, &mut |next, marks| {
            if next > at {
                many(
                    e,
                    min.saturating_sub(1),
                    max - 1,
                    rules,
                    words,
                    next,
                    depth,
                    marks,
                    then,
                );
            }
        });
    }
}
