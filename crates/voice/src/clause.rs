//! An answer in pieces that can be spoken one after the other.

/// Shortest piece, in characters: shorter ones are joined to the next, because each costs a breath (VP-113).
const SHORTEST: usize = 20;

/// Splits at the ends of sentences: `.`, `!`, `?` or `;` followed by white space. Nothing is lost but the white space
/// between the pieces.
pub fn clauses(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut marks = text.char_indices().peekable();
    while let Some((at, c)) = marks.next() {
        let ends = matches!(c, '.' | '!' | '?' | ';');
        let space = marks.peek().is_some_and(|(_, next)| next.is_whitespace());
        let end = at + c.len_utf8();
        if ends && space && text[start..end].trim().chars().count() >= SHORTEST {
            pieces.push(text[start..end].trim().to_owned());
            start = end;
        }
    }
    let rest = text[start..].trim();
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::clauses;

    #[test]
    fn sentences_are_pieces_and_short_ones_are_joined_vp_113() {
        assert_eq!(
            clauses("Of course. Breakfast is from seven to half past ten. Anything else?"),
            [
                "Of course. Breakfast is from seven to half past ten.",
                "Anything else?"
            ]
        );
        assert_eq!(
            clauses("It costs 12.50 euros a night, all taxes included"),
            ["It costs 12.50 euros a night, all taxes included"]
        );
        assert!(clauses("  \n ").is_empty());
    }
}
