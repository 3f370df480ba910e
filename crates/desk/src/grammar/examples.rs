//! Sentences that a grammar accepts, spread over all its parts.

use roomtone_lang::{Expr, Rules, jsgf};

/// About as many examples are made for each grammar.
const WANTED: usize = 30;

/// Sentences that `parts` accept, in turn, every part at least once while there is room. The same grammar gives the
/// same sentences.
pub(crate) fn examples(parts: &[Expr], rules: &Rules) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    if parts.is_empty() {
        return out;
    }
    // Steps of a fixed generator, not chance: calibration has to be repeatable.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut choose = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n.max(1)
    };
    // With more parts than room, an even stride over them still reaches every region.
    let stride = parts.len().div_ceil(WANTED).max(1);
    for i in 0..WANTED * 4 {
        if out.len() >= WANTED {
            break;
        }
        let part = &parts[(i * stride + i * stride / parts.len()) % parts.len()];
        let words: Vec<_> = jsgf::sentence(part, rules, &mut choose);
        let text = words.iter().map(|w| &**w).collect::<Vec<_>>().join(" ");
        if !text.is_empty() && words.len() <= 14 && !out.contains(&text) {
            out.push(text);
        }
    }
    out
}
