//! A text in sentences that can be spoken one after the other.

/// Splits after `.`, `!`, `?` or `;` before white space or the end, however short the sentence: a desk says the same
/// ones again and again, so that each is found among the kept phrases. Nothing is lost but the white space between
/// them.
pub fn sentences(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut marks = text.char_indices().peekable();
    while let Some((at, c)) = marks.next() {
        let space = marks.peek().is_none_or(|(_, next)| next.is_whitespace());
        if matches!(c, '.' | '!' | '?' | ';') && space {
            let end = at + c.len_utf8();
            pieces.push(text[start..end].trim().to_owned());
            start = end;
        }
    }
    pieces.push(text[start..].trim().to_owned());
    pieces.retain(|p| !p.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[test]
    fn sentences_are_pieces_and_points_in_numbers_are_not_vp_113() {
        assert_eq!(
            sentences("Of course. Breakfast is from seven to half past ten.  Anything else?"),
            ["Of course.", "Breakfast is from seven to half past ten.", "Anything else?"]
        );
        assert_eq!(sentences("It costs 12.50 euros, no more"), ["It costs 12.50 euros, no more"]);
        assert!(sentences("  \n ").is_empty());
    }
}
