//! What can be said, as data: the one form that matcher, recogniser grammar and phrase files share.

use std::{collections::BTreeMap, sync::Arc};

/// Meaning left behind where a part of an expression matched. Language-neutral: a language's fold turns the list of
/// marks into a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Which form the words have; `n` as the fold defines it.
    Form,
    /// A new group of digits begins.
    Group,
    /// Adds `n`.
    Num,
    /// Multiplies by a hundred.
    Hundred,
    /// Multiplies by a thousand.
    Thousand,
    /// One digit `n`.
    Digit,
    /// The next digit or letter is said `n` times.
    Times,
    /// Hour `n`.
    Hour,
    /// `n` minutes more.
    Minute,
    /// Minutes before the hour, not after.
    Before,
    /// Part of the day `n`.
    Part,
    /// Weekday `n`, Monday is 1.
    Weekday,
    /// Day `n` of a month.
    Day,
    /// Month `n`.
    Month,
    /// `n` days from today.
    Days,
    /// `n` weeks later.
    Weeks,
    /// In the calendar week after this one.
    NextWeek,
    /// Letter `n`, as a code point.
    Letter,
    /// Currency `n`, as the fold numbers it.
    Currency,
}

/// A tag and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark(
    /// What.
    pub Tag,
    /// How much.
    pub u32,
);

/// A set of word sequences.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// One word: lower-case letters and apostrophes.
    Word(Arc<str>),
    /// One after another.
    Seq(Vec<Expr>),
    /// One of several.
    Alt(Vec<Expr>),
    /// Or nothing.
    Opt(Box<Expr>),
    /// Between `min` and `max` times.
    Many(Box<Expr>, u8, u8),
    /// A named rule.
    Rule(Arc<str>),
    /// Leaves a mark when it matches.
    Mark(Mark, Box<Expr>),
    /// A value: name of the slot, then name of the rule that reads it.
    Slot(Arc<str>, Arc<str>),
    /// Up to that many words of any kind; a recogniser is offered the rule `filler` instead.
    Gap(u8),
    /// Understood, but not offered to a recogniser: rare or sounding like something else.
    Quiet(Box<Expr>),
}

/// Rules by name.
pub type Rules = BTreeMap<Arc<str>, Expr>;

impl Expr {
    /// Words separated by blanks, one after another.
    pub fn words(text: &str) -> Expr {
        let mut words: Vec<Expr> = text.split_whitespace().map(|w| Expr::Word(w.into())).collect();
        if words.len() == 1 {
            words.remove(0)
        } else {
            Expr::Seq(words)
        }
    }

    /// One of the phrases, separated by `|`.
    pub fn any(text: &str) -> Expr {
        Expr::Alt(text.split('|').map(Expr::words).collect())
    }

    /// This or nothing.
    #[must_use]
    pub fn opt(self) -> Expr {
        Expr::Opt(Box::new(self))
    }

    /// This, leaving a mark.
    #[must_use]
    pub fn mark(self, tag: Tag, n: u32) -> Expr {
        Expr::Mark(Mark(tag, n), Box::new(self))
    }

    /// This, not offered to a recogniser.
    #[must_use]
    pub fn quiet(self) -> Expr {
        Expr::Quiet(Box::new(self))
    }

    /// The rule of that name.
    pub fn rule(name: &str) -> Expr {
        Expr::Rule(name.into())
    }

    /// Calls `f` on this expression and everything inside it, rules not followed.
    pub fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        f(self);
        match self {
            Expr::Seq(all) | Expr::Alt(all) => all.iter().for_each(|e| e.visit(f)),
            Expr::Opt(e) | Expr::Many(e, _, _) | Expr::Mark(_, e) | Expr::Quiet(e) => e.visit(f),
            Expr::Word(_) | Expr::Rule(_) | Expr::Slot(_, _) | Expr::Gap(_) => {}
        }
    }
}
