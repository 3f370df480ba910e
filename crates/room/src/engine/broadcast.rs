//! Executing one event's delivery set (section 14). Outside the lock, in the room's lane.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future};
use roomtone_base::ChannelId;

use super::{Inner, Registered, steps::Passed};
use crate::{
    hooks::HookTrigger,
    model::{
        ChannelBinding, ChannelCategory, ChannelOutput, Delivered, DeliveryError, DeliveryResult,
        DeliveryStatus, FrameworkEventType, Map, RoomEvent, SideEffects,
    },
    reach::Stand,
    store::{PlannedDelivery, Settlement},
    transcode::transcode,
    within::within,
};

/// An answer and who gave it.
pub(super) struct Answer {
    pub(super) from: Arc<Registered>,
    pub(super) output: ChannelOutput,
}

/// What became of one event's deliveries.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) delivery_results: BTreeMap<ChannelId, DeliveryResult>,
    pub(super) turn_error: Option<String>,
    pub(super) answers: Vec<Answer>,
    pub(super) effects: SideEffects,
    pub(super) metadata: Map,
}

/// What became of it at one target.
struct Served {
    channel_id: ChannelId,
    result: Option<DeliveryResult>,
    turn_error: Option<String>,
    answers: Vec<Answer>,
    metadata: Map,
}

impl Inner {
    /// Waits for its turn in the lane, serves all targets concurrently, then the injected events; leaving the lane,
    /// lets the next event begin.
    pub(super) async fn serve(&self, passed: &mut Passed) -> Outcome {
        passed.ticket.turn().await;
        let start = self.clock.mono();
        let passed = &*passed;
        let event = &passed.event;
        let mut outcome = Stand::delivering(&event.room_id, async {
            let targets = passed.plan.iter().map(|target| self.serve_target(passed, target));
            let mut outcome = Outcome {
                delivery_results: passed.served.clone(),
                ..Outcome::default()
            };
            for served in join(targets).await {
                outcome.turn_error = outcome.turn_error.or(served.turn_error);
                outcome.answers.extend(served.answers);
                outcome.metadata.extend(served.metadata);
                if let Some(result) = served.result {
                    outcome.delivery_results.insert(served.channel_id, result);
                }
            }
            for (extra, targets) in &passed.injected {
                outcome
                    .effects
                    .merge(self.serve_injected(passed, extra, targets).await);
            }
            outcome
        })
        .await;
        for answer in &mut outcome.answers {
            outcome.effects.merge(answer.output.take_side_effects());
        }
        self.stamp(&event.room_id, &mut outcome.effects);
        self.tell_deliveries(event, &outcome.delivery_results);
        self.span(
            "broadcast",
            start,
            event.correlation_id.as_ref(),
            &[("event_id", &event.id)],
        );
        outcome
    }

    /// One target: thinks about the event, then carries it outside. Neither failure touches another target (RE-163).
    async fn serve_target(&self, passed: &Passed, target: &PlannedDelivery) -> Served {
        let mut served = Served {
            channel_id: target.channel_id.clone(),
            result: None,
            turn_error: None,
            answers: Vec::new(),
            metadata: Map::new(),
        };
        let Some(binding) = passed.context.binding(&target.channel_id) else {
            return served;
        };
        let Ok(channel) = self.channel(&target.channel_id) else {
            let error = DeliveryError::permanent("channel_not_registered", "the channel is not registered");
            served.result = Some(failed(&target.channel_id, error));
            return served;
        };
        let event = fit(&passed.event, binding);
        let context = passed.context.for_reader(binding);
        if target.solicit {
            match self
                .guard(channel.channel.on_event(&event, binding, &context))
                .await
            {
                Ok(output) => served.answers.push(Answer {
                    from: channel.clone(),
                    output,
                }),
                Err(error) => {
                    if binding.category == ChannelCategory::Intelligence {
                        served.turn_error = Some(error.message.clone());
                    }
                    served.result = Some(failed(&target.channel_id, error));
                }
            }
        }
        if target.deliver {
            let start = self.clock.mono();
            let delivered = self
                .guard(channel.channel.deliver(&event, binding, &context))
                .await;
            let attributes = [
                ("channel_id", &*channel.id as &str),
                ("provider", &*channel.provider),
            ];
            self.span("deliver", start, event.correlation_id.as_ref(), &attributes);
            match delivered {
                Ok(Delivered {
                    provider_message_id,
                    queued,
                    metadata,
                    output,
                }) => {
                    served.metadata = metadata;
                    // A failure to think about it stands, even though it was sent.
                    served
                        .result
                        .get_or_insert(sent(&channel.id, provider_message_id, queued));
                    served.answers.push(Answer {
                        from: channel,
                        output,
                    });
                }
                Err(error) => served.result = Some(failed(&target.channel_id, error)),
            }
        }
        served
    }

    /// An injected event goes out bare: no transcoding, no answers (RE-099).
    async fn serve_injected(
        &self,
        passed: &Passed,
        event: &Arc<RoomEvent>,
        targets: &[ChannelId],
    ) -> SideEffects {
        let bound = targets.iter().filter_map(|id| passed.context.binding(id));
        let outputs = join(bound.map(|binding| async move {
            let Ok(channel) = self.channel(&binding.channel_id) else {
                return SideEffects::default();
            };
            let context = passed.context.for_reader(binding);
            let output = match binding.category {
                ChannelCategory::Intelligence => {
                    self.guard(channel.channel.on_event(event, binding, &context))
                        .await
                }
                ChannelCategory::Transport => self
                    .guard(channel.channel.deliver(event, binding, &context))
                    .await
                    .map(|sent| sent.output),
            };
            match output {
                Ok(mut output) => output.take_side_effects(),
                Err(error) => {
                    let (room, code) = (&*event.room_id as &str, error.code.as_str());
                    tracing::warn!(target: "roomtone::room", room, code, "injected event not delivered");
                    SideEffects::default()
                }
            }
        }))
        .await;
        outputs
            .into_iter()
            .fold(SideEffects::default(), |mut all, effects| {
                all.merge(effects);
                all
            })
    }

