//! Whatever is said reads back to the same value (dialogue engine, section 3.3), and what a recogniser is offered is
//! understood.

use jiff::{ToSpan, civil::date};
use proptest::prelude::*;

use super::English;
use crate::{Expr, Kind, Language, Money, Open, Reading, Value, jsgf};

fn whole(kind: Kind, text: &str) -> Vec<Reading<Value>> {
    let n = English.normalise(text);
    let words = n.words();
    let all = English.read(kind, &words, date(2028, 1, 1));
    all.into_iter().filter(|r| r.span == (0..words.len())).collect()
}

fn reads_back(kind: Kind, value: &Value) {
    let said = English.say(value);
    assert!(!said.contains(|c: char| c.is_ascii_digit()), "{said} (RC-041)");
    let values: Vec<Value> = whole(kind, &said).into_iter().map(|r| r.value).collect();
    assert!(
        values.contains(value),
        "{value:?} is said \"{said}\", read {values:?}"
    );
}

#[test]
fn every_number_reads_back() {
    for n in 0..=9999 {
        let said = English.say(&Value::Number(n));
        let values: Vec<Value> = whole(Kind::Count, &said).into_iter().map(|r| r.value).collect();
        assert_eq!(values, [Value::Number(n)], "{said}");
        reads_back(Kind::Number, &Value::Number(n));
        reads_back(Kind::RoomNumber, &Value::Digits(n.to_string()));
        reads_back(Kind::RoomNumber, &Value::Digits(format!("{n:04}")));
    }
}

#[test]
fn every_day_of_a_leap_year_reads_back() {
    let mut day = date(2028, 1, 1);
    while day < date(2029, 1, 1) {
        let values: Vec<Value> = whole(Kind::Date, &English.say(&Value::Date(day)))
            .into_iter()
            .map(|r| r.value)
            .collect();
        assert_eq!(values, [Value::Date(day)]);
        let short = English.say_short(&Value::Date(day));
        assert_eq!(whole(Kind::Date, &short)[0].value, Value::Date(day), "{short}");
        day += 1.day();
    }
}

