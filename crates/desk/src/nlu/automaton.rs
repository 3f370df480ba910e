//! A phrase as an automaton over tokens, walked with insertions, deletions and near words at a cost.

use std::{ops::Range, sync::Arc};

use roomtone_lang::Expr;

use super::weights::{LIGHT, Weights};

/// Costs, in units of a content word.
const NEAR: f32 = 0.3;
const CONFUSED: f32 = 0.2;
const MISSING: f32 = 1.2;
const GAP: f32 = 0.02;
const NEVER: f32 = f32::INFINITY;

#[derive(Clone, Debug)]
enum Edge {
    Free,
    Word(Arc<str>),
    Slot(Arc<str>),
    Gap,
}

/// A compiled phrase.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    edges: Vec<Vec<(Edge, usize)>>,
    last: usize,
}

/// Where a slot's value may stand: slot, tokens, index of the reading.
pub(crate) type SlotSpan = (String, Range<usize>, usize);

/// How well a phrase fits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fit {
    /// 0 to 1.
    pub(crate) score: f32,
    /// Slots that were filled: slot, tokens, index of the reading.
    pub(crate) slots: Vec<SlotSpan>,
    /// Tokens that the phrase accounts for.
    pub(crate) covered: Vec<bool>,
}

#[derive(Clone, Copy)]
struct Cell {
    cost: f32,
    gain: f32,
    from: Option<(usize, usize)>,
    slot: Option<usize>,
    matched: bool,
}

impl Automaton {
    pub(crate) fn new(expr: &Expr) -> Automaton {
        let mut a = Automaton {
            edges: vec![Vec::new()],
            last: 0,
        };
        a.last = a.add(expr, 0);
        a
    }

    fn state(&mut self) -> usize {
        self.edges.push(Vec::new());
        self.edges.len() - 1
    }

    fn edge(&mut self, from: usize, edge: Edge) -> usize {
        let to = self.state();
        self.edges[from].push((edge, to));
        to
    }

    /// Adds `expr` behind state `from`; gives the state behind it. Edges only lead forward, so that one pass in order
    /// of states is enough.
    fn add(&mut self, expr: &Expr, from: usize) -> usize {
        match expr {
            Expr::Word(w) => self.edge(from, Edge::Word(w.clone())),
            Expr::Slot(name, _) => self.edge(from, Edge::Slot(name.clone())),
            Expr::Seq(all) => all.iter().fold(from, |at, e| self.add(e, at)),
            Expr::Alt(all) => {
                let ends: Vec<usize> = all
                    .iter()
                    .map(|e| {
                        let start = self.edge(from, Edge::Free);
                        self.add(e, start)
                    })
                    .collect();
                self.join(&ends)
            }
            Expr::Opt(e) => {
                let end = self.add(e, from);
                self.join(&[from, end])
            }
            Expr::Many(e, min, max) => {
                let mut at = from;
                let mut ends = if *min == 0 { vec![from] } else { Vec::new() };
                for i in 1..=*max {
                    at = self.add(e, at);
                    if i >= *min {
                        ends.push(at);
                    }
                }
                self.join(&ends)
            }
            Expr::Gap(n) => {
                let mut ends = vec![from];
                let mut at = from;
                for _ in 0..*n {
                    at = self.edge(at, Edge::Gap);
                    ends.push(at);
                }
                self.join(&ends)
            }
            Expr::Mark(_, e) | Expr::Quiet(e) => self.add(e, from),
            Expr::Rule(_) => self.edge(from, Edge::Word("\u{0}".into())),
        }
    }

    fn join(&mut self, ends: &[usize]) -> usize {
        let to = self.state();
        for end in ends {
            self.edges[*end].push((Edge::Free, to));
        }
        to
    }

