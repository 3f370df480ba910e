//! The phrase language of desk files (dialogue engine, section 4.1).

use std::sync::Arc;

use thiserror::Error;

use crate::Expr;

/// A phrase that can't be read. Positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PhraseError {
    /// A bracket without its partner.
    #[error("`{found}` at character {at} has no partner")]
    Unbalanced {
        /// The bracket.
        found: char,
        /// Where.
        at: usize,
    },
    /// A name in `{}` or `<>` that is empty or holds something else than lower-case letters, digits and `_`.
    #[error("`{name}` at character {at} is no name: use lower-case letters, digits and _")]
    BadName {
        /// What stands there.
        name: String,
        /// Where.
        at: usize,
    },
    /// A character that can't be spoken.
    #[error(
        "`{found}` at character {at} can't be spoken: use lower-case letters and apostrophes, numbers as words"
    )]
    BadCharacter {
        /// The character.
        found: char,
        /// Where.
        at: usize,
    },
    /// Nothing between two bars or brackets, or an empty phrase.
    #[error("nothing to say at character {at}")]
    Empty {
        /// Where.
        at: usize,
    },
    /// Brackets nested deeper than 16.
    #[error("brackets are nested deeper than sixteen at character {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
}

/// Reads a phrase: `[x]` optional, `(x|y)` alternatives, `{slot}` a value, `<rule>` a shared part, `*` up to three words.
/// The rule of a slot is set to the slot's own name; whoever knows the slot's type replaces it.
pub fn parse_phrase(text: &str) -> Result<Expr, PhraseError> {
    let chars: Vec<char> = text.chars().collect();
    let mut p = Parser {
        chars: &chars,
        at: 0,
        depth: 0,
    };
    let e = p.alternatives()?;
    match p.peek() {
        Some(found) => Err(PhraseError::Unbalanced { found, at: p.at + 1 }),
        None => Ok(e),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn alternatives(&mut self) -> Result<Expr, PhraseError> {
        self.depth += 1;
        if self.depth > 16 {
            return Err(PhraseError::TooDeep { at: self.at + 1 });
        }
        let mut all = vec![self.sequence()?];
        while self.peek() == Some('|') {
            self.at += 1;
            all.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Expr::Alt(all)
        })
    }

    fn sequence(&mut self) -> Result<Expr, PhraseError> {
        let start = self.at;
        let mut all = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '|' | ')' | ']' => break,
                c if c.is_whitespace() => self.at += 1,
                '(' => all.push(self.bracket(')')?),
                '[' => all.push(self.bracket(']')?.opt()),
                '{' => {
                    let name = self.name('}')?;
                    all.push(Expr::Slot(name.clone(), name));
                }
                '<' => all.push(Expr::Rule(self.name('>')?)),
                '*' => {
                    self.at += 1;
                    all.push(Expr::Gap(3));
                }
                c if c.is_lowercase() => all.push(self.word()),
                found @ ('}' | '>') => {
                    return Err(PhraseError::Unbalanced {
                        found,
                        at: self.at + 1,
                    });
                }
                found => {
                    return Err(PhraseError::BadCharacter {
                        found,
                        at: self.at + 1,
                    });
                }
            }
        }
        match all.len() {
            0 => Err(PhraseError::Empty { at: start + 1 }),
            1 => Ok(all.remove(0)),
            _ => Ok(Expr::Seq(all)),
        }
    }

    fn bracket(&mut self, close: char) -> Result<Expr, PhraseError> {
        let (found, at) = (self.chars[self.at], self.at + 1);
        self.at += 1;
        let e = self.alternatives()?;
        if self.peek() != Some(close) {
            return Err(PhraseError::Unbalanced { found, at });
        }
        self.at += 1;
        Ok(e)
    }

    fn name(&mut self, close: char) -> Result<Arc<str>, PhraseError> {
        let (found, at) = (self.chars[self.at], self.at + 1);
        let rest = &self.chars[self.at + 1..];
        let end = rest
            .iter()
            .position(|c| *c == close)
            .ok_or(PhraseError::Unbalanced { found, at })?;
        let name: String = rest[..end].iter().collect();
        self.at += end + 2;
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(fine) {
            return Err(PhraseError::BadName { name, at });
        }
        Ok(name.into())
    }

    fn word(&mut self) -> Expr {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_lowercase() || c == '\'') {
            self.at += 1;
        }
        Expr::Word(self.chars[start..self.at].iter().collect::<String>().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rules, accepts};

    #[test]
    fn the_phrase_language_reads_the_worked_example() {
        let e = parse_phrase("[please] (wake me [up]|give me a wake up call) [at] {time}").unwrap();
        let mut rules = Rules::new();
        rules.insert("time".into(), Expr::words("half past six"));
        let yes = |s: &str| accepts(&e, &rules, &s.split(' ').collect::<Vec<_>>());
        assert!(yes("please wake me up at half past six"));
        assert!(yes("give me a wake up call half past six"));
        assert!(!yes("wake please me half past six"));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let cases = [
            ("(a|b", PhraseError::Unbalanced { found: '(', at: 1 }),
            ("a]", PhraseError::Unbalanced { found: ']', at: 2 }),
            (
                "{Time}",
                PhraseError::BadName {
                    name: "Time".into(),
                    at: 1,
                },
            ),
            ("at 7", PhraseError::BadCharacter { found: '7', at: 4 }),
            ("(a|)", PhraseError::Empty { at: 4 }),
            ("", PhraseError::Empty { at: 1 }),
        ];
        for (text, error) in cases {
            assert_eq!(parse_phrase(text), Err(error), "{text}");
        }
        assert!(matches!(
            parse_phrase(&"(".repeat(99)),
            Err(PhraseError::TooDeep { .. })
        ));
    }
}
