//! Who may write, who is given what (sections 7 and 8, RE-162). Pure: room and event in, plan out.

use roomtone_base::ChannelId;

use crate::{
    model::{AgentResponsePolicy, ChannelBinding, ChannelCategory, ChannelDirection, RoomContext, RoomEvent},
    store::PlannedDelivery,
};

/// Reserved words of `blocked_by` (RE-072).
pub mod blocked_by {
    /// The source is muted.
    pub const SOURCE_MUTED: &str = "source_muted";
    /// The source may not write.
    pub const SOURCE_READ_ONLY: &str = "source_read_only";
    /// An answer to an answer to an answer, too deep (RE-171).
    pub const CHAIN_DEPTH_LIMIT: &str = "event_chain_depth_limit";
    /// Too many answers to one message (RE-175).
    pub const REENTRY_LOOP_CAP: &str = "reentry_loop_cap";
}

/// Why a channel may not write, as a word for `blocked_by`; none if it may (RE-071, RE-072). Muted wins.
pub fn write_refusal(binding: &ChannelBinding) -> Option<&'static str> {
    if binding.muted {
        Some(blocked_by::SOURCE_MUTED)
    } else if !binding.access.can_write() {
        Some(blocked_by::SOURCE_READ_ONLY)
    } else {
        None
    }
}

/// Is `reader` given `event` at all (RE-070, RE-076, RE-162)? Muted channels are.
pub fn is_target(context: &RoomContext, event: &RoomEvent, reader: &ChannelBinding) -> bool {
    reader.channel_id != event.source.channel_id
        && reader.access.can_read()
        && reader.direction != ChannelDirection::Outbound
        && context.visibility_of(event).includes(reader)
}

/// Is an intelligence channel asked about `event` (RE-080..083)? Without `addressed_to` all are, except that under
/// [`AgentResponsePolicy::AddressedOnly`] what an agent says asks no agent.
fn is_solicited(context: &RoomContext, event: &RoomEvent, reader: &ChannelId) -> bool {
    match &event.addressed_to {
        Some(named) => named.contains(reader),
        None => {
            context.room.agent_response_policy == AgentResponsePolicy::AgentChain
                || context
                    .binding(&event.source.channel_id)
                    .is_none_or(|source| source.category != ChannelCategory::Intelligence)
        }
    }
}

/// The delivery set of `event`, in the order in which its targets were attached. `served` got it already (RE-167). A
/// source that is no longer attached reaches nobody.
pub fn plan(context: &RoomContext, event: &RoomEvent, served: &[ChannelId]) -> Vec<PlannedDelivery> {
    if context.binding(&event.source.channel_id).is_none() {
        return Vec::new();
    }
    context
        .bindings
        .iter()
        .filter(|reader| is_target(context, event, reader) && !served.contains(&reader.channel_id))
        .filter_map(|reader| {
            let transport = reader.category == ChannelCategory::Transport;
            // Transports always hear; addressing is about who is asked to think (RE-081).
            let solicit = transport || is_solicited(context, event, &reader.channel_id);
            let deliver = transport && !reader.output_muted;
            (solicit || deliver).then(|| PlannedDelivery {
                channel_id: reader.channel_id.clone(),
                solicit,
                deliver,
            })
        })
        .collect()
}
