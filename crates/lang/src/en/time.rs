//! Times of day.

use jiff::civil::Time;

use super::{
    Meaning,
    number::{ONES, TENS, say as say_number},
};
use crate::{Expr, Mark, Open, Rules, Tag, Value};

/// Parts of the day, as [`Tag::Part`] counts them.
const MORNING: u32 = 0;
const AFTERNOON: u32 = 1;
const NIGHT: u32 = 2;

/// [`Tag::Form`] of hours that need no part of the day.
const FULL_DAY: u32 = 24;

pub(super) fn rules(rules: &mut Rules) {
    let r = Expr::rule;
    let seq = Expr::Seq;
    let w = Expr::words;
    let mut add = |name: &str, e: Expr| rules.insert(name.into(), e);
    let hour = |n: usize| w(&say_number(n as u32).replace('-', " ")).mark(Tag::Hour, n as u32);
    add("hour", Expr::Alt((1..=12).map(hour).collect()));
    let minute = |n: usize| w(ONES[n]).mark(Tag::Minute, n as u32);
    let ten = |n: usize| w(TENS[n]).mark(Tag::Minute, n as u32 * 10);
    let unit = || Expr::Alt((1..10).map(minute).collect());
    add("minute_unit", unit());
    let tens = Expr::Alt((2..6).map(ten).collect());
    let oh = Expr::Alt(vec![w("oh"), Expr::any("o|zero").quiet()]);
    let two_digits = vec![
        seq(vec![oh.clone(), r("minute_unit")]),
        Expr::Alt((10..20).map(minute).collect()),
        seq(vec![tens, r("minute_unit").opt()]),
    ];
    add("minute", Expr::Alt(two_digits));
    let part = Expr::Alt(vec![
        w("a m").mark(Tag::Part, MORNING),
        w("p m").mark(Tag::Part, AFTERNOON),
        w("in the morning").mark(Tag::Part, MORNING),
        w("in the afternoon").mark(Tag::Part, AFTERNOON),
        w("in the evening").mark(Tag::Part, AFTERNOON),
        w("at night").mark(Tag::Part, NIGHT),
        Expr::any("tonight|this afternoon|this evening")
            .mark(Tag::Part, AFTERNOON)
            .quiet(),
        w("this morning").mark(Tag::Part, MORNING).quiet(),
    ]);
    add("day_part", part);
    let after = || Expr::Alt(vec![w("past"), w("after").quiet()]);
    let before = || Expr::Alt(vec![w("to"), Expr::any("before|of|till").quiet()]).mark(Tag::Before, 0);
    let either = || Expr::Alt(vec![after(), before()]);
    let a_quarter = seq(vec![
        w("a").quiet().opt(),
        w("quarter").mark(Tag::Minute, 15),
        either(),
        r("hour"),
    ]);
    let half = seq(vec![w("half").mark(Tag::Minute, 30), after().opt(), r("hour")]);
    let minutes = Expr::Alt(vec![
        Expr::any("five").mark(Tag::Minute, 5),
        Expr::any("ten").mark(Tag::Minute, 10),
        seq(vec![
            w("twenty").mark(Tag::Minute, 20),
            w("five").mark(Tag::Minute, 5).opt(),
        ]),
        r("minute").quiet(),
        r("minute_unit").quiet(),
    ]);
    let counted = seq(vec![
        minutes,
        Expr::any("minutes|minute").quiet().opt(),
        either(),
        r("hour"),
    ]);
    let plain = seq(vec![r("hour"), Expr::Alt(vec![w("o'clock"), r("minute")]).opt()]);
    let twelve_hours = seq(vec![
        Expr::Alt(vec![plain, half, a_quarter, counted]),
        r("day_part").opt(),
    ]);
    let named = |text: &str, h: u32| Expr::any(text).mark(Tag::Hour, h);
    let by_name = Expr::Alt(vec![
        Expr::Alt(vec![
            named("noon|midday", 12),
            named("twelve noon|mid day|twelve midday", 12).quiet(),
        ]),
        Expr::Alt(vec![named("midnight", 0), named("twelve midnight", 0).quiet()]),
    ])
    .mark(Tag::Form, FULL_DAY);
    let late = Expr::Alt((13..24).map(hour).collect());
    let early = seq(vec![oh, Expr::Alt((0..10).map(hour).collect())]);
    let full = Expr::Alt(vec![
        seq(vec![
            late.clone(),
            Expr::Alt(vec![w("o'clock").quiet(), r("minute"), hundred()]),
        ]),
        seq(vec![early.clone(), Expr::Alt(vec![r("minute"), hundred()])]).quiet(),
        seq(vec![Expr::Alt((10..13).map(hour).collect()), hundred()]).quiet(),
    ])
    .mark(Tag::Form, FULL_DAY);
    add("time", Expr::Alt(vec![twelve_hours, by_name, full]));
}

