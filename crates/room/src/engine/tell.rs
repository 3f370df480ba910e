//! What the engine tells: framework events, evidence, spans, watching hooks.

use std::sync::Arc;

use roomtone_base::{Evidence, Mono, RoomId, Span, TraceId};

use super::Inner;
use crate::{
    hooks::{HookContext, HookPayload, HookReport, HookSource, HookTrigger},
    model::{EventStatus, FrameworkEvent, FrameworkEventType, Map, RoomContext, RoomEvent},
};

impl Inner {
    /// Tells the subscribers; costs nothing when there are none.
    pub(super) fn tell(&self, event_type: FrameworkEventType, fill: impl FnOnce(&mut FrameworkEvent)) {
        if !self.bus.is_listened() {
            return;
        }
        let mut event = FrameworkEvent {
            event_type,
            room_id: None,
            channel_id: None,
            event_id: None,
            timestamp: self.clock.now(),
            data: Map::new(),
        };
        fill(&mut event);
        self.bus.emit(&event);
    }

    /// Tells of something that happened to an event. What is told of answers carries their depth, so that a host can
    /// tell it from what is told of the message itself.
    pub(super) fn tell_of(
        &self,
        event_type: FrameworkEventType,
        about: &RoomEvent,
        fill: impl FnOnce(&mut FrameworkEvent),
    ) {
        self.tell(event_type, |event| {
            event.room_id = Some(about.room_id.clone());
            event.event_id = Some(about.id.clone());
            if about.chain_depth > 0 {
                event
                    .data
                    .insert("chain_depth".to_owned(), about.chain_depth.into());
            }
            fill(event);
        });
    }

    /// Tells of hooks that gave no valid answer (RE-100).
    pub(super) fn tell_reports(&self, room_id: Option<&RoomId>, reports: &[HookReport]) {
        for report in reports {
            let event_type = match report.error {
                Some(_) => FrameworkEventType::HookError,
                None => FrameworkEventType::HookTimeout,
            };
            self.tell(event_type, |event| {
                event.room_id = room_id.cloned();
                event
                    .data
                    .insert("hook_name".to_owned(), report.hook_name.clone().into());
                event
                    .data
                    .insert("trigger".to_owned(), report.trigger.as_str().into());
                match &report.error {
                    Some(error) => event.data.insert("error".to_owned(), error.clone().into()),
                    None => {
                        let limit = u64::try_from(report.timeout.as_millis()).unwrap_or(u64::MAX);
                        event.data.insert("timeout_ms".to_owned(), limit.into())
                    }
                };
            });
        }
    }

    /// Lets watching hooks run beside everything else (RE-097).
    pub(super) fn watch(self: &Arc<Self>, context: HookContext, payload: HookPayload) {
        if !self.hooks.watches(context.trigger) {
            return;
        }
        let inner = self.clone();
        self.detach(async move {
            let reports = inner.hooks.run_async(payload, &context).await;
            inner.tell_reports(context.room_id.as_ref(), &reports);
        });
    }

    /// Lets watching hooks see an event.
    pub(super) fn watch_event(
        self: &Arc<Self>,
        trigger: HookTrigger,
        event: &Arc<RoomEvent>,
        room: Option<&RoomContext>,
    ) {
        if self.hooks.watches(trigger) {
            let context = HookContext {
                trigger,
                room_id: Some(event.room_id.clone()),
                room: room.cloned(),
                source: source_of(event),
            };
            self.watch(context, HookPayload::Event(event.clone()));
        }
    }

    /// Writes down that an event is on the timeline, or why it is there without having reached anybody.
    pub(super) fn witness(&self, event: &RoomEvent) {
        let Some(trace) = &event.correlation_id else {
            return;
        };
        let blocked = event.status == EventStatus::Blocked;
        let step = if blocked { "room.blocked" } else { "room.committed" };
        let mut record = Evidence::new(
            trace.clone(),
            event.created_at,
            step,
            event.source.channel_id.as_str(),
        )
        .room(event.room_id.clone())
        .with("event", event.id.as_str())
        .with("index", event.index)
        .with("type", serde_json::to_value(event.event_type).unwrap_or_default());
        if let Some(by) = &event.blocked_by {
            record = record.with("by", by.as_str());
        }
        self.evidence.record(record);
    }

    /// Writes down that a message left nothing on the timeline.
    pub(super) fn witness_refusal(&self, trace: &TraceId, room_id: &RoomId, actor: &str, reason: &str) {
        let record = Evidence::new(trace.clone(), self.clock.now(), "room.blocked", actor)
            .room(room_id.clone())
            .with("by", reason);
        self.evidence.record(record);
    }

    /// Reports finished work.
    pub(super) fn span(
        &self,
        name: &'static str,
        start: Mono,
        trace: Option<&TraceId>,
        attributes: &[(&'static str, &str)],
    ) {
        self.telemetry.span(&Span {
            name,
            trace,
            start,
            end: self.clock.mono(),
            attributes,
        });
    }
}

/// What hook filters are compared with.
pub(super) fn source_of(event: &RoomEvent) -> HookSource {
    HookSource {
        channel_id: Some(event.source.channel_id.clone()),
        channel_type: Some(event.source.channel_type.clone()),
        direction: Some(event.source.direction),
    }
}
