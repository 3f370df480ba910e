//! Words and values: numbers, times, dates, spelled letters, spoken and understood.
