//! Answers: each is a commit pass of its own, and its deliveries queue behind in the room's lane (section 15).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures_util::{
    StreamExt,
    future::{self, Either},
    stream,
};
use roomtone_base::{ChannelId, EventId};
use tokio::sync::mpsc;

use super::{
    Inner, Registered,
    broadcast::{Answer, Outcome, failed, join, sent},
    steps::{Candidate, Decision, Passed, block},
};
use crate::{
    Error, Result,
    hooks::HookTrigger,
    model::{
        ChannelDirection, DeliveryError, DeliveryResult, EventContent, EventDraft, Map, PartStream,
        ResponseStream, RoomContext, RoomEvent, StreamPart,
    },
    permission::{self, blocked_by},
    reach::Stand,
};

/// The event answered, and how much room for answers is left.
struct Question<'a> {
    event: &'a RoomEvent,
    budget: &'a mut u32,
}

impl Inner {
    /// Steps 14 and 15 for an event and all answers to it, to any depth; gives back what became of the event itself.
    pub(super) async fn drain(self: &Arc<Self>, first: Passed) -> Outcome {
        // Depth bounds how long a chain gets, this how wide: several agents could answer one another (RE-175).
        let mut budget = 10 * self.settings.max_chain_depth;
        let mut queue = VecDeque::from([first]);
        let mut of_first: Option<Outcome> = None;
        while let Some(mut passed) = queue.pop_front() {
            let mut outcome = self.serve(&mut passed).await;
            let answers = std::mem::take(&mut outcome.answers);
            self.settle(&passed, &mut outcome).await;
            let Passed {
                event,
                context,
                ticket,
                ..
            } = passed;
            drop(ticket);
            if of_first.is_some() && !event.is_blocked() {
                self.watch_event(HookTrigger::AfterBroadcast, &event, Some(&context));
            }
            let mut question = Question {
                event: &event,
                budget: &mut budget,
            };
            for (from, answer) in self.in_order(answers, &context, event.chain_depth + 1) {
                match self.reenter(&mut question, from, answer).await {
                    Ok(next) => queue.extend(next),
                    // The answer is lost; the event that it answers stands (RE-025).
                    Err(error) => {
                        let room = &*event.room_id as &str;
                        tracing::error!(target: "roomtone::room", room, %error, "answer not stored");
                    }
                }
            }
            of_first.get_or_insert(outcome);
        }
        of_first.unwrap_or_default()
    }

    /// Answers that will be stored blocked first, then the others; each group in the order of the bindings.
    fn in_order(
        &self,
        answers: Vec<Answer>,
        context: &RoomContext,
        depth: u32,
    ) -> Vec<(Arc<Registered>, Reply)> {
        let mut all = Vec::new();
        for Answer { from, output } in answers {
            let stopped = depth >= self.settings.max_chain_depth
                || context
                    .binding(&from.id)
                    .is_none_or(|source| permission::write_refusal(source).is_some());
            let whole = output.events.into_iter().map(Reply::Whole);
            let streamed = output.response_stream.into_iter().map(Reply::Streamed);
            all.extend(whole.chain(streamed).map(|reply| (!stopped, from.clone(), reply)));
        }
        all.sort_by_key(|(passes, ..)| *passes);
        all.into_iter().map(|(_, from, reply)| (from, reply)).collect()
    }

    async fn reenter(
        self: &Arc<Self>,
        question: &mut Question<'_>,
        from: Arc<Registered>,
        reply: Reply,
    ) -> Result<Option<Passed>> {
        match reply {
            Reply::Whole(draft) => {
                draft.content.validate()?;
                let candidate = self.answer(question.event, from, draft);
                self.pass(question, candidate, BTreeMap::new()).await
            }
            Reply::Streamed(response) => self.reenter_stream(question, from, response).await,
        }
    }

    fn answer(&self, question: &RoomEvent, from: Arc<Registered>, mut draft: EventDraft) -> Candidate {
        // An answer belongs where its question belongs, and to the same cause.
        draft.parent_event_id = draft.parent_event_id.or_else(|| question.parent_event_id.clone());
        Candidate {
            channel: from,
            draft,
            direction: ChannelDirection::Inbound,
            chain_depth: question.chain_depth + 1,
            trace: question.correlation_id.clone().unwrap_or_else(|| self.ids.make()),
            created_at: None,
            event_id: None,
            served: Vec::new(),
        }
    }

    /// Steps 6 to 13 for an answer (RE-173).
    async fn pass(
        self: &Arc<Self>,
        question: &mut Question<'_>,
        mut candidate: Candidate,
        served: BTreeMap<ChannelId, DeliveryResult>,
    ) -> Result<Option<Passed>> {
        candidate.served = served.keys().cloned().collect();
        let mut decided = self.decide(&question.event.room_id, None, candidate).await?;
        if let Decision::Allowed = decided.decision {
            match question.budget.checked_sub(1) {
                Some(left) => *question.budget = left,
                None => block(&mut decided, blocked_by::REENTRY_LOOP_CAP),
            }
        }
        let passed = self.commit(decided).await?.into_passed();
        Ok(passed.map(|passed| Passed { served, ..passed }))
    }

