//! Spans and metrics, without knowing who collects them (RE-222).

use crate::{Mono, TraceId};

/// Names of the metrics that the product reports; the unit is in the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Metric(
    /// Dotted name, unit last: `voice.turn_ms`.
    pub &'static str,
);

/// A finished piece of work.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// Name after RE-222: `process_inbound`, `broadcast`, `hook_execution`, `deliver`, `stt_transcribe`, …
    pub name: &'static str,
    /// The cause it belongs to.
    pub trace: Option<&'a TraceId>,
    /// When it began.
    pub start: Mono,
    /// When it ended.
    pub end: Mono,
    /// `room_id`, `channel_id`, `event_id`, `provider`, …
    pub attributes: &'a [(&'static str, &'a str)],
}

/// Collects spans and metrics. Must return at once; never called from a media thread.
pub trait Telemetry: Send + Sync + 'static {
    /// A piece of work is done.
    fn span(&self, span: &Span<'_>);
    /// A value was measured.
    fn metric(&self, metric: Metric, value: f64, attributes: &[(&'static str, &str)]);
}

/// Collects nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTelemetry;

impl Telemetry for NoTelemetry {
    fn span(&self, _: &Span<'_>) {}
    fn metric(&self, _: Metric, _: f64, _: &[(&'static str, &str)]) {}
}
