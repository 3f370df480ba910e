//! One table of figures.

use std::fmt;

/// A line of the table.
pub(crate) struct Row {
    name: String,
    p50: String,
    p95: String,
    goal: Option<(f64, f64)>,
}

impl Row {
    /// Milliseconds over many tries; the goal is for the 95th percentile.
    pub(crate) fn millis(name: &str, values: &[f64], goal: Option<f64>) -> Self {
        let (p50, p95) = (percentile(values, 0.5), percentile(values, 0.95));
        let unit = |v: f64| format!("{v:.0} ms");
        Row {
            name: name.to_owned(),
            p50: unit(p50),
            p95: unit(p95),
            goal: goal.map(|g| (p95, g)),
        }
    }

    /// One size.
    pub(crate) fn mebibytes(name: &str, bytes: u64, goal: Option<f64>) -> Self {
        let size = bytes as f64 / 1_048_576.0;
        Row {
            name: name.to_owned(),
            p50: format!("{size:.0} MiB"),
            p95: String::new(),
            goal: goal.map(|g| (size, g)),
        }
    }

    /// One share.
    pub(crate) fn percent(name: &str, value: f64, goal: Option<f64>) -> Self {
        Row {
            name: name.to_owned(),
            p50: format!("{value:.2} %"),
            p95: String::new(),
            goal: goal.map(|g| (value, g)),
        }
    }
}

/// Figures in the order they were measured.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Takes a row, and shows it at once: the whole takes minutes.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("  {}: {} {}", row.name.trim(), row.p50, row.p95);
        self.0.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| {:<52} | {:>9} | {:>9} | {:>9} | {:>6} |",
            "figure", "p50", "p95", "goal", "ratio"
        )?;
        writeln!(f, "|{:-<54}|{:->11}|{:->11}|{:->11}|{:->8}|", "", "", "", "", "")?;
        for row in &self.0 {
            let (goal, ratio) = row.goal.map_or((String::new(), String::new()), |(value, goal)| {
                (format!("<= {goal:.0}"), format!("{:.2}", value / goal))
            });
            writeln!(
                f,
                "| {:<52} | {:>9} | {:>9} | {goal:>9} | {ratio:>6} |",
                row.name, row.p50, row.p95
            )?;
        }
        Ok(())
    }
}

/// The value below which the share `p` of `values` lies, by rank; 0 without values.
pub(crate) fn percentile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (p * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_ranks() {
        let values: Vec<f64> = (1..=50).rev().map(f64::from).collect();
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.95)),
            (25.0, 48.0)
        );
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
