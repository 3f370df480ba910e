//! Dates. Reading rules of `utterances/README.md`, "Reading dates and times".

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

use super::{
    Meaning,
    number::{say as say_number, say_ordinal},
};
use crate::{Expr, Mark, Open, Rules, Tag, Value};

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

pub(super) fn rules(rules: &mut Rules) {
    let r = Expr::rule;
    let seq = Expr::Seq;
    let w = Expr::words;
    let mut add = |name: &str, e: Expr| rules.insert(name.into(), e);
    let weekday = |(i, name): (usize, &&str)| w(name).mark(Tag::Weekday, i as u32 + 1);
    add(
        "weekday",
        Expr::Alt(WEEKDAYS.iter().enumerate().map(weekday).collect()),
    );
    let month = |(i, name): (usize, &&str)| w(name).mark(Tag::Month, i as u32 + 1);
    add("month", Expr::Alt(MONTHS.iter().enumerate().map(month).collect()));
    let day = |n: u32| w(&say_ordinal(n).replace('-', " ")).mark(Tag::Day, n);
    add("month_day", Expr::Alt((1..=31).map(day).collect()));
    let counted = |n: u32, tag| w(&say_number(n).replace('-', " ")).mark(tag, n);
    let the_day = || seq(vec![w("the").opt(), r("month_day")]);
    let relative = Expr::Alt(vec![
        Expr::any("today|tonight").mark(Tag::Days, 0),
        w("tomorrow").mark(Tag::Days, 1),
        Expr::any("the day after tomorrow|day after tomorrow").mark(Tag::Days, 2),
        seq(vec![
            w("in"),
            Expr::Alt((2..=14).map(|n| counted(n, Tag::Days)).collect()),
            w("days"),
        ]),
        w("in a week").mark(Tag::Days, 7),
        w("in a fortnight").mark(Tag::Days, 14).quiet(),
        seq(vec![
            w("in"),
            Expr::Alt((2..=8).map(|n| counted(n, Tag::Weeks)).collect()),
            w("weeks"),
        ])
        .mark(Tag::Days, 0)
        .quiet(),
        Expr::any("a week today|a week from today")
            .mark(Tag::Days, 7)
            .quiet(),
        Expr::any("a week tomorrow|a week from tomorrow")
            .mark(Tag::Days, 8)
            .quiet(),
    ]);
    let by_weekday = Expr::Alt(vec![
        seq(vec![w("this").opt(), r("weekday")]),
        seq(vec![w("next").mark(Tag::NextWeek, 0), r("weekday")]),
        seq(vec![r("weekday"), w("week").mark(Tag::Weeks, 1)]).quiet(),
        seq(vec![
            Expr::any("a week on|a week from").mark(Tag::Weeks, 1),
            r("weekday"),
        ])
        .quiet(),
        seq(vec![
            Expr::any("a fortnight on").mark(Tag::Weeks, 2),
            r("weekday"),
        ])
        .quiet(),
    ]);
    let absolute = seq(vec![
        r("weekday").opt(),
        Expr::Alt(vec![
            seq(vec![the_day(), seq(vec![w("of").opt(), r("month")]).opt()]),
            seq(vec![r("month"), the_day()]),
        ]),
    ]);
    add(
        "date",
        seq(vec![
            w("on").quiet().opt(),
            Expr::Alt(vec![relative, by_weekday, absolute]),
        ]),
    );
}

pub(super) fn fold(marks: &[Mark], today: Date) -> Option<Meaning> {
    let find = |tag| marks.iter().find(|m| m.0 == tag).map(|m| m.1);
    let later = |d: Date, days: u32| d.checked_add(i64::from(days).days()).ok();
    let weeks = find(Tag::Weeks).unwrap_or(0) * 7;
    if let Some(days) = find(Tag::Days) {
        return Some((Value::Date(later(today, days + weeks)?), Vec::new()));
    }
    let weekday = find(Tag::Weekday).and_then(|n| Weekday::from_monday_one_offset(n as i8).ok());
    if let Some(day) = find(Tag::Day) {
        let month = find(Tag::Month);
        let open = if month.is_none() {
            vec![Open::Month]
        } else {
            Vec::new()
        };
        return Some((Value::Date(next_such(today, day, month, weekday)?), open));
    }
    let weekday = weekday?;
    let from = today.weekday().to_monday_zero_offset();
    let to = weekday.to_monday_zero_offset();
    let days = if find(Tag::NextWeek).is_some() {
        7 - from + to
    } else {
        (to - from + 6) % 7 + 1
    };
    Some((Value::Date(later(today, days as u32 + weeks)?), Vec::new()))
}

/// The next day, today included, with that number, month and weekday; nothing if there is none within eight years. A
/// weekday that contradicts day and month within a year is the caller's slip and is left out.
fn next_such(today: Date, day: u32, month: Option<u32>, weekday: Option<Weekday>) -> Option<Date> {
    let fits = |d: &Date| d.day() as u32 == day && month.is_none_or(|m| d.month() as u32 == m);
    let days = |n: i64| {
        (0..n)
            .filter_map(|i| today.checked_add(i.days()).ok())
            .filter(fits)
    };
    let with_weekday = weekday.and_then(|w| days(366).find(|d| d.weekday() == w));
    with_weekday.or_else(|| days(366 * 8).next())
}

/// "Thursday the fourth of March".
pub(super) fn say(d: Date) -> String {
    format!(
        "{} {}",
        capital(WEEKDAYS[d.weekday().to_monday_zero_offset() as usize]),
        say_short(d)
    )
}

/// "the fourth of March".
pub(super) fn say_short(d: Date) -> String {
    format!(
        "the {} of {}",
        say_ordinal(d.day() as u32),
        capital(MONTHS[d.month() as usize - 1])
    )
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