    /// An answer that is still being made (RE-167): said at once where a channel can say it while it grows, stored as
    /// one event when it is whole, then given to everybody else. Hooks see it whole, so what is said meanwhile has
    /// only passed the hooks of the channel that says it.
    async fn reenter_stream(
        self: &Arc<Self>,
        question: &mut Question<'_>,
        from: Arc<Registered>,
        response: ResponseStream,
    ) -> Result<Option<Passed>> {
        let ResponseStream { draft, parts } = response;
        let candidate = self.answer(question.event, from.clone(), draft.clone());
        let depth = candidate.chain_depth;
        let context = self.look(&question.event.room_id).await?;
        let source = context.binding(&from.id);
        if source.is_none_or(|source| permission::write_refusal(source).is_some()) {
            // Dropped unpolled: a muted agent's provider is never called (RE-073).
            return Ok(None);
        }
        if !context.room.status.accepts_events()
            || depth >= self.settings.max_chain_depth
            || *question.budget == 0
        {
            // The gate and the limits speak for themselves; the words were never made.
            return self.pass(question, candidate, BTreeMap::new()).await;
        }
        let announced = Arc::new(self.compose(&question.event.room_id, candidate));
        let spoken = self.speak(&announced, &context, parts).await;
        if spoken.text.is_empty() && spoken.results.is_empty() {
            let error = spoken
                .error
                .unwrap_or_else(|| DeliveryError::permanent("empty", "the answer had no words"));
            return Err(Error::Channel {
                channel: from.id.clone(),
                error,
            });
        }
        let mut draft = draft;
        draft.content = EventContent::text(spoken.text);
        draft.metadata.extend(spoken.metadata);
        let mut candidate = self.answer(question.event, from, draft);
        candidate.event_id = Some(EventId::clone(&announced.id));
        candidate.created_at = Some(announced.created_at);
        self.pass(question, candidate, spoken.results).await
    }

    /// Pipes the growing answer to the targets that can say it, in the room's lane.
    async fn speak(&self, event: &Arc<RoomEvent>, context: &RoomContext, parts: PartStream) -> Spoken {
        let speakers: Vec<_> = permission::plan(context, event, &[])
            .into_iter()
            .filter(|target| target.deliver)
            .filter_map(|target| {
                let channel = self.channel(&target.channel_id).ok()?;
                channel.channel.supports_streaming_delivery().then_some(channel)
            })
            .collect();
        let mut ticket = self.lanes.ticket(&event.room_id);
        ticket.turn().await;
        let (listeners, growing): (Vec<_>, Vec<_>) =
            speakers.iter().map(|_| mpsc::unbounded_channel()).unzip();
        let saying = speakers.iter().zip(growing).filter_map(|(channel, growing)| {
            let binding = context.binding(&channel.id)?;
            let growing = stream::unfold(growing, |mut rest| async {
                rest.recv().await.map(|part| (part, rest))
            });
            Some(async move {
                let reader = context.for_reader(binding);
                let saying = channel
                    .channel
                    .deliver_stream(growing.boxed(), event, binding, &reader);
                (channel, self.guard(saying).await)
            })
        });
        let (made, said) =
            Stand::delivering(&event.room_id, future::join(pump(parts, listeners), join(saying))).await;
        drop(ticket);
        let mut spoken = Spoken {
            text: made.text,
            metadata: made.metadata,
            error: made.error,
            results: BTreeMap::new(),
        };
        for (channel, outcome) in said {
            let result = match outcome {
                Ok(delivered) => {
                    spoken.metadata.extend(delivered.metadata);
                    sent(&channel.id, delivered.provider_message_id, delivered.queued)
                }
                Err(error) => failed(&channel.id, error),
            };
            spoken.results.insert(channel.id.clone(), result);
        }
        if made.cut_short || spoken.error.is_some() {
            spoken.metadata.insert("interrupted".to_owned(), true.into());
        }
        spoken
    }
}

/// One answer of a channel.
enum Reply {
    Whole(EventDraft),
    Streamed(ResponseStream),
}

/// An answer that has been said.
struct Spoken {
    text: String,
    metadata: Map,
    error: Option<DeliveryError>,
    results: BTreeMap<ChannelId, DeliveryResult>,
}

/// An answer that has been made.
#[derive(Default)]
struct Made {
    text: String,
    metadata: Map,
    error: Option<DeliveryError>,
    /// Everybody who said it stopped before it ended.
    cut_short: bool,
}

type Listener = mpsc::UnboundedSender<Result<StreamPart, DeliveryError>>;

/// Collects the pieces and hands each on as it comes. When all listeners have stopped, so does the making.
async fn pump(mut parts: PartStream, listeners: Vec<Listener>) -> Made {
    let mut made = Made::default();
    let mut all_gone = Box::pin(future::join_all(
        listeners.iter().map(|listener| listener.closed()),
    ));
    loop {
        let part = if listeners.is_empty() {
            parts.next().await
        } else {
            match future::select(parts.next(), &mut all_gone).await {
                Either::Left((part, _)) => part,
                Either::Right(_) => {
                    made.cut_short = true;
                    return made;
                }
            }
        };
        let Some(part) = part else { return made };
        for listener in &listeners {
            // One that stopped listening has had enough; the others go on.
            let _ = listener.send(part.clone());
        }
        match part {
            Ok(StreamPart::Text(more)) => made.text.push_str(&more),
            Ok(StreamPart::Metadata(facts)) => made.metadata.extend(facts),
            Err(error) => {
                made.error = Some(error);
                return made;
            }
        }
    }
}
