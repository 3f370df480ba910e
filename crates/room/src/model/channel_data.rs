//! Facts that only one kind of channel has (RE-014).

use serde::{Deserialize, Serialize};

use super::Map;

/// Per channel; unknown keys are kept in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum ChannelData {
    /// Nothing to say.
    #[default]
    None,
    /// Text messages.
    Sms(SmsData),
    /// E-mail.
    Email(Box<EmailData>),
    /// WhatsApp.
    #[serde(rename = "whatsapp")]
    WhatsApp(Box<WhatsAppData>),
    /// An AI's answer.
    Ai(AiData),
    /// A channel without a type of its own here.
    Other {
        /// All its keys.
        #[serde(flatten)]
        extra: Map,
    },
}

impl ChannelData {
    pub(crate) fn is_none(&self) -> bool {
        *self == ChannelData::None
    }
}

/// Facts of a text message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SmsData {
    /// Sender.
    pub from_number: String,
    /// Receiver.
    pub to_number: String,
    /// Parts it was sent in.
    #[serde(default)]
    pub segments: u32,
    /// `gsm7`, `ucs2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Keys we do not know.
    #[serde(flatten)]
    pub extra: Map,
}

/// Facts of an e-mail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EmailData {
    /// Sender.
    pub from_address: String,
    /// Receivers.
    #[serde(default)]
    pub to_addresses: Vec<String>,
    /// Copies.
    #[serde(default)]
    pub cc: Vec<String>,
    /// Subject line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Thread it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The HTML part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_body: Option<String>,
    /// Keys we do not know.
    #[serde(flatten)]
    pub extra: Map,
}

/// Facts of a WhatsApp message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhatsAppData {
    /// The sender's id there.
    pub wa_id: String,
    /// Template used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_name: Option<String>,
    /// Buttons, in the provider's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buttons: Option<serde_json::Value>,
    /// What it replies to, in the provider's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// Came from a group.
    #[serde(default)]
    pub is_group: bool,
    /// Keys we do not know.
    #[serde(flatten)]
    pub extra: Map,
}

/// Facts of a machine's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AiData {
    /// Which model or engine.
    pub model: String,
    /// Which agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// Tokens, in and out together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_used: Option<u64>,
    /// Time to the answer, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Keys we do not know.
    #[serde(flatten)]
    pub extra: Map,
}
