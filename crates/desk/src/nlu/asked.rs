//! The answer to the open question.

use super::{Command, SlotValue, values::Picked, weights::Weights};

/// Score of an answer that holds nothing foreign, and what each foreign content word costs.
const FULL: f32 = 0.95;
const FOREIGN: f32 = 0.16;

/// Commands for values picked in a sentence and how surely they answer what was asked; `None` if there are no values.
pub(crate) fn answer(
    picked: &Picked,
    words: &[&str],
    known: &dyn Fn(&str) -> bool,
    weights: &Weights,
) -> Option<(f32, Vec<Command>)> {
    if picked.set.is_empty() && picked.negated.is_empty() {
        return None;
    }
    let foreign = |(i, w): &(usize, &&str)| !picked.taken[*i] && weights.is_content(w) && !known(w);
    let foreign = words.iter().enumerate().filter(foreign).count();
    let worst = picked.set.iter().map(|v: &SlotValue| v.score).fold(1.0, f32::min);
    let halved = if worst < 1.0 { 0.05 } else { 0.0 };
    let negated = picked.negated.iter().cloned().map(Command::Negate);
    let commands = negated
        .chain(picked.set.iter().cloned().map(Command::Set))
        .collect();
    Some((FULL - halved - FOREIGN * foreign as f32, commands))
}
