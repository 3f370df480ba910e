//! English.

mod date;
mod letters;
mod money;
mod normal;
mod number;
#[cfg(test)]
mod round_trip;
mod rules;
mod time;

use std::cmp::Reverse;

use jiff::civil::Date;

use crate::{Expr, Kind, Language, Mark, Normalised, Open, Reading, Rules, Value, walk};

/// English, British wording with American forms understood.
#[derive(Clone, Copy, Debug, Default)]
pub struct English;

/// A value and what was assumed for it.
type Meaning = (Value, Vec<Open>);

/// What the marks of one match of `kind` mean; several when something was left open, none when they contradict.
fn fold(kind: Kind, marks: &[Mark], today: Date) -> Vec<Meaning> {
    match kind {
        Kind::Count | Kind::Number | Kind::Ordinal | Kind::Digits | Kind::RoomNumber => {
            number::fold(kind, marks)
                .into_iter()
                .map(|v| (v, Vec::new()))
                .collect()
        }
        Kind::Time => time::fold(marks),
        Kind::Date => date::fold(marks, today).into_iter().collect(),
        Kind::Letters => letters::fold(marks)
            .into_iter()
            .map(|v| (v, Vec::new()))
            .collect(),
        Kind::Money => money::fold(marks).into_iter().collect(),
    }
}

impl Language for English {
    fn code(&self) -> &'static str {
        "en"
    }

    fn normalise(&self, text: &str) -> Normalised {
        normal::normalise(text)
    }

    fn open(&self, word: &str) -> Option<&'static str> {
        normal::open(word)
    }

    fn rules(&self) -> &'static Rules {
        rules::rules()
    }

    fn read(&self, kind: Kind, words: &[&str], today: Date) -> Vec<Reading<Value>> {
        let (rules, rule) = (self.rules(), Expr::rule(kind.name()));
        let mut all: Vec<Reading<Value>> = Vec::new();
        for start in 0..words.len() {
            if !rules::may_start(kind, words[start]) {
                continue;
            }
            walk(&rule, rules, words, start, &mut |end, marks| {
                for (value, open) in fold(kind, marks, today) {
                    let reading = Reading {
                        span: start..end,
                        value,
                        score: 1.0,
                        open,
                    };
                    if end > start && !all.contains(&reading) {
                        all.push(reading);
                    }
                }
            });
        }
        let spans: Vec<_> = all.iter().map(|r| r.span.clone()).collect();
        for r in &mut all {
            let inside = spans
                .iter()
                .any(|s| s.start <= r.span.start && r.span.end <= s.end && s.len() > r.span.len());
            if inside {
                r.score = 0.5;
            }
        }
        all.sort_by_key(|r| (Reverse(r.span.len()), r.span.start));
        all
    }

    fn say(&self, value: &Value) -> String {
        match value {
            Value::Number(n) => number::say(*n),
            Value::Ordinal(n) => number::say_ordinal(*n),
            Value::Digits(d) => number::say_digits(d),
            Value::Time(t) => time::say(*t),
            Value::Date(d) => date::say(*d),
            Value::Letters(l) => letters::say(l),
            Value::Money(m) => money::say(m),
            Value::Text(t) => t.clone(),
        }
    }

    fn say_short(&self, value: &Value) -> String {
        match value {
            Value::Time(t) => time::say_short(*t),
            Value::Date(d) => date::say_short(*d),
            other => self.say(other),
        }
    }
}
