//! English text as tokens.

use super::number::{ONES, say as say_number, say_digits, say_ordinal};
use crate::{Normalised, Token};

/// Contractions and what they stand for. Possessives are not among them.
const OPEN: [(&str, &str); 59] = [
    ("i'm", "i am"),
    ("i'd", "i would"),
    ("i'll", "i will"),
    ("i've", "i have"),
    ("we're", "we are"),
    ("we'd", "we would"),
    ("we'll", "we will"),
    ("we've", "we have"),
    ("you're", "you are"),
    ("you'd", "you would"),
    ("you'll", "you will"),
    ("you've", "you have"),
    ("it's", "it is"),
    ("it'd", "it would"),
    ("it'll", "it will"),
    ("that's", "that is"),
    ("that'd", "that would"),
    ("that'll", "that will"),
    ("there's", "there is"),
    ("here's", "here is"),
    ("he's", "he is"),
    ("she's", "she is"),
    ("they're", "they are"),
    ("they'd", "they would"),
    ("they'll", "they will"),
    ("they've", "they have"),
    ("what's", "what is"),
    ("what're", "what are"),
    ("when's", "when is"),
    ("where's", "where is"),
    ("who's", "who is"),
    ("how's", "how is"),
    ("how'd", "how would"),
    ("let's", "let us"),
    ("can't", "can not"),
    ("cannot", "can not"),
    ("couldn't", "could not"),
    ("don't", "do not"),
    ("doesn't", "does not"),
    ("didn't", "did not"),
    ("won't", "will not"),
    ("wouldn't", "would not"),
    ("isn't", "is not"),
    ("aren't", "are not"),
    ("wasn't", "was not"),
    ("weren't", "were not"),
    ("haven't", "have not"),
    ("hasn't", "has not"),
    ("shouldn't", "should not"),
    ("mustn't", "must not"),
    ("needn't", "need not"),
    ("gonna", "going to"),
    ("wanna", "want to"),
    ("gotta", "got to"),
    ("gimme", "give me"),
    ("lemme", "let me"),
    ("y'all", "you all"),
    ("ma'am", "madam"),
    ("time's", "time is"),
];

/// Sounds of thinking, cut everywhere.
const HESITATION: [&str; 10] = ["um", "uh", "er", "erm", "hmm", "hm", "mm", "ah", "uhm", "mhm"];

pub(super) fn open(word: &str) -> Option<&'static str> {
    OPEN.iter()
        .find(|(short, _)| *short == word)
        .map(|(_, long)| *long)
}

pub(super) fn normalise(text: &str) -> Normalised {
    let mut tokens: Vec<Token> = Vec::new();
    for (start, end, raw) in pieces(text) {
        let words = if raw.starts_with(|c: char| c.is_ascii_digit()) {
            number_words(&raw)
        } else {
            let bare = raw.trim_matches('\'');
            match open(bare) {
                Some(long) => long.split(' ').map(str::to_owned).collect(),
                None if HESITATION.contains(&bare) || bare.is_empty() => Vec::new(),
                None => vec![bare.to_owned()],
            }
        };
        for word in words {
            // Stammering: "the the". Digits and letters are said twice on purpose, and so is "no".
            let stammer = word.len() > 1
                && word != "no"
                && tokens.last().is_some_and(|t| t.word == word && t.end != end)
                && !is_number_word(&word);
            if !stammer {
                tokens.push(Token { word, start, end });
            }
        }
    }
    split_halves(&mut tokens);
    Normalised { tokens }
}

/// "pm" is always said letter by letter; "am" only after a number, else it is a verb.
fn split_halves(tokens: &mut Vec<Token>) {
    let mut i = 0;
    while i < tokens.len() {
        let letter = match tokens[i].word.as_str() {
            "pm" => "p",
            "am" if i > 0 && is_hour_end(&tokens[i - 1].word) => "a",
            _ => {
                i += 1;
                continue;
            }
        };
        let (start, end) = (tokens[i].start, tokens[i].end);
        tokens[i].word = letter.to_owned();
        tokens.insert(
            i + 1,
            Token {
                word: "m".to_owned(),
                start,
                end,
            },
        );
        i += 2;
    }
}

fn is_hour_end(word: &str) -> bool {
    is_number_word(word) || word == "o'clock"
}

fn is_number_word(word: &str) -> bool {
    ONES.contains(&word) || matches!(word, "oh" | "double" | "triple") || word.ends_with("ty")
}

/// Runs of letters and apostrophes, and runs that begin with a digit. Everything else separates.
fn pieces(text: &str) -> Vec<(usize, usize, String)> {
    let mut out: Vec<(usize, usize, String)> = Vec::new();
    let mut current: Option<(usize, usize, String)> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let end = i + c.len_utf8();
        let next_digit = chars.peek().is_some_and(|(_, n)| n.is_ascii_digit());
        let in_number = current
            .as_ref()
            .is_some_and(|(_, _, s)| s.starts_with(|c: char| c.is_ascii_digit()));
        let joins = match c {
            '\'' | '’' => !in_number,
            ':' | '.' => in_number && next_digit,
            c if c.is_ascii_digit() => in_number || current.is_none(),
            c => c.is_alphabetic() && (!in_number || c.is_ascii_alphabetic()),
        };
        if joins {
            let (_, e, s) = current.get_or_insert((i, end, String::new()));
            *e = end;
            match c {
                '’' => s.push('\''),
                c => s.extend(c.to_lowercase().map(fold_accent)),
            }
        } else {
            out.extend(current.take());
            if c.is_ascii_digit() {
                current = Some((i, end, c.to_string()));
            }
        }
    }
    out.extend(current);
    out
}

fn fold_accent(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        c => c,
    }
}

/// `1:30pm`, `204`, `21st`, `16` in words. Up to two digits are a quantity, more are read digit by digit.
fn number_words(raw: &str) -> Vec<String> {
    let split = raw.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(raw.len());
    let (figures, suffix) = raw.split_at(split);
    let spoken = |s: String| s.replace('-', " ");
    let mut words = match figures.split_once([':', '.']) {
        Some((h, m)) if h.len() <= 2 && m.len() == 2 => clock_words(h, m),
        Some(_) => say_digits(figures),
        None if matches!(suffix, "st" | "nd" | "rd" | "th") => figures
            .parse()
            .map_or_else(|_| say_digits(figures), |n| spoken(say_ordinal(n))),
        None if figures.len() <= 2 && !figures.starts_with('0') => figures
            .parse()
            .map_or_else(|_| say_digits(figures), |n| spoken(say_number(n))),
        None => say_digits(figures),
    };
    match suffix {
        "" | "st" | "nd" | "rd" | "th" => {}
        "am" => words.push_str(" a m"),
        "pm" => words.push_str(" p m"),
        other => {
            words.push(' ');
            words.push_str(other);
        }
    }
    words.split_whitespace().map(str::to_owned).collect()
}

fn clock_words(h: &str, m: &str) -> String {
    let n = |s: &str| s.parse::<u32>().unwrap_or(0);
    let spoken = |n: u32| say_number(n).replace('-', " ");
    match (n(h), n(m)) {
        (0, 0) => "midnight".to_owned(),
        (h @ 1..=12, 0) => spoken(h),
        (h, 0) => format!("{} hundred", spoken(h)),
        (0, m) => format!("oh zero {}", minute_words(m)),
        (h, m) => format!("{} {}", spoken(h), minute_words(m)),
    }
}

fn minute_words(m: u32) -> String {
    if m < 10 {
        format!("oh {}", say_number(m))
    } else {
        say_number(m).replace('-', " ")
    }
}