    /// The best way through `words`; `None` if a slot of the phrase could not be filled in any.
    pub(crate) fn fit(
        &self,
        words: &[&str],
        spans: &[SlotSpan],
        weights: &Weights,
        confused: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Fit> {
        let states = self.edges.len();
        let none = Cell {
            cost: NEVER,
            gain: 0.0,
            from: None,
            slot: None,
            matched: false,
        };
        let mut grid = vec![none; states * (words.len() + 1)];
        let index = |at: usize, state: usize| at * states + state;
        grid[0].cost = 0.0;
        for at in 0..=words.len() {
            let word = words.get(at).copied();
            for state in 0..states {
                let here = grid[index(at, state)];
                if here.cost == NEVER {
                    continue;
                }
                let mut reach =
                    |to: usize, end: usize, cost: f32, gain: f32, slot: Option<usize>, matched: bool| {
                        let cell = &mut grid[index(end, to)];
                        let better = here.cost + cost < cell.cost - 1e-6;
                        if better {
                            *cell = Cell {
                                cost: here.cost + cost,
                                gain: here.gain + gain,
                                from: Some((at, state)),
                                slot,
                                matched,
                            };
                        }
                    };
                if let Some(word) = word {
                    reach(state, at + 1, weights.of(word), 0.0, None, false);
                }
                for (edge, to) in &self.edges[state] {
                    match edge {
                        Edge::Free => reach(*to, at, 0.0, 0.0, None, false),
                        Edge::Gap => {
                            if word.is_some() {
                                reach(*to, at + 1, GAP, 0.0, None, true);
                            }
                        }
                        Edge::Word(w) => {
                            let weight = weights.of(w).max(LIGHT / 2.0);
                            reach(*to, at, weight * MISSING, 0.0, None, false);
                            if let Some(word) = word {
                                if word == &**w {
                                    reach(*to, at + 1, 0.0, weight, None, true);
                                } else if confused(word).is_some_and(|c| c == **w) {
                                    reach(*to, at + 1, weight * CONFUSED, weight, None, true);
                                } else if near(word, w) {
                                    reach(*to, at + 1, weight * NEAR, weight, None, true);
                                }
                            }
                        }
                        Edge::Slot(name) => {
                            for (i, (slot, span, _)) in spans.iter().enumerate() {
                                if span.start == at && slot == &**name {
                                    // Longer readings win by what they leave over.
                                    reach(*to, span.end, 0.0, span.len() as f32 * 0.5, Some(i), true);
                                }
                            }
                        }
                    }
                }
            }
        }
        self.trace(&grid, words.len(), spans)
    }

    fn trace(&self, grid: &[Cell], len: usize, spans: &[SlotSpan]) -> Option<Fit> {
        let states = self.edges.len();
        let end = grid[len * states + self.last];
        if end.cost == NEVER || end.gain <= 0.0 {
            return None;
        }
        let mut covered = vec![false; len];
        let mut slots = Vec::new();
        let (mut at, mut cell) = (len, end);
        while let Some((from, state)) = cell.from {
            if cell.matched {
                covered[from..at].fill(true);
            }
            slots.extend(cell.slot.map(|i| spans[i].clone()));
            (at, cell) = (from, grid[from * states + state]);
        }
        slots.reverse();
        Some(Fit {
            score: end.gain / (end.gain + end.cost),
            slots,
            covered,
        })
    }
}

/// One letter wrong in a word of four or five, two in a longer one; the first letter must be right, as listeners and
/// recognisers rarely miss it.
pub(super) fn near(a: &str, b: &str) -> bool {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    if short < 4 || long - short > 2 || a.as_bytes().first() != b.as_bytes().first() {
        return false;
    }
    strsim::osa_distance(a, b) <= if short > 6 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use roomtone_lang::parse_phrase;

    use super::*;
    use crate::pack::Lexicon;

    fn score(phrase: &str, text: &str) -> f32 {
        let lexicon = Lexicon {
            fillers: vec!["please".into()],
            light: "what is the a could i have for"
                .split(' ')
                .map(str::to_owned)
                .collect(),
            ..Lexicon::default()
        };
        let words: Vec<&str> = text.split(' ').collect();
        let a = Automaton::new(&parse_phrase(phrase).unwrap());
        let fit = a.fit(
            &words,
            &[("time".into(), 5..6, 0)],
            &Weights::new(&lexicon),
            &|_| None,
        );
        fit.map_or(0.0, |f| f.score)
    }

    #[test]
    fn a_template_forgives_small_words_and_not_large_ones() {
        assert_eq!(score("what time is breakfast", "what time is breakfast"), 1.0);
        assert!(score("what time is breakfast", "what time is the breakfast please") > 0.85);
        assert!(score("what time is breakfast", "what time is breakfest") > 0.8);
        assert!(score("what time is breakfast", "what time is the lunch") < 0.6);
        assert!(
            score(
                "could i have * late check out",
                "could i have a very late check out"
            ) > 0.9
        );
    }

    #[test]
    fn a_slot_takes_a_reading_and_nothing_else() {
        let lexicon = Lexicon::default();
        let a = Automaton::new(&parse_phrase("until {time}").unwrap());
        let spans = [("time".to_owned(), 1..2, 7)];
        let fit = a
            .fit(&["until", "one"], &spans, &Weights::new(&lexicon), &|_| None)
            .unwrap();
        assert_eq!(fit.slots, spans);
        assert!(
            a.fit(&["until", "one"], &[], &Weights::new(&lexicon), &|_| None)
                .is_none()
        );
    }
}
