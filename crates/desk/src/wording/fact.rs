//! The sentences of `facts.toml`, with values in curly brackets.

/// Names of the values that a sentence holds.
pub(crate) fn placeholders(text: &str) -> Vec<String> {
    let parts = text.split('{').skip(1).filter_map(|p| p.split_once('}'));
    parts
        .map(|(name, _)| name.trim().trim_end_matches(".short").to_owned())
        .collect()
}

/// The sentence with every value in its place; `None` if one is missing or a bracket has no partner.
pub(crate) fn fill(text: &str, value: &dyn Fn(&str, bool) -> Option<String>) -> Option<String> {
    let mut parts = text.split('{');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        let name = name.trim();
        let (plain, short) = name.strip_suffix(".short").map_or((name, false), |n| (n, true));
        out.push_str(&value(plain, short)?);
        out.push_str(rest);
    }
    Some(out)
}
