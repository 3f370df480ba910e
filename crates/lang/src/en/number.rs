//! Numbers: quantities, digits, room numbers, ordinals.

use crate::{Expr, Kind, Mark, Rules, Tag, Value};

pub(super) const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
pub(super) const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
const ORDINALS: [&str; 20] = [
    "",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

/// How a number was said, as the mark [`Tag::Form`] counts it.
const QUANTITY: u32 = 0;
const DIGITS: u32 = 1;
const PAIRS: u32 = 2;

fn ones(range: std::ops::Range<usize>, tag: Tag) -> Expr {
    Expr::Alt(range.map(|n| Expr::words(ONES[n]).mark(tag, n as u32)).collect())
}

fn tens(tag: Tag) -> Expr {
    Expr::Alt(
        (2..10)
            .map(|n| Expr::words(TENS[n]).mark(tag, n as u32 * 10))
            .collect(),
    )
}

/// "oh", and what else stands for a nought but is only read, because it sounds the same or is rare.
fn oh() -> Expr {
    let spoken = [
        Expr::words("zero"),
        Expr::words("oh"),
        Expr::any("o|nought|nil").quiet(),
    ];
    Expr::Alt(spoken.into())
}

pub(super) fn rules(rules: &mut Rules) {
    let r = Expr::rule;
    let seq = Expr::Seq;
    let mut add = |name: &str, e: Expr| rules.insert(name.into(), e);
    add("unit", ones(1..10, Tag::Num));
    add("teen", ones(10..20, Tag::Num));
    add("tens", seq(vec![tens(Tag::Num), r("unit").opt()]));
    add("sub_hundred", Expr::Alt(vec![r("unit"), r("teen"), r("tens")]));
    let rest = || seq(vec![Expr::words("and").opt(), r("sub_hundred")]).opt();
    let a_or_unit = || Expr::Alt(vec![r("unit"), Expr::words("a").mark(Tag::Num, 1).quiet()]);
    let hundred = || Expr::words("hundred").mark(Tag::Hundred, 0);
    // A mark is left before its words match, so "hundred" multiplies what was counted up to there.
    add("hundreds", seq(vec![a_or_unit(), hundred(), rest()]));
    let long_hundreds = seq(vec![Expr::Alt(vec![r("teen"), r("tens")]), hundred(), rest()]).quiet();
    let thousands = seq(vec![
        a_or_unit(),
        Expr::words("thousand").mark(Tag::Thousand, 0),
        Expr::Alt(vec![
            seq(vec![Expr::words("and").opt(), r("sub_hundred")]),
            r("hundreds"),
        ])
        .opt(),
    ]);
    add("thousands", thousands);
    let zero = Expr::words("zero").mark(Tag::Num, 0);
    add(
        "count",
        Expr::Alt(vec![
            zero,
            r("sub_hundred"),
            r("hundreds"),
            r("thousands"),
            long_hundreds,
        ])
        .mark(Tag::Form, QUANTITY),
    );
    let digit = Expr::Alt(vec![oh().mark(Tag::Digit, 0), ones(1..10, Tag::Digit)]);
    let times = Expr::Alt(vec![
        Expr::words("double").mark(Tag::Times, 2),
        Expr::words("triple").mark(Tag::Times, 3),
    ]);
    add("digit", digit);
    add("digit_item", seq(vec![times.opt(), r("digit")]));
    add(
        "digits",
        Expr::Many(Box::new(r("digit_item")), 1, 16).mark(Tag::Form, DIGITS),
    );
    // "two twelve", "two twenty four", "twelve oh four", "twelve fourteen". Not "twenty four": that is a quantity.
    let group = |e: Expr| e.mark(Tag::Group, 0);
    let two_digits = || Expr::Alt(vec![r("teen"), r("tens")]);
    let oh_unit = || seq(vec![oh(), r("unit")]);
    let pairs = Expr::Alt(vec![
        seq(vec![group(r("unit")), group(two_digits())]),
        seq(vec![
            group(two_digits()),
            group(Expr::Alt(vec![oh_unit(), two_digits()])),
        ]),
    ]);
    add("pairs", pairs.mark(Tag::Form, PAIRS));
    add(
        "code",
        Expr::Many(Box::new(r("digit_item")), 1, 4).mark(Tag::Form, DIGITS),
    );
    add("room_number", Expr::Alt(vec![r("code"), r("pairs"), r("count")]));
    // For houses whose room numbers all have one length: fewer ways to mishear.
    let item = |n: u32| seq(vec![Expr::words("double").mark(Tag::Times, n), r("digit")]);
    let exactly = |n: u8| Expr::Many(Box::new(r("digit")), n, n).mark(Tag::Form, DIGITS);
    let with_double = Expr::Alt(vec![
        seq(vec![item(2), r("digit")]),
        seq(vec![r("digit"), item(2)]),
    ]);
    let short_pairs = seq(vec![group(r("unit")), group(two_digits())]).mark(Tag::Form, PAIRS);
    let as_quantity = |rule: &str| r(rule).mark(Tag::Form, QUANTITY);
    add("room_number_1", exactly(1));
    add(
        "room_number_2",
        Expr::Alt(vec![exactly(2), as_quantity("teen"), as_quantity("tens")]),
    );
    let three = vec![
        exactly(3),
        with_double.mark(Tag::Form, DIGITS),
        short_pairs,
        as_quantity("hundreds"),
    ];
    add("room_number_3", Expr::Alt(three));
    let long_pairs = seq(vec![
        group(two_digits()),
        group(Expr::Alt(vec![oh_unit(), two_digits()])),
    ]);
    let four = vec![
        exactly(4),
        long_pairs.mark(Tag::Form, PAIRS),
        as_quantity("thousands"),
    ];
    add("room_number_4", Expr::Alt(four));
    add("number", Expr::Alt(vec![r("count"), r("pairs"), r("code")]));
    add(
        "ordinal",
        Expr::Alt(
            (1..=31)
                .map(|n| Expr::words(&spaced(&say_ordinal(n))).mark(Tag::Num, n))
                .collect(),
        ),
    );
}

fn spaced(text: &str) -> String {
    text.replace('-', " ")
}

pub(super) fn fold(kind: Kind, marks: &[Mark]) -> Option<Value> {
    let form = marks.iter().find(|m| m.0 == Tag::Form).map(|m| m.1);
    let code = match form {
        Some(DIGITS) => digits(marks),
        Some(PAIRS) => pairs(marks),
        _ => quantity(marks).to_string(),
    };
    match kind {
        Kind::Digits if code.len() <= 16 => Some(Value::Digits(code)),
        Kind::RoomNumber if code.len() <= 4 => Some(Value::Digits(code)),
        Kind::Ordinal => Some(Value::Ordinal(code.parse().ok()?)),
        Kind::Count | Kind::Number if code.len() <= 4 => Some(Value::Number(code.parse().ok()?)),
        _ => None,
    }
}

/// The quantity that the marks add up to.
pub(super) fn quantity(marks: &[Mark]) -> u32 {
    let (mut total, mut current) = (0u32, 0u32);
    for Mark(tag, n) in marks {
        match tag {
            Tag::Num => current += n,
            Tag::Hundred => current *= 100,
            Tag::Thousand => total += std::mem::take(&mut current) * 1000,
            _ => {}
        }
    }
    total + current
}

fn digits(marks: &[Mark]) -> String {
    let mut out = String::new();
    let mut times = 1;
    for Mark(tag, n) in marks {
        match tag {
            Tag::Times => times = *n,
            Tag::Digit => {
                let digit = char::from_digit(*n, 10).unwrap_or('0');
                out.extend(std::iter::repeat_n(digit, times as usize));
                times = 1;
            }
            _ => {}
        }
    }
    out
}

fn pairs(marks: &[Mark]) -> String {
    let groups: Vec<u32> = marks
        .split(|m| m.0 == Tag::Group)
        .skip(1)
        .map(|group| group.iter().filter(|m| m.0 == Tag::Num).map(|m| m.1).sum())
        .collect();
    match groups.as_slice() {
        [first, rest @ ..] => rest.iter().fold(first.to_string(), |s, n| format!("{s}{n:02}")),
        [] => String::new(),
    }
}

/// Up to 9999 in words: "two hundred and four". Larger numbers are said digit by digit.
pub(super) fn say(n: u32) -> String {
    let i = n as usize;
    match n {
        0..=19 => ONES[i].to_owned(),
        20..=99 if i.is_multiple_of(10) => TENS[i / 10].to_owned(),
        20..=99 => format!("{}-{}", TENS[i / 10], ONES[i % 10]),
        100..=999 if i.is_multiple_of(100) => format!("{} hundred", ONES[i / 100]),
        100..=999 => format!("{} hundred and {}", ONES[i / 100], say(n % 100)),
        1000..=9999 if i.is_multiple_of(1000) => format!("{} thousand", ONES[i / 1000]),
        1000..=9999 if i % 1000 < 100 => format!("{} thousand and {}", ONES[i / 1000], say(n % 1000)),
        1000..=9999 => format!("{} thousand {}", ONES[i / 1000], say(n % 1000)),
        _ => say_digits(&n.to_string()),
    }
}

/// Digit by digit: "two oh four". A leading nought is "zero", which no one takes for a letter.
pub(super) fn say_digits(digits: &str) -> String {
    let word = |(i, c): (usize, char)| match c.to_digit(10) {
        Some(0) if i > 0 => "oh",
        Some(d) => ONES[d as usize],
        None => "",
    };
    let words: Vec<&str> = digits
        .chars()
        .enumerate()
        .map(word)
        .filter(|w| !w.is_empty())
        .collect();
    words.join(" ")
}

/// "twenty-first"; 1 to 31, anything else as a quantity.
pub(super) fn say_ordinal(n: u32) -> String {
    match n {
        1..=19 => ORDINALS[n as usize].to_owned(),
        20 => "twentieth".to_owned(),
        21..=29 => format!("twenty-{}", ORDINALS[n as usize - 20]),
        30 => "thirtieth".to_owned(),
        31 => "thirty-first".to_owned(),
        _ => say(n),
    }
}
