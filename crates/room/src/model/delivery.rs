//! What became of a delivery.

use roomtone_base::ChannelId;
use serde::{Deserialize, Serialize};

use super::{ChannelOutput, Map};

/// Why a channel could not do what it was asked (RFC 5.13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// For programs: `timeout`, `panicked`, a provider's own code.
    pub code: String,
    /// For people; holds no personal datum.
    pub message: String,
    /// May a retry help?
    pub retryable: bool,
}

impl DeliveryError {
    /// A failure that a later try may mend.
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Self {
        DeliveryError {
            code: code.into(),
            message: message.into(),
            retryable: true,
        }
    }

    /// A failure that no retry mends.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        DeliveryError {
            code: code.into(),
            message: message.into(),
            retryable: false,
        }
    }
}

/// How far a delivery got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The provider took it.
    #[default]
    Sent,
    /// It waits at the channel or its provider.
    Queued,
    /// It did not go.
    Failed,
}

/// What became of an event at one target (RFC 5.13).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryResult {
    /// The target.
    pub channel_id: ChannelId,
    /// How far it got.
    pub status: DeliveryStatus,
    /// The message's name in the provider's system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_message_id: Option<String>,
    /// Why it did not go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<DeliveryError>,
    /// Seconds after which the provider takes messages again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
}

/// A channel's account of a delivery that went well.
#[derive(Debug, Default)]
pub struct Delivered {
    /// The message's name in the provider's system.
    pub provider_message_id: Option<String>,
    /// Accepted and not yet sent.
    pub queued: bool,
    /// Merged into the event's metadata: a voice channel says here that it was `interrupted` and what was `heard`.
    pub metadata: Map,
    /// Events and side effects that the delivery itself caused.
    pub output: ChannelOutput,
}

impl Delivered {
    /// The provider took it and calls it `provider_message_id`.
    pub fn sent(provider_message_id: impl Into<String>) -> Self {
        Delivered {
            provider_message_id: Some(provider_message_id.into()),
            ..Delivered::default()
        }
    }
}
