//! Sentences, one by one.

/// The sentences of a text, each speakable on its own.
pub fn clauses(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (i, b) in bytes.iter().enumerate() {
        let ends = matches!(b, b'.' | b'!' | b'?') && bytes.get(i + 1).is_none_or(u8::is_ascii_whitespace);
        if ends {
            out.push(text[start..=i].trim().to_owned());
            start = i + 1;
        }
    }
    out.push(text[start..].trim().to_owned());
    out.retain(|s| !s.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_part_at_their_marks() {
        assert_eq!(
            clauses("It's set. Anything else?"),
            ["It's set.", "Anything else?"]
        );
        assert_eq!(clauses("no mark"), ["no mark"]);
        assert!(clauses(" ").is_empty());
    }
}
