//! Keeping personal data out of logs.

use std::borrow::Cow;

/// Makes a text safe to log. The full one, which knows personal data, lives in `guard`.
pub trait Redactor: Send + Sync + 'static {
    /// The text without what must not be seen; unchanged texts are borrowed.
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str>;
}

/// Masks every run of four digits or more, which covers phone, card, booking and room-key numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaskDigits;

impl Redactor for MaskDigits {
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const SHORTEST: usize = 4;
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-');
        let mut out = String::new();
        let mut rest = text;
        let mut changed = false;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let tail = &rest[start..];
            let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
            let run = tail[..end].trim_end_matches(|c: char| !c.is_ascii_digit());
            out.push_str(&rest[..start]);
            if run.bytes().filter(u8::is_ascii_digit).count() >= SHORTEST {
                out.push_str("[digits]");
                changed = true;
            } else {
                out.push_str(run);
            }
            rest = &tail[run.len()..];
        }
        if !changed {
            return Cow::Borrowed(text);
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_numbers_vanish_short_ones_stay() {
        let cases = [
            ("room 204 please", "room 204 please"),
            ("card 4111 1111 1111 1111, thanks", "card [digits], thanks"),
            ("call +39-041-555-0101.", "call +[digits]."),
            ("", ""),
        ];
        for (text, want) in cases {
            assert_eq!(MaskDigits.redact(text), want);
        }
    }

    proptest! {
        #[test]
        fn no_run_of_four_digits_survives(text in "[0-9a-zé -]{0,40}") {
            let safe = MaskDigits.redact(&text).into_owned();
            let longest = safe.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            prop_assert!(longest < 4, "{text} -> {safe}");
        }
    }
}