#[test]
fn every_minute_of_the_day_reads_back() {
    for minute in 0..24 * 60 {
        let t = jiff::civil::time((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let values: Vec<Value> = whole(Kind::Time, &English.say(&Value::Time(t)))
            .into_iter()
            .map(|r| r.value)
            .collect();
        assert_eq!(values, [Value::Time(t)], "{}", English.say(&Value::Time(t)));
        let short = whole(Kind::Time, &English.say_short(&Value::Time(t)));
        assert!(short.iter().any(|r| r.value == Value::Time(t)), "{short:?}");
    }
}

#[test]
fn amounts_read_back() {
    for minor in (0..=999_999).step_by(1_237).chain(0..400) {
        for currency in ["EUR", "GBP", "USD", "CHF"] {
            // Below one unit only the small coin is said, and coins alone name no currency.
            if minor >= 100 {
                reads_back(
                    Kind::Money,
                    &Value::Money(Money {
                        minor,
                        currency: currency.into(),
                    }),
                );
            }
        }
    }
    let said = English.say(&Value::Money(Money {
        minor: 12_950,
        currency: "EUR".into(),
    }));
    assert_eq!(said, "one hundred and twenty-nine euros fifty");
}

#[test]
fn spoken_forms_of_numbers() {
    let cases = [
        (Kind::RoomNumber, "two oh four", "204"),
        (Kind::RoomNumber, "two hundred four", "204"),
        (Kind::RoomNumber, "two hundred and four", "204"),
        (Kind::RoomNumber, "four twelve", "412"),
        (Kind::RoomNumber, "two twenty four", "224"),
        (Kind::RoomNumber, "twelve oh four", "1204"),
        (Kind::RoomNumber, "double two four", "224"),
        (Kind::RoomNumber, "room 204", "204"),
        (Kind::RoomNumber, "zero seven", "07"),
        (Kind::Digits, "oh four triple four one two", "0444412"),
        (Kind::Count, "a hundred and one", "101"),
        (Kind::Count, "twelve hundred", "1200"),
        (Kind::Ordinal, "the 21st", "21"),
        (Kind::Letters, "b as in bravo e double l", "bell"),
        (Kind::Letters, "november oh x ray", "nox"),
    ];
    for (kind, text, value) in cases {
        let n = English.normalise(text);
        let readings = English.read(kind, &n.words(), date(2028, 1, 1));
        assert_eq!(
            readings.first().map(|r| r.value.plain()).as_deref(),
            Some(value),
            "{text}"
        );
    }
}

#[test]
fn a_time_without_its_half_is_two_readings_and_says_so() {
    let times = |text: &str| -> Vec<(String, bool)> {
        whole(Kind::Time, text)
            .into_iter()
            .map(|r| (r.value.plain(), r.open.contains(&Open::Half)))
            .collect()
    };
    let two = |a: &str, b: &str| vec![(a.to_owned(), true), (b.to_owned(), true)];
    let one = |a: &str| vec![(a.to_owned(), false)];
    assert_eq!(times("half past six"), two("06:30", "18:30"));
    assert_eq!(times("half seven"), two("07:30", "19:30"));
    assert_eq!(times("one o'clock"), two("01:00", "13:00"));
    assert_eq!(times("quarter to eleven"), two("10:45", "22:45"));
    assert_eq!(times("quarter to one"), two("00:45", "12:45"));
    assert_eq!(times("twelve"), two("00:00", "12:00"));
    assert_eq!(times("one p m"), one("13:00"));
    assert_eq!(times("1pm"), one("13:00"));
    assert_eq!(times("1:30 PM"), one("13:30"));
    assert_eq!(times("13:00"), one("13:00"));
    assert_eq!(times("thirteen thirty"), one("13:30"));
    assert_eq!(times("two in the afternoon"), one("14:00"));
    assert_eq!(times("noon"), one("12:00"));
    assert_eq!(times("midnight"), one("00:00"));
    assert_eq!(times("ten past nine in the morning"), one("09:10"));
}

#[test]
fn dates_follow_the_reading_rules() {
    // The tenth of March 2027 is a Wednesday.
    let today = date(2027, 3, 10);
    let cases = [
        ("today", "2027-03-10"),
        ("tomorrow", "2027-03-11"),
        ("the day after tomorrow", "2027-03-12"),
        ("friday", "2027-03-12"),
        ("wednesday", "2027-03-17"),
        ("this friday", "2027-03-12"),
        ("next friday", "2027-03-19"),
        ("friday week", "2027-03-19"),
        ("a week on friday", "2027-03-19"),
        ("the fourteenth", "2027-03-14"),
        ("the first", "2027-04-01"),
        ("the second of march", "2028-03-02"),
        ("march 12th", "2027-03-12"),
        ("in three days", "2027-03-13"),
        ("in two weeks", "2027-03-24"),
        ("monday the fifteenth of march", "2027-03-15"),
    ];
    for (text, value) in cases {
        let n = English.normalise(text);
        let readings = English.read(Kind::Date, &n.words(), today);
        assert_eq!(
            readings.first().map(|r| r.value.plain()).as_deref(),
            Some(value),
            "{text}"
        );
    }
}

#[test]
fn normalising_opens_cuts_and_words() {
    let cases = [
        ("What's the WiFi password?", "what is the wifi password"),
        ("Um, can't we… the the pool", "can not we the pool"),
        ("I am in room 204", "i am in room two oh four"),
        ("at 11am", "at eleven a m"),
        ("eleven am", "eleven a m"),
        ("one o’clock", "one o'clock"),
        ("<b>hello</b> 🙂", "b hello b"),
        ("twenty-one", "twenty one"),
        ("Café", "cafe"),
    ];
    for (text, words) in cases {
        assert_eq!(English.normalise(text).text(), words, "{text}");
    }
}

#[test]
fn a_reading_inside_another_scores_half() {
    let words = ["two", "oh", "four"];
    let all = English.read(Kind::RoomNumber, &words, date(2028, 1, 1));
    assert_eq!((all[0].span.clone(), all[0].score), (0..3, 1.0));
    assert!(all[1..].iter().all(|r| r.score == 0.5));
}

#[test]
fn every_kind_has_a_rule_and_a_grammar() {
    for kind in Kind::ALL {
        let text = jsgf::grammar("test", &Expr::rule(kind.name()), English.rules());
        assert!(
            text.starts_with("#JSGF V1.0;\ngrammar test;\npublic <test> ="),
            "{text}"
        );
        assert!(
            !text.contains("<VOID>") && !text.contains("()") && !text.contains("[]"),
            "{kind:?} {text}"
        );
    }
}

proptest! {
    #[test]
    fn what_the_recogniser_can_hear_is_understood(seed in any::<u64>(), which in 0..Kind::ALL.len()) {
        let kind = Kind::ALL[which];
        let mut state = seed | 1;
        let mut choose = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let words = jsgf::sentence(&Expr::rule(kind.name()), English.rules(), &mut choose);
        let text = words.iter().map(|w| &**w).collect::<Vec<_>>().join(" ");
        // "double" may make more digits than fit; that is no value, and nothing else is.
        let limited = matches!(kind, Kind::Digits | Kind::RoomNumber | Kind::Number);
        let too_many = limited && (text.contains("double") || text.contains("triple"));
        prop_assert!(too_many || !whole(kind, &text).is_empty(), "{kind:?}: {text}");
    }

    #[test]
    fn room_numbers_of_one_length_are_understood(seed in any::<u64>(), length in 1..=4usize) {
        let mut state = seed | 1;
        let mut choose = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let rule = Expr::rule(&format!("room_number_{length}"));
        let words = jsgf::sentence(&rule, English.rules(), &mut choose);
        let text = words.iter().map(|w| &**w).collect::<Vec<_>>().join(" ");
        let lengths: Vec<usize> = whole(Kind::RoomNumber, &text).iter().map(|r| r.value.plain().len()).collect();
        prop_assert!(lengths.contains(&length), "{text}: {lengths:?}");
    }

    #[test]
    fn no_text_breaks_the_normaliser(text in "\\PC{0,200}") {
        for t in English.normalise(&text).tokens {
            prop_assert!(text.is_char_boundary(t.start) && text.is_char_boundary(t.end) && t.start < t.end);
        }
    }
}