    /// A channel's own code: bounded in time, and its panics stay its own (RE-117).
    pub(super) async fn guard<T>(
        &self,
        work: impl Future<Output = Result<T, DeliveryError>>,
    ) -> Result<T, DeliveryError> {
        let caught = AssertUnwindSafe(work).catch_unwind();
        match within(&*self.clock, self.settings.delivery_timeout, caught).await {
            Some(Ok(outcome)) => outcome,
            Some(Err(_panic)) => Err(DeliveryError::permanent(
                "panicked",
                "the channel failed internally",
            )),
            None => Err(DeliveryError::retryable("timeout", "the channel took too long")),
        }
    }

    /// Step 15: writes down what became of the deliveries and what they left behind. A failure to write is told and
    /// changes nothing about the event (RE-025).
    pub(super) async fn settle(self: &Arc<Self>, passed: &Passed, outcome: &mut Outcome) {
        let effects = std::mem::take(&mut outcome.effects);
        let nothing = passed.plan.is_empty() && passed.served.is_empty();
        if nothing && effects.is_empty() && outcome.metadata.is_empty() {
            return;
        }
        let tasks = effects.tasks.clone();
        let settlement = Settlement {
            room_id: passed.event.room_id.clone(),
            event_id: passed.event.id.clone(),
            delivery_results: outcome.delivery_results.clone(),
            metadata: std::mem::take(&mut outcome.metadata),
            side_effects: effects,
        };
        if let Err(error) = self.store.settle(settlement).await {
            let room = &*passed.event.room_id as &str;
            tracing::error!(target: "roomtone::room", room, %error, "outcome of a delivery not stored");
        }
        self.tell_tasks(&passed.event, &tasks);
    }

    /// Lets watching hooks see each task (RE-215).
    pub(super) fn tell_tasks(self: &Arc<Self>, event: &RoomEvent, tasks: &[crate::Task]) {
        if !self.hooks.watches(HookTrigger::OnTaskCreated) {
            return;
        }
        for task in tasks {
            let context = crate::HookContext {
                trigger: HookTrigger::OnTaskCreated,
                room_id: Some(event.room_id.clone()),
                room: None,
                source: super::tell::source_of(event),
            };
            let task = serde_json::to_value(task).expect("a task is plain data");
            self.watch(context, crate::HookPayload::Value(task));
        }
    }

    pub(super) fn tell_deliveries(&self, event: &RoomEvent, results: &BTreeMap<ChannelId, DeliveryResult>) {
        let mut failures = 0;
        for (channel_id, result) in results {
            let event_type = match &result.error {
                None => FrameworkEventType::DeliverySucceeded,
                Some(error) => {
                    failures += 1;
                    let (room, channel) = (&*event.room_id as &str, &**channel_id as &str);
                    let code = error.code.as_str();
                    tracing::warn!(target: "roomtone::room", room, channel, code, "delivery failed");
                    FrameworkEventType::DeliveryFailed
                }
            };
            self.tell_of(event_type, event, |told| {
                told.channel_id = Some(channel_id.clone());
                if let Some(error) = &result.error {
                    told.data.insert("error".to_owned(), error.message.clone().into());
                }
            });
        }
        if failures > 0 && failures < results.len() {
            self.tell_of(FrameworkEventType::BroadcastPartialFailure, event, |told| {
                told.data.insert("failed".to_owned(), failures.into());
                told.data.insert("targets".to_owned(), results.len().into());
            });
        }
    }
}

/// All at once, results in order. One future, the common case, is awaited as it is.
pub(super) async fn join<F: Future>(mut work: impl Iterator<Item = F>) -> Vec<F::Output> {
    let Some(first) = work.next() else {
        return Vec::new();
    };
    match work.next() {
        None => vec![first.await],
        Some(second) => future::join_all([first, second].into_iter().chain(work)).await,
    }
}

/// The event as a target can carry it; shared when it fits as it is.
fn fit(event: &Arc<RoomEvent>, binding: &ChannelBinding) -> Arc<RoomEvent> {
    match transcode(&event.content, &binding.capabilities) {
        std::borrow::Cow::Borrowed(_) => event.clone(),
        std::borrow::Cow::Owned(content) => {
            let mut fitting = RoomEvent::clone(event);
            fitting.content = content;
            Arc::new(fitting)
        }
    }
}

pub(super) fn sent(
    channel_id: &ChannelId,
    provider_message_id: Option<String>,
    queued: bool,
) -> DeliveryResult {
    DeliveryResult {
        channel_id: channel_id.clone(),
        status: if queued {
            DeliveryStatus::Queued
        } else {
            DeliveryStatus::Sent
        },
        provider_message_id,
        error: None,
        retry_after: None,
    }
}

pub(super) fn failed(channel_id: &ChannelId, error: DeliveryError) -> DeliveryResult {
    DeliveryResult {
        channel_id: channel_id.clone(),
        status: DeliveryStatus::Failed,
        provider_message_id: None,
        error: Some(error),
        retry_after: None,
    }
}