fn hundred() -> Expr {
    Expr::Seq(vec![Expr::words("hundred"), Expr::words("hours").quiet().opt()])
}

pub(super) fn fold(marks: &[Mark]) -> Vec<Meaning> {
    let find = |tag| marks.iter().find(|m| m.0 == tag).map(|m| m.1);
    let Some(hour) = find(Tag::Hour) else {
        return Vec::new();
    };
    let minutes: u32 = marks.iter().filter(|m| m.0 == Tag::Minute).map(|m| m.1).sum();
    let full_day = find(Tag::Form) == Some(FULL_DAY);
    let day = 24 * 60;
    let mut at = hour * 60 + minutes;
    if find(Tag::Before).is_some() {
        at = (hour * 60 + day - minutes) % day;
    }
    let clock = |at: u32| {
        Time::new((at / 60 % 24) as i8, (at % 60) as i8, 0, 0)
            .ok()
            .map(Value::Time)
    };
    if full_day {
        return clock(at).into_iter().map(|v| (v, Vec::new())).collect();
    }
    // On a twelve-hour dial twelve is nought.
    let dial = at % (12 * 60);
    let (am, pm) = (clock(dial), clock(dial + 12 * 60));
    match find(Tag::Part) {
        Some(MORNING) => am.into_iter().map(|v| (v, Vec::new())).collect(),
        Some(AFTERNOON) => pm.into_iter().map(|v| (v, Vec::new())).collect(),
        Some(_) if dial < 5 * 60 => am.into_iter().map(|v| (v, Vec::new())).collect(),
        Some(_) => pm.into_iter().map(|v| (v, Vec::new())).collect(),
        None => am.into_iter().chain(pm).map(|v| (v, vec![Open::Half])).collect(),
    }
}

/// "half past ten in the morning".
pub(super) fn say(t: Time) -> String {
    match (t.hour(), t.minute()) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "noon".to_owned(),
        (0..12, _) => format!("{} in the morning", say_short(t)),
        (12..18, _) => format!("{} in the afternoon", say_short(t)),
        (18..21, _) => format!("{} in the evening", say_short(t)),
        _ => format!("{} at night", say_short(t)),
    }
}

/// "half past ten"; noon and midnight keep their names.
pub(super) fn say_short(t: Time) -> String {
    let dial = |h: i8| if h % 12 == 0 { 12 } else { (h % 12) as usize };
    let (h, m) = (t.hour(), t.minute() as u32);
    match m {
        0 if h == 0 => "midnight".to_owned(),
        0 if h == 12 => "noon".to_owned(),
        0 => ONES[dial(h)].to_owned(),
        15 => format!("quarter past {}", ONES[dial(h)]),
        30 => format!("half past {}", ONES[dial(h)]),
        45 => format!("quarter to {}", ONES[dial(h + 1)]),
        1..10 => format!("{} oh {}", ONES[dial(h)], say_number(m)),
        _ => format!("{} {}", ONES[dial(h)], say_number(m)),
    }
}
