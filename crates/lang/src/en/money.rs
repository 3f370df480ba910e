//! Amounts of money.

use super::{Meaning, number};
use crate::{Expr, Mark, Money, Open, Rules, Tag, Value};

/// Code, one, many, one of the small unit, many of it.
const CURRENCIES: [(&str, &str, &str, &str, &str); 4] = [
    ("EUR", "euro", "euros", "cent", "cents"),
    ("GBP", "pound", "pounds", "penny", "pence"),
    ("USD", "dollar", "dollars", "cent", "cents"),
    ("CHF", "franc", "francs", "centime", "centimes"),
];

/// [`Tag::Form`] where the small unit begins.
const SMALL: u32 = 100;

pub(super) fn rules(rules: &mut Rules) {
    let r = Expr::rule;
    let unit = |(i, c): (usize, &(&str, &str, &str, &str, &str))| {
        Expr::Alt(vec![Expr::words(c.2), Expr::words(c.1)]).mark(Tag::Currency, i as u32)
    };
    let units = Expr::Alt(CURRENCIES.iter().enumerate().map(unit).collect());
    let small_words = Expr::any("cents|pence|cent|penny|centimes|centime").opt();
    let small = Expr::Seq(vec![
        Expr::words("and").opt().mark(Tag::Form, SMALL),
        Expr::Alt(vec![r("sub_hundred")]),
        small_words,
    ]);
    rules.insert(
        "money".into(),
        Expr::Seq(vec![r("count"), Expr::Seq(vec![units, small.opt()]).opt()]),
    );
}

pub(super) fn fold(marks: &[Mark]) -> Option<Meaning> {
    let split = marks
        .iter()
        .position(|m| *m == Mark(Tag::Form, SMALL))
        .unwrap_or(marks.len());
    let (major, minor) = (
        number::quantity(&marks[..split]),
        number::quantity(&marks[split..]),
    );
    let currency = marks
        .iter()
        .find(|m| m.0 == Tag::Currency)
        .and_then(|m| CURRENCIES.get(m.1 as usize));
    let open = if currency.is_none() {
        vec![Open::Currency]
    } else {
        Vec::new()
    };
    let currency = currency.map(|c| c.0).unwrap_or_default().to_owned();
    let minor = i64::from(major) * 100 + i64::from(minor);
    Some((Value::Money(Money { minor, currency }), open))
}

/// "one hundred and twenty-nine euros fifty". A currency that has no words here is said by its code's letters.
pub(super) fn say(money: &Money) -> String {
    let spelled = money
        .currency
        .to_lowercase()
        .chars()
        .map(String::from)
        .collect::<Vec<_>>()
        .join(" ");
    let known = CURRENCIES.iter().find(|c| c.0 == money.currency);
    let (one, many, cent, cents) =
        known.map_or((&*spelled, &*spelled, "cent", "cents"), |c| (c.1, c.2, c.3, c.4));
    let amount = money.minor.unsigned_abs();
    let (major, minor) = (
        (amount / 100).min(u64::from(u32::MAX)) as u32,
        (amount % 100) as u32,
    );
    let sign = if money.minor < 0 { "minus " } else { "" };
    let unit = if major == 1 { one } else { many };
    let words = match (major, minor) {
        (_, 0) => format!("{} {unit}", number::say(major)),
        (0, 1) => format!("one {cent}"),
        (0, _) => format!("{} {cents}", number::say(minor)),
        (_, 1) => format!("{} {unit} and one {cent}", number::say(major)),
        (_, 2..10) => format!("{} {unit} and {} {cents}", number::say(major), number::say(minor)),
        _ => format!("{} {unit} {}", number::say(major), number::say(minor)),
    };
    format!("{sign}{words}")
}
