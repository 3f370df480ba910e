//! Letters, one by one.

use crate::{Expr, Mark, Rules, Tag, Value};

/// The spelling alphabet of aviation (ICAO Annex 10), with everyday spelling.
const NATO: [&str; 26] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo",
    "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
    "whiskey", "x-ray", "yankee", "zulu",
];

/// Everyday words that people spell with.
const EVERYDAY: [&str; 26] = [
    "apple",
    "boy",
    "cat",
    "dog",
    "easy",
    "freddie",
    "george",
    "harry",
    "ice",
    "jack",
    "king",
    "london",
    "mother",
    "nancy",
    "orange",
    "peter",
    "queen",
    "robert",
    "sugar",
    "tommy",
    "uncle",
    "victory",
    "william",
    "xylophone",
    "yellow",
    "zebra",
];

pub(super) fn rules(rules: &mut Rules) {
    let w = Expr::words;
    let r = Expr::rule;
    let mut add = |name: &str, e: Expr| rules.insert(name.into(), e);
    let mut letters = Vec::new();
    for i in 0..26u8 {
        let letter = char::from(b'a' + i).to_string();
        let nato = w(&NATO[i as usize].replace("x-ray", "x ray"));
        let by_word = Expr::Alt(vec![nato.clone(), w(EVERYDAY[i as usize]).quiet()]);
        let like = Expr::Seq(vec![Expr::any("as in|for"), by_word]);
        let name = match letter.as_str() {
            "z" => Expr::Alt(vec![w("z"), w("zed")]),
            "o" => Expr::Alt(vec![w("o"), w("oh").quiet()]),
            _ => w(&letter),
        };
        let spoken = Expr::Alt(vec![Expr::Seq(vec![name, like.opt()]), nato]);
        letters.push(spoken.mark(Tag::Letter, u32::from(b'a' + i)));
    }
    add("letter", Expr::Alt(letters));
    let double = w("double").mark(Tag::Times, 2);
    add("letter_item", Expr::Seq(vec![double.opt(), r("letter")]));
    add("letters", Expr::Many(Box::new(r("letter_item")), 1, 24));
}

pub(super) fn fold(marks: &[Mark]) -> Option<Value> {
    let mut out = String::new();
    let mut times = 1;
    for Mark(tag, n) in marks {
        match tag {
            Tag::Times => times = *n,
            Tag::Letter => {
                out.extend(std::iter::repeat_n(char::from_u32(*n)?, times as usize));
                times = 1;
            }
            _ => {}
        }
    }
    (!out.is_empty()).then_some(Value::Letters(out))
}

/// "l as in lima, e as in echo": the alphabet word beside every letter, which 8 kHz needs.
pub(super) fn say(letters: &str) -> String {
    let word = |c: char| {
        let i = (c.to_ascii_lowercase() as u32).checked_sub('a' as u32)? as usize;
        Some(format!("{} as in {}", c.to_ascii_lowercase(), NATO.get(i)?))
    };
    letters.chars().filter_map(word).collect::<Vec<_>>().join(", ")
}
