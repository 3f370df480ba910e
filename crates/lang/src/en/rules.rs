//! All English rules in one set.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, LazyLock},
};

use super::{date, letters, money, number, time};
use crate::{Expr, Kind, Rules};

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::new();
    number::rules(&mut rules);
    time::rules(&mut rules);
    date::rules(&mut rules);
    letters::rules(&mut rules);
    money::rules(&mut rules);
    let yes = "yes|yeah|yep|yes please|yes thank you|yes that is right|yes that's right|that is right|that's right|\
               that is correct|that's correct|correct|right|sure|of course|okay|ok|go ahead|please do|\
               yes go ahead|yes of course|sounds good|that's fine|that is fine|perfect|great|fine|absolutely|definitely";
    let no = "no|nope|no thanks|no thank you|not really|no that is wrong|no that's wrong|that is wrong|that's wrong|\
              that is not right|that's not right|not quite|wrong|no it is not|no it isn't|rather not|not now|don't|\
              please don't|no please don't";
    rules.insert("yes".into(), Expr::any(yes));
    rules.insert("no".into(), Expr::any(no));
    rules.insert(
        "yes_no".into(),
        Expr::Alt(vec![Expr::rule("yes"), Expr::rule("no")]),
    );
    rules
});

/// Words that can begin a value of each kind: most words of a sentence begin none, and need no walk.
static STARTS: LazyLock<BTreeMap<Kind, HashSet<Arc<str>>>> = LazyLock::new(|| {
    let starts = |kind: Kind| {
        let mut out = HashSet::new();
        starts_of(&Expr::rule(kind.name()), &RULES, 0, &mut out);
        (kind, out)
    };
    Kind::ALL.into_iter().map(starts).collect()
});

pub(super) fn rules() -> &'static Rules {
    &RULES
}

pub(super) fn may_start(kind: Kind, word: &str) -> bool {
    STARTS.get(&kind).is_some_and(|s| s.contains(word))
}

/// Adds the first words of `expr`; true if it can also match nothing.
fn starts_of(expr: &Expr, rules: &Rules, depth: usize, out: &mut HashSet<Arc<str>>) -> bool {
    match expr {
        Expr::Word(w) => {
            out.insert(w.clone());
            false
        }
        Expr::Seq(all) => all.iter().all(|e| starts_of(e, rules, depth, out)),
        Expr::Alt(all) => all
            .iter()
            .fold(false, |empty, e| starts_of(e, rules, depth, out) | empty),
        Expr::Opt(e) => {
            starts_of(e, rules, depth, out);
            true
        }
        Expr::Many(e, min, _) => starts_of(e, rules, depth, out) || *min == 0,
        Expr::Mark(_, e) | Expr::Quiet(e) => starts_of(e, rules, depth, out),
        Expr::Rule(name) | Expr::Slot(_, name) => {
            depth < 24
                && rules
                    .get(name)
                    .is_some_and(|e| starts_of(e, rules, depth + 1, out))
        }
        Expr::Gap(_) => true,
    }
}
